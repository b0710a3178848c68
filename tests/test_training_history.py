import json
import math

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation.training_history import training_curve, validation_curve
from tests.test_checkpoint import small_checkpoint


def test_a_log_that_was_cut_off_still_gives_its_training_loss():
    lines = [json.dumps({"step": k, "perplexity": 2.0}) for k in range(1, 500)]
    steps, losses = training_curve([*lines, '{"step": 500, "perpl'], "log.jsonl", small_checkpoint())
    assert len(steps) == 200
    assert steps[0] < steps[-1] < 500
    assert losses == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("line", ["[" * 100_000, '{"step": 1, "perplexity": 1' + "0" * 400 + "}", "3", '{"step": 1}'])
def test_lines_of_a_log_that_somebody_changed_are_skipped(line):
    curve = training_curve([line, '{"step": 2, "perplexity": 2.0}'], "log.jsonl", small_checkpoint())
    assert [values.tolist() for values in curve] == [[2.0], [math.log(2.0)]]


def test_the_log_of_another_training_is_refused_and_one_that_shares_a_validation_is_not():
    checkpoint = small_checkpoint()
    checkpoint.history = [{"step": 5, "seconds": 1.0, "valid_loss": 0.5, "valid_bleu": 2.0}]
    step, own, other = (
        json.dumps(record)
        for record in ({"step": 1, "perplexity": 2.0}, {"step": 5, "valid_loss": 0.5}, {"step": 5, "valid_loss": 0.6})
    )
    for log in ([step], [step, own], [step, own, other]):
        assert training_curve(log, "log.jsonl", checkpoint)[0].tolist() == [1.0]
    with pytest.raises(UserError, match="another training") as caught:
        training_curve([step, other], "log.jsonl", checkpoint)
    assert caught.value.where == "log.jsonl"


@pytest.mark.parametrize(("improved", "kept"), [([True, True, False], 1), ([True, False, True], 2), ([None] * 3, 0)])
def test_the_kept_model_is_the_last_improvement_whatever_decided_it(improved, kept):
    checkpoint = small_checkpoint()
    checkpoint.history = [
        {
            "step": k,
            "seconds": k,
            "valid_loss": 1.0 + k,
            "valid_bleu": 2.0,
            **({} if each is None else {"improved": each}),
        }
        for k, each in enumerate(improved)
    ]
    assert validation_curve("m.npz", checkpoint).kept == kept
