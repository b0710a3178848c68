import json

import pytest
from typer.testing import CliRunner

from seq2seq_cli.cli import app
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.model import Seq2Seq
from tests.conftest import assert_explained


def test_every_gradient_is_listed_with_its_error_and_a_summary(cli):
    result = cli("gradcheck", "--cell", "gru", "--context", "initial", "--no-bidirectional")
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 0, result.stderr.decode()
    assert lines[0].split() == ["parameter", "shape", "error", "derived", "numeric"]
    assert [line.split()[0] for line in lines[1:-1]][:2] == ["encoder.embedding.weight", "encoder.rnn.weight_ih_l0"]
    assert lines[-1].startswith("all 12 gradients agree within 1e-06; worst: ")
    assert max(map(len, lines)) <= 80
    assert "gru, 1 layer, one direction, context initial" in result.stderr.decode()


def test_the_gate_of_a_lexical_prior_is_checked(cli):
    result = cli("gradcheck", "--cell", "rnn", "--context", "initial", "--no-bidirectional", "--lexical-prior")
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 0, result.stderr.decode()
    assert [line.split()[0] for line in lines[-3:-1]] == ["decoder.lexical_gate.weight", "decoder.lexical_gate.bias"]
    assert "context initial, lexical prior: " in result.stderr.decode()


def test_json_holds_settings_seed_and_every_error(cli):
    arguments = ("gradcheck", "--cell", "rnn", "--layers", "2", "--bidirectional", "--seed", "5", "--json")
    found = json.loads(cli(*arguments).stdout)
    assert found["passed"] is True
    assert (found["model"]["cell"], found["model"]["layers"], found["seed"]) == ("rnn", 2, 5)
    names = {parameter["name"] for parameter in found["parameters"]}
    assert {"encoder.rnn.weight_hh_l1_reverse", "decoder.readout.weight"} <= names
    assert all(0 < parameter["worst"] < found["tolerance"] == 1e-6 for parameter in found["parameters"])


def test_a_wrong_gradient_is_marked_named_and_ends_with_code_one(monkeypatch):
    right = Seq2Seq.loss_and_gradients

    def wrong(self, batch, gradients, **options):
        result = right(self, batch, gradients, **options)
        gradients["decoder.rnn.weight_hh_l0"][...] *= 2
        return result

    monkeypatch.setattr(Seq2Seq, "loss_and_gradients", wrong)
    result = CliRunner().invoke(app, ["gradcheck", "--cell", "rnn"])
    assert [line.split()[0] for line in result.stdout.splitlines() if "WRONG" in line] == ["decoder.rnn.weight_hh_l0"]
    assert "18 of 19 gradients agree" in result.stdout
    assert isinstance(result.exception, UserError)
    assert result.exception.exit_code == 1
    assert result.exception.where == "decoder.rnn.weight_hh_l0"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--cell", "lstn"), ("--cell", "rnn, lstm, gru")),
        (("--context", "first"), ("--context", "initial, every-step")),
        (("--layers", "0"), ("--layers",)),
        (("--layers", "5"), ("--layers", "from 1 to 4")),
        (("--seed", "-1"), ("--seed",)),
    ],
)
def test_wrong_settings_are_explained(cli, arguments, parts):
    assert_explained(cli("gradcheck", *arguments), 2, *parts)
