"""What Python users are promised: train and evaluate from a script, from a thread, and from a notebook."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import seq2seq_cli
from seq2seq_cli import Recipe, Translator, evaluate, train
from seq2seq_cli.training.events import StepReport, TrainingFinished, TrainingStarted, ValidationReport
from tests.conftest import WORDS, environment, write_pairs

SETTINGS = {"hidden_size": 8, "embedding_size": 8, "vocab_size": 60, "epochs": 2, "threads": 2}
SCRIPT = f"""
from seq2seq_cli import Recipe, Translator, evaluate, train
from seq2seq_cli.training.events import StepReport, TrainingFinished, ValidationReport

for event in train(Recipe.of(corpus="p.tsv", **{SETTINGS!r}), "m.npz"):
    if isinstance(event, ValidationReport):
        print(f"epoch {{event.epoch}}: loss {{event.valid_loss:.3f}}")
assert isinstance(event, TrainingFinished)
print(len(Translator.load("m.npz").translate(["red cat", "old dog"])), "translations")
print(evaluate(Translator.load("m.npz"), "p.tsv").scores[0].sentences, "sentences")
"""


def expected_output(pairs):
    return ["epoch 1: loss", "epoch 2: loss", "2 translations", f"{pairs} sentences"]


def train_here(folder):
    return list(train(Recipe.of(corpus=str(folder / "p.tsv"), **SETTINGS), folder / "m.npz"))


def test_a_plain_script_trains_translates_and_evaluates(tmp_path):
    pairs = len(write_pairs(tmp_path / "p.tsv").read_text(encoding="utf-8").splitlines())
    run = subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, env=environment(), capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stderr == b""
    lines = run.stdout.decode().splitlines()
    assert [line.startswith(start) for line, start in zip(lines, expected_output(pairs), strict=True)] == [True] * 4


def test_a_thread_trains_without_forking(tmp_path, monkeypatch):
    write_pairs(tmp_path / "p.tsv")
    monkeypatch.setattr("seq2seq_cli.inference.workers.WorkerPool._fork", lambda _: pytest.fail("forked"))
    found = []
    thread = threading.Thread(target=lambda: found.extend(train_here(tmp_path)))
    thread.start()
    thread.join()
    assert isinstance(found[-1], TrainingFinished)
    assert Translator([found[-1].checkpoint]).translate(["red cat"])


def test_a_notebook_trains_without_forking_and_its_progress_is_plain_text(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pairs = len(write_pairs(tmp_path / "p.tsv").read_text(encoding="utf-8").splitlines())
    no_fork = "import multiprocessing, os\nos.fork = None\n"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(no_fork + SCRIPT)])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[0].outputs
    assert {output.name for output in outputs} == {"stdout"}
    text = "".join(output.text for output in outputs)
    assert "\x1b" not in text
    assert [line.startswith(start) for line, start in zip(text.splitlines(), expected_output(pairs), strict=True)] == (
        [True] * 4
    )


def test_events_end_with_the_kept_model(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    events = train_here(tmp_path)
    started = next(event for event in events if isinstance(event, TrainingStarted))
    steps = [event for event in events if isinstance(event, StepReport)]
    assert len(steps) == started.total_steps
    *_, best = (event for event in events if isinstance(event, ValidationReport) and event.improved)
    finished = events[-1]
    assert isinstance(finished, TrainingFinished)
    assert finished.best == best
    assert finished.checkpoint.history[-1]["step"] == best.step


def test_closing_the_generator_saves_and_resuming_continues_to_the_same_weights(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    whole = train_here(tmp_path)[-1].checkpoint
    recipe = Recipe.of(corpus=str(tmp_path / "p.tsv"), **SETTINGS)
    events = train(recipe, tmp_path / "parts.npz")
    next(event for event in events if isinstance(event, StepReport) and event.step == 5)
    events.close()
    rest = list(train(recipe, tmp_path / "parts.npz", resume=True))
    assert (rest[-1].checkpoint.model.parameters.flat == whole.model.parameters.flat).all()


def test_evaluate_returns_scores_with_signatures(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    train_here(tmp_path)
    found = evaluate(Translator.load(tmp_path / "m.npz"), str(tmp_path / "p.tsv"), by_length=True)
    assert set(found.scores[0].values) == {"bleu", "chrf"}
    assert found.scores[0].signatures["bleu"].startswith("nrefs:1|case:mixed")
    assert sum(bucket.sentences for bucket in found.lengths[0]) == found.scores[0].sentences


def test_the_package_lists_what_it_offers_and_nothing_else():
    assert dir(seq2seq_cli) == sorted(seq2seq_cli.__all__)
    for name in seq2seq_cli.__all__:
        assert getattr(seq2seq_cli, name) is not None


def test_a_thread_pool_and_an_event_loop_share_a_translator(trained):
    translator = Translator.load(trained / "model.npz")
    texts = [f"{a} {b}" for a in WORDS for b in WORDS]
    expected = translator.translate(texts)
    with ThreadPoolExecutor(4) as pool:
        assert [found for (found,) in pool.map(lambda text: translator.translate([text]), texts)] == expected

    async def handle(text: str) -> str:
        return (await asyncio.to_thread(translator.translate, [text]))[0]

    async def handle_all() -> list[str]:
        return await asyncio.gather(*map(handle, texts))

    assert asyncio.run(handle_all()) == expected
