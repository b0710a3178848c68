import json
import math

import pytest

from seq2seq_cli.evaluation.training_history import training_curve, validation_curve
from tests.test_checkpoint import small_checkpoint


def test_a_log_that_was_cut_off_still_gives_its_training_loss():
    lines = [json.dumps({"step": k, "perplexity": 2.0}) for k in range(1, 500)]
    steps, losses = training_curve([*lines, '{"step": 500, "perpl'], "log.jsonl")
    assert len(steps) == 200
    assert steps[0] < steps[-1] < 500
    assert losses == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("line", ["[" * 100_000, '{"step": 1, "perplexity": 1' + "0" * 400 + "}", "3", '{"step": 1}'])
def test_lines_of_a_log_that_somebody_changed_are_skipped(line):
    curve = training_curve([line, '{"step": 2, "perplexity": 2.0}'], "log.jsonl")
    assert [values.tolist() for values in curve] == [[2.0], [math.log(2.0)]]


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
