"""A model and a training state that the first version wrote: they load, translate and resume.

``tests/reference/version1/`` is what that version made of its ``pairs.tsv`` with ``--cell gru --embedding-size 8
--hidden-size 8 --tokenizer word --batch-size 16 --dropout 0.1 --epochs 6 --seed 3 --threads 1 --max-steps 13``; the
numbers below are those of its own ``--resume --max-steps 30 --threads 1``.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from seq2seq_cli.config import Recipe
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.training.events import StepReport, TrainingStarted, ValidationReport
from seq2seq_cli.training.run import train
from tests.conftest import run_cli

FOLDER = Path(__file__).parent / "reference" / "version1"
MODEL, STATE, PAIRS = "version1.npz", "version1.state.npz", "pairs.tsv"


@pytest.fixture
def folder(tmp_path):
    for name in (MODEL, STATE, PAIRS):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_the_model_loads_with_its_settings_and_history():
    loaded = load_model(FOLDER / MODEL)
    settings = loaded.recipe.settings()
    expected = {
        "cell": "gru",
        "embedding_size": 8,
        "hidden_size": 8,
        "tokenizer": "word",
        "batch_size": 16,
        "dropout": 0.1,
        "epochs": 6,
        "seed": 3,
        "max_steps": 13,
    }
    assert {name: settings.get(name) for name in expected} == expected
    assert loaded.source_tokenizer.kind == loaded.target_tokenizer.kind == "word"
    assert loaded.model.config.source_vocabulary == len(loaded.source_tokenizer)
    assert loaded.history
    assert loaded.measured("valid_loss")
    assert np.isfinite(loaded.model.parameters.flat).all()


def test_the_training_state_loads_and_stands_at_step_13():
    checkpoint, state = load_state(FOLDER / STATE)
    assert state.progress["step"] == 13
    size = len(checkpoint.model.parameters.flat)
    assert {vector.shape for vector in state.moments.values()} == {(size,)}


def test_the_model_translates(folder):
    sources = [line.split("\t")[0] for line in (folder / PAIRS).read_text(encoding="utf-8").splitlines()[:5]]
    found = Translator.load(folder / MODEL).translate(sources)
    assert len(found) == 5
    assert all(found)
    result = run_cli("translate", "-m", MODEL, *sources, cwd=folder)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.decode().splitlines() == found


def test_the_training_resumes_as_the_first_version_would_have_continued_it(folder):
    events = list(train(Recipe.of(corpus=str(folder / PAIRS), max_steps=30, threads=1), folder / MODEL, resume=True))
    (started,) = (event for event in events if isinstance(event, TrainingStarted))
    assert started.step == 13
    assert [event.step for event in events if isinstance(event, StepReport)] == list(range(14, 31))
    last = [event for event in events if isinstance(event, ValidationReport)][-1]
    assert last.step == 30
    assert last.valid_loss == pytest.approx(2.6366170372281754, rel=1e-4)
    assert last.valid_perplexity == pytest.approx(13.965877557882036, rel=1e-4)
    weights = load_model(folder / MODEL).model.parameters
    for name, total in (("decoder.rnn.weight_ih_l0", 131.3714), ("decoder.rnn.weight_hh_l0", 55.3484)):
        assert float(np.abs(weights[name]).sum(dtype=np.float64)) == pytest.approx(total, rel=1e-4), name


def test_the_command_line_resumes_it_too(folder):
    result = run_cli("train", PAIRS, "-o", MODEL, "--resume", "--max-steps", "30", "--threads", "1", cwd=folder)
    assert result.returncode == 0, result.stderr.decode()
    last = load_model(folder / MODEL).history[-1]
    assert last["step"] == 30
    assert last["valid_loss"] == pytest.approx(2.6366170372281754, rel=1e-4)
