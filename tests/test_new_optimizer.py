"""A new optimizer is one class and one entry: SGD with momentum, known only to this file, trains and resumes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from seq2seq_cli.cli import app
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.optimizers import OPTIMIZERS, Optimizer
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.storage.model_files import state_path
from tests.conftest import SMALL, write_pairs


class Momentum(Optimizer):
    """``v ← μ v + g``, ``θ ← θ − η v`` (Polyak 1964; ``torch.optim.SGD(momentum=μ)``)."""

    moment_names: ClassVar[tuple[str, ...]] = ("velocity",)
    momentum = 0.9

    def update(self, part, parameters, gradients, step, learning_rate, scale=1.0):
        velocity = self.moments()["velocity"][part]
        velocity *= self.momentum
        velocity += scale * gradients
        parameters -= learning_rate * velocity


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The one entry."""
    monkeypatch.setitem(OPTIMIZERS, "momentum", Momentum)


@pytest.fixture
def train(tmp_path):
    """Run the command in this process, where the optimizer is registered."""
    corpus = write_pairs(tmp_path / "pairs.tsv")

    def run(model, steps, *more):
        # --cool-down 0: otherwise the learning rate depends on where the training is planned to end
        arguments = ["train", corpus, "--valid", corpus, "-o", model, "--max-steps", steps, "--cool-down", 0, *SMALL]
        arguments += ["--optimizer", "momentum", "--learning-rate", 0.1, "--threads", 2, *more]
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, (result.output, result.exception)

    return run


def test_it_trains_and_resumes_bit_for_bit(train, tmp_path):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    train(whole, 30)
    train(parts, 13)
    train(parts, 30, "--resume")
    (expected, one), (found, other) = (load_state(state_path(path)) for path in (whole, parts))
    assert found.recipe.training.optimizer == "momentum"
    assert np.array_equal(found.model.parameters.flat, expected.model.parameters.flat)
    assert one.moments.keys() == other.moments.keys() == {"velocity"}
    assert abs(one.moments["velocity"]).max() > 0
    assert np.array_equal(one.moments["velocity"], other.moments["velocity"])
    losses = load_model(parts).measured("valid_loss")
    assert losses[-1] < losses[0]


def test_where_it_is_not_registered_its_training_is_refused_and_the_choices_are_listed(train, tmp_path, monkeypatch):
    train(tmp_path / "m.npz", 1)
    monkeypatch.delitem(OPTIMIZERS, "momentum")
    with pytest.raises(UserError, match="adam, sgd, not 'momentum'"):
        load_state(state_path(tmp_path / "m.npz"))
