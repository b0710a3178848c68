"""Random models of many recipes, and their greedy translations: what an exported model must repeat."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from seq2seq_cli.config import ModelConfig, Recipe, SearchConfig
from seq2seq_cli.inference.prepared_decoder import prepare_decoder
from seq2seq_cli.inference.search import search
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.members import build_model
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.storage.export import plan_export, write_export
from seq2seq_cli.text.tokenizer import BOS, EOS, SPECIALS, UNKNOWN, WordTokenizer, finish_source

SENTENCES = 200
SOURCE_WORDS, TARGET_WORDS = 24, 31
BOTH = {"lexical_prior": True, "bigram_prior": True}
RECIPES: dict[str, dict[str, object]] = {
    "plain lstm": {"bidirectional": False, "context": "initial"},
    "plain rnn": {"cell": "rnn", "bidirectional": False, "context": "initial", "tie_embeddings": False},
    "lstm": {},
    "gru": {"cell": "gru"},
    "rnn, both directions in the initial state": {"cell": "rnn", "context": "initial"},
    "gru, 3 layers, reversed": {"cell": "gru", "layers": 3, "reverse_source": True},
    "lstm, 2 layers, one direction, untied": {"layers": 2, "bidirectional": False, "tie_embeddings": False},
    "lstm, 2 layers, pooled context": {"layers": 2, "pooled_context": True},
    "gru, one direction, pooled context": {"cell": "gru", "bidirectional": False, "pooled_context": True},
    "lstm, lexical prior": {"lexical_prior": True},
    "gru, bigram prior, reversed": {"cell": "gru", "bigram_prior": True, "reverse_source": True},
    "lstm, both priors": {"layers": 2, **BOTH},
    "rnn, initial state only, both priors": {"cell": "rnn", "context": "initial", "embedding_size": 12, **BOTH},
    "2 networks": {"cell": "gru", "members": 2},
    "3 networks, 2 layers, both priors": {"members": 3, "layers": 2, "pooled_context": True, **BOTH},
}


def random_checkpoint(name: str, seed: int = 3) -> Checkpoint:
    """A model of one of the recipes with random weights in float32, none of them zero."""
    sizes = {"embedding_size": 16, "hidden_size": 12 if "context" not in RECIPES[name] else 16, "dropout": 0.0}
    config = ModelConfig(SOURCE_WORDS + 3, TARGET_WORDS + 3, **(sizes | RECIPES[name]))  # type: ignore[arg-type]
    double = random_model(config, seed)
    model = build_model(config, double.parameters.astype(np.float32), double.tables)
    tokenizers = [WordTokenizer([*SPECIALS, *(f" w{k}" for k in range(n))]) for n in (SOURCE_WORDS, TARGET_WORDS)]
    return Checkpoint(model, *tokenizers, Recipe(model=config))


def random_ids(seed: int = 4) -> list[list[int]]:
    """Source sentences of 0 to 14 token ids, EOS not included."""
    generator = random.Random(seed)
    return [[generator.randrange(SOURCE_WORDS + 3) for _ in range(k % 15)] for k in range(SENTENCES)]


def greedy(checkpoint: Checkpoint, sentences: list[list[int]]) -> list[list[int]]:
    """Our own translations, as token ids."""
    decoders = [prepare_decoder(member) for member in checkpoint.model.members]
    reverse = checkpoint.model.config.reverse_source
    sources = [finish_source(ids, reverse) for ids in sentences if ids]
    found = iter(search(decoders, sources, SearchConfig(beam=1), BOS, EOS, (UNKNOWN,)))
    return [list(next(found)[0].tokens) if ids else [] for ids in sentences]


def export(kind: str, checkpoint: Checkpoint, folder: Path, name: str = "model") -> ModuleType:
    """Export a model; return the script that was written beside it, imported."""
    output = folder / f"{name}.{'pt' if kind == 'torch' else 'onnx'}"
    planned = plan_export(kind, output, folder / "model.npz")
    write_export(kind, planned, checkpoint)
    spec = importlib.util.spec_from_file_location(planned.script.stem, planned.script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.pop(planned.script.stem, None)
    spec.loader.exec_module(module)
    return module
