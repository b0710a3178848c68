"""Speed to a score: minutes of training until the validation BLEU reaches 20, 25, 28, 30, beside other systems.

On any corpus of two files a side in one folder (``train.de``, ``train.en``, ``val.de``, ``val.en``), one system after
the other, each with as many threads as it is given:

- **ours**: ``seq2seq train`` with no flag but the files;
- **plain**: the same network without priors, extra networks, and synthetic pairs;
- **torch**: the plain network in PyTorch in its fastest form (``torch_training``), from the same initial weights, on
  the same mini-batches, with the same learning rates;
- **rnn**, **transformer**: Joey NMT 2.3 with attention, in its own environment (``--joey``, a Python that has it).

Validation BLEU is sacreBLEU, 13a, cased, of greedy translations. Minutes are wall-clock minutes of training, without
the validations and without what comes before the first step. Joey NMT has no last epoch here: ``--minutes`` ends it.

::

    python -m tests.benchmarks.quality FOLDER [--systems ours,plain,torch] [--threads 2] [--minutes 40] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq_cli.config import TrainingConfig
from seq2seq_cli.inference.workers import usable_cores
from seq2seq_cli.nn.optimizers import cool_down_factor
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.training.batches import encode_corpus, make_batch, plan_batches
from seq2seq_cli.training.trainer import INITIAL_STREAM, ORDER_STREAM, random_stream
from seq2seq_cli.training.validation import Validation
from tests.benchmarks.measure import environment, parser, report

SCORES = (20, 25, 28, 30)
PLAIN = "--no-lexical-prior --no-bigram-prior --members 1 --augmentation 0 --word-dropout 0 --context-dropout 0"
PLAIN += " --no-pooled-context --weight-dropout 0 --dropout 0.4 --cell gru --embedding-size 256 --hidden-size 512"
PLAIN += " --learning-rate 0.002"
JOEY_STEPS_BETWEEN_VALIDATIONS = 100


class Point(NamedTuple):
    """The validation BLEU after some seconds of training."""

    seconds: float
    bleu: float


def train_ours(folder: Path, languages: list[str], flags: argparse.Namespace, plain: bool) -> Iterator[Point]:
    """Train with the command line; the points are those of its log."""
    train, valid = (",".join(str(folder / f"{name}.{language}") for language in languages) for name in ("train", "val"))
    name = "plain" if plain else "ours"
    log = folder / f"{name}.jsonl"
    command = [sys.executable, "-m", "seq2seq_cli", "train", train, "--valid", valid, "-o", str(folder / f"{name}.npz")]
    command += ["--log-file", str(log), "--threads", str(flags.threads), "--epochs", str(flags.epochs)]
    subprocess.run([*command, *(PLAIN.split() if plain else ())], check=True, env=environment())
    validations = 0.0  # the log's seconds contain them
    before = 0.0
    for record in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        if "valid_bleu" in record:
            validations += record["seconds"] - before
            yield Point(record["seconds"] - validations, record["valid_bleu"])
        before = record["seconds"]


def train_torch(folder: Path, languages: list[str], flags: argparse.Namespace) -> Iterator[Point]:
    """Train the network of ``plain.npz`` in PyTorch, and score it with our greedy search."""
    import torch

    from seq2seq_cli.nn.parameters import initialize
    from tests.benchmarks.torch_training import Network, forms, prepare

    torch.set_num_threads(flags.threads)
    checkpoint = load_model(folder / "plain.npz")
    train, valid = (
        read_corpus(",".join(str(folder / f"{name}.{language}") for language in languages)) for name in ("train", "val")
    )
    training: TrainingConfig = checkpoint.recipe.training
    config = checkpoint.model.config
    corpus, _ = encode_corpus(train, checkpoint.source_tokenizer, checkpoint.target_tokenizer, False)
    validation = Validation(checkpoint, valid, flags.threads)
    orders = [random_stream(training.seed, ORDER_STREAM, epoch) for epoch in range(1, training.epochs + 1)]
    plans = [plan_batches(corpus, training.batch_size, order) for order in orders]
    total, step, seconds = sum(map(len, plans)), 0, 0.0
    initial = initialize(config, random_stream(training.seed, INITIAL_STREAM))

    def start(form: str) -> tuple[Network, torch.optim.Optimizer]:
        network = Network(config, form)
        weights = {name: torch.tensor(value) for name, value in initial.items()}
        if config.tie_embeddings:
            weights["decoder.fc_out.weight"] = weights["decoder.embedding.weight"]
        network.load_state_dict(weights, strict=True)
        return network, torch.optim.Adam(network.parameters(), lr=training.learning_rate, fused=True)

    def train_step(network: Network, optimizer: torch.optim.Optimizer, batch: dict[str, Any], rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        network(batch, training.label_smoothing).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip_norm, foreach=True)
        optimizer.step()

    trial = [prepare(make_batch(corpus, pairs)) for pairs in plans[0][:12]]
    times = {}
    for form in forms(config.cell):
        sides = start(form)
        for k, batch in enumerate(trial):
            if k == 2:  # the first steps are slower
                began = time.perf_counter()
            train_step(*sides, batch, training.learning_rate)
        times[form] = time.perf_counter() - began
    network, optimizer = start(min(times, key=times.__getitem__))
    for plan in plans:
        began = time.perf_counter()
        for pairs in plan:
            batch = prepare(make_batch(corpus, pairs))
            rate = training.learning_rate * cool_down_factor(step / total, training.cool_down)
            train_step(network, optimizer, batch, rate)
            step += 1
        seconds += time.perf_counter() - began
        for name, value in network.state_dict().items():
            if name in checkpoint.model.parameters:
                checkpoint.model.parameters[name][...] = value.numpy()
        yield Point(seconds, validation.score(checkpoint.model, len(valid)).bleu)


def train_joey(folder: Path, languages: list[str], flags: argparse.Namespace, kind: str) -> Iterator[Point]:
    """Train with Joey NMT until the time is up; the points are those of its log."""
    if flags.joey is None:
        raise SystemExit("--joey: name the Python of an environment with joeynmt==2.3.0")
    model = folder / f"joey-{kind}"
    prepare = (
        "import sentencepiece as s, sys; s.SentencePieceTrainer.train(input=sys.argv[1:3], model_prefix=sys.argv[3],"
    )
    prepare += "vocab_size=4000, character_coverage=1.0, model_type='bpe', unk_id=0, pad_id=1, bos_id=2, eos_id=3)"
    pieces = folder / "pieces"
    sides = [str(folder / f"train.{language}") for language in languages]
    subprocess.run([flags.joey, "-c", prepare, *sides, str(pieces)], check=True, capture_output=True)
    entries = [line.split("\t")[0] for line in Path(f"{pieces}.vocab").read_text(encoding="utf-8").splitlines()]
    (folder / "entries.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    settings = folder / f"joey-{kind}.yaml"
    settings.write_text(json.dumps(joey_settings(folder, languages, model, kind)), encoding="utf-8")  # JSON is YAML
    environ = {**os.environ, "OMP_NUM_THREADS": str(flags.threads), "MKL_NUM_THREADS": str(flags.threads)}
    command = [flags.joey, "-m", "joeynmt", "train", str(settings)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    first: datetime | None = None
    validating: datetime | None = None
    validations = 0.0
    for line in process.stdout:
        found = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})", line)
        if found is None:
            continue
        now = datetime.fromisoformat(f"{found[1]}.{found[2]}")
        result = re.search(r"Evaluation result .*bleu:\s*([\d.]+)", line)
        if first is None and line.rstrip().endswith("EPOCH 1"):
            first = now
        elif "- Predicting " in line:
            validating = now
        elif result and first and validating:
            validations += (now - validating).total_seconds()
            seconds = (now - first).total_seconds() - validations
            yield Point(seconds, float(result[1]))
            if seconds >= 60 * flags.minutes:
                break
    process.terminate()
    if process.wait() not in (0, -signal.SIGTERM):
        raise SystemExit(f"Joey NMT failed: {' '.join(command)}")


def joey_settings(folder: Path, languages: list[str], model: Path, kind: str) -> dict[str, Any]:
    """Return the settings of Joey NMT: its Transformer for small data, or its recurrent network with attention."""
    pieces = {"model_file": str(folder / "pieces.model")}
    side = {"level": "bpe", "voc_file": str(folder / "entries.txt"), "voc_limit": 100_000, "max_length": 100}
    side |= {"tokenizer_type": "sentencepiece", "tokenizer_cfg": pieces}
    symbols = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    ids = {"unk_id": 0, "pad_id": 1, "bos_id": 2, "eos_id": 3}
    embeddings = {"embedding_dim": 256, "scale": kind == "transformer", "dropout": 0.1}
    layer: dict[str, Any]
    if kind == "transformer":
        layer = {"type": "transformer", "num_layers": 3, "num_heads": 4, "hidden_size": 256, "ff_size": 1024}
        sides = [{**layer, "embeddings": embeddings, "dropout": 0.2, "layer_norm": "pre"}] * 2
    else:
        layer = {"type": "recurrent", "rnn_type": "gru", "num_layers": 1, "hidden_size": 256, "embeddings": embeddings}
        encoder = {**layer, "bidirectional": True, "dropout": 0.2}
        decoder = {**layer, "attention": "bahdanau", "init_hidden": "bridge", "hidden_dropout": 0.2, "dropout": 0.2}
        sides = [encoder, {**decoder, "input_feeding": True}]
    return {
        "name": kind,
        "joeynmt_version": "2.3.0",
        "model_dir": str(model),
        "use_cuda": False,
        "random_seed": 1,
        "data": {
            "train": str(folder / "train"),
            "dev": str(folder / "val"),
            "dataset_type": "plain",
            "src": {"lang": languages[0], **side},
            "trg": {"lang": languages[1], **side},
            "special_symbols": symbols | ids,
        },
        "testing": {
            "beam_size": 1,
            "batch_size": 2048,
            "batch_type": "token",
            "eval_metrics": ["bleu"],
            "sacrebleu_cfg": {"tokenize": "13a"},
        },
        "training": {
            "optimizer": "adam",
            "normalization": "tokens",
            "adam_betas": [0.9, 0.98] if kind == "transformer" else [0.9, 0.999],
            "scheduling": "warmupinversesquareroot",
            "learning_rate_warmup": 1000,
            "learning_rate": 0.001,
            "learning_rate_min": 0.0,
            "label_smoothing": 0.1,
            "loss": "crossentropy",
            "batch_size": 2048,
            "batch_type": "token",
            "early_stopping_metric": "bleu",
            "epochs": 1000,
            "validation_freq": JOEY_STEPS_BETWEEN_VALIDATIONS,
            "logging_freq": 50,
            "overwrite": True,
            "shuffle": True,
            "keep_best_ckpts": 1,
            "clip_grad_norm": 1.0,
        },
        "model": {
            "initializer": "xavier_uniform",
            "bias_initializer": "zeros",
            "embed_initializer": "xavier_uniform",
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": sides[0],
            "decoder": sides[1],
        },
    }


SYSTEMS = {
    "ours": lambda *given: train_ours(*given, plain=False),
    "plain": lambda *given: train_ours(*given, plain=True),
    "torch": train_torch,
    "transformer": lambda *given: train_joey(*given, kind="transformer"),
    "rnn": lambda *given: train_joey(*given, kind="rnn"),
}


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("folder", type=Path)
    flags.add_argument("--languages", default="de,en", help="endings of the files: source, target")
    flags.add_argument(
        "--systems", default="ours,plain,torch", help=f"of {', '.join(SYSTEMS)}; torch comes after plain"
    )
    flags.add_argument("--threads", type=int, default=usable_cores())
    flags.add_argument("--epochs", type=int, default=8, help="of ours, plain, and torch")
    flags.add_argument("--minutes", type=float, default=40.0, help="after which Joey NMT is stopped")
    flags.add_argument("--joey", default=None, help="a Python that has joeynmt==2.3.0")
    given = flags.parse_args()
    rows, curves = [], {}
    for system in given.systems.split(","):
        points = []
        for point in SYSTEMS[system](given.folder.resolve(), given.languages.split(","), given):
            points.append(point)
            print(f"{system}: {point.seconds / 60:.1f} minutes, BLEU {point.bleu:.1f}", file=sys.stderr, flush=True)
        reached = {score: next((p.seconds / 60 for p in points if p.bleu >= score), None) for score in SCORES}
        row = {"system": system, "minutes": points[-1].seconds / 60, "best BLEU": max(p.bleu for p in points)}
        rows.append(row | {f"to {score}": "–" if at is None else f"{at:.1f}" for score, at in reached.items()})
        curves[system] = points
    report(f"minutes of training until a validation BLEU, {given.threads} threads", rows, given, curves=curves)


if __name__ == "__main__":
    main()
