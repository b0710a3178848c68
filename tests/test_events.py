import json
import math

from seq2seq_cli.training.events import Score, StepReport, ValidationReport, record_of


def test_a_record_is_json_in_which_what_is_not_finite_is_null():
    report = StepReport(3, 1, 2.5, 7.0, math.inf, 100.0, 0.003, math.nan)
    record = json.loads(json.dumps(record_of(report), allow_nan=False))
    assert record["perplexity"] is None
    assert record["gradient_norm"] is None
    assert record["step"] == 3
    assert record["loss"] == 7.0


def test_a_record_of_a_validation_keeps_numbers_only():
    score = Score(4.0, (("a", "b", "c"),))
    record = record_of(ValidationReport(8, 1, 65.0, 1.5, 4.5, 4.0, 9.0, 0.003, True, score))
    assert "score" not in record
    assert record["valid_bleu"] == 4.0
    assert record["improved"] is True
