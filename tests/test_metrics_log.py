import io
import json
import math
import os
from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.training.events import record_of
from seq2seq_cli.training.metrics_log import MetricsLog, open_log
from tests.reports import step_report, validation_report

VALID = {"valid_loss": 1.0, "valid_bleu": 2.0}


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records)


def test_numbers_that_are_not_finite_are_null_in_the_log():
    file = io.StringIO()
    MetricsLog(file).write(step_report(1, perplexity=math.inf))
    assert json.loads(file.getvalue())["perplexity"] is None


def test_a_resumed_log_keeps_what_came_before_and_drops_the_rest(tmp_path):
    path = tmp_path / "log"
    path.write_text('{"step": 1}\n{"step": 2}\nnot json\n{"step": 3}\n{"st')
    with open_log(str(path), 2) as log:
        log.file.write('{"step": 3, "again": true}\n')
    assert path.read_text().splitlines() == ['{"step": 1}', '{"step": 2}', '{"step": 3, "again": true}']


def test_a_validation_that_was_saved_but_not_logged_is_added_and_the_reverse_is_dropped(tmp_path):
    path = tmp_path / "log"
    earlier, last = {"step": 4, **VALID}, {"step": 8, **VALID}
    steps = [{"step": step} for step in range(1, 9)]
    whole = lines(*steps[:4], earlier, *steps[4:], last)
    for logged, history, expected in (
        (whole, [earlier, last], whole),
        (whole.removesuffix(lines(last)), [earlier, last], whole),
        (whole, [earlier], whole.removesuffix(lines(last))),
    ):
        path.write_text(logged)
        with open_log(str(path), 8, history):
            pass
        assert path.read_text() == expected
    path.unlink()
    with open_log(str(path), 8, [earlier, last]):  # a log that begins here has no past
        pass
    assert path.read_text() == ""


def test_without_a_path_there_is_no_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_log(None, 3) as log:
        assert log is None
    assert list(tmp_path.iterdir()) == []


def test_every_report_is_a_line_at_once_and_a_validation_has_numbers_only(tmp_path):
    path = tmp_path / "log"
    with open_log(path) as log:
        log.write(step_report(1))
        assert json.loads(path.read_text()) == record_of(step_report(1))
        log.write(validation_report())
        assert json.loads(path.read_text().splitlines()[1]) == record_of(validation_report())
    assert "score" not in json.loads(path.read_text().splitlines()[1])


def test_a_resumed_log_that_is_not_there_begins_here(tmp_path):
    with open_log(tmp_path / "log", 5, [{"step": 5, **VALID}]) as log:
        log.write(step_report(6))
    assert [json.loads(line)["step"] for line in (tmp_path / "log").read_text().splitlines()] == [6]
    assert len(list(tmp_path.iterdir())) == 1


def test_the_log_of_an_earlier_training_is_backed_up(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(lines({"step": 1}))
    with open_log(str(path)) as log:
        log.write(step_report(1))
    assert (tmp_path / "log.previous.jsonl").read_text() == lines({"step": 1})
    assert json.loads(path.read_text())["step"] == 1
    with open_log(str(path)):
        pass
    assert len(list(tmp_path.iterdir())) == 3


def test_a_kill_while_the_log_is_truncated_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "log"
    path.write_text(lines({"step": 1}, {"step": 2}))

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", dies)
    with pytest.raises(KeyboardInterrupt), open_log(str(path), 1):
        pass
    assert path.read_text() == lines({"step": 1}, {"step": 2})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_the_log_is_explained():
    with pytest.raises(UserError, match="No space left") as caught, open_log("/dev/full") as log:
        log.write(step_report(1))
    assert caught.value.where == "/dev/full"


@pytest.mark.parametrize("other", ["my notes\n", "my notes", '{"step": 1}\nmy notes\n{"step": 2}\n', '{"steps": 1}\n'])
def test_resuming_backs_up_a_file_that_is_not_only_a_log(other, tmp_path):
    path = tmp_path / "log.txt"
    path.write_text(other)
    with open_log(str(path), 1):
        pass
    assert (tmp_path / "log.previous.txt").read_text() == other


@pytest.mark.parametrize("own", ["", '{"step": 1}\n', '{"step": 1}\n{"step": 2, "lo', '{"step": 1}\n{"st'])
def test_resuming_backs_up_no_log(own, tmp_path):
    (tmp_path / "log.txt").write_text(own)
    with open_log(str(tmp_path / "log.txt"), 1):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
