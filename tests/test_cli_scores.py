import pytest

from seq2seq_cli.cli.terminal import scores as module
from seq2seq_cli.cli.terminal.scores import say_remarks, score_lines
from seq2seq_cli.evaluation.evaluation import System
from tests.test_evaluation import BAD, GOOD, SOURCES, evaluation


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_table_fits_the_terminal(width, monkeypatch):
    monkeypatch.setattr(module, "width_of", lambda stream: width)
    for systems in ((("good.npz", GOOD),), (("good.npz", GOOD), ("bad.npz", BAD))):
        report = evaluation(*systems)
        if len(systems) > 1:
            report.compare()
        else:
            report.score(confidence=True)
        report.add_baselines([System("copy of the source", SOURCES)])
        report.add_lengths()
        report.add_examples(1)
        lines = score_lines(report)
        assert max(map(len, lines)) <= width
        assert any(line.startswith("copy of") for line in lines)
        assert "\n".join(lines).count("100.00 ± 0.00") == 2  # no number is folded


def test_a_star_marks_the_system_that_differs_and_not_the_one_that_does_not():
    report = evaluation(("good", GOOD), ("same", GOOD), ("bad", BAD))
    report.compare()
    rows = {line.split()[0]: line for line in score_lines(report) if line}
    assert "*" not in rows["good"]
    assert "*" not in rows["same"]
    assert rows["same"].count("1.000") == 3
    assert "*" in rows["bad"]


def test_bars_are_as_long_as_their_scores():
    report = evaluation(("bad", ["the cat sat on the mat", "nothing is right in these words", "we see the house"]))
    report.score(confidence=False)
    report.add_lengths()
    rows = [line.split() for line in score_lines(report) if "–" in line]
    scores = [float(row[2]) for row in rows]
    bars = [len(row[3]) if len(row) > 3 else 0 for row in rows]
    assert bars == [round(30 * score / max(scores)) for score in scores]
    assert bars[0] == 30


def test_remarks_name_their_system_where_there_are_several(capsys):
    report = evaluation(("good", GOOD), ("empty", ["", "", ""]))
    report.compare()
    say_remarks(report)
    said = capsys.readouterr().err
    assert "note: empty: BLEU is 0 because every translation is empty" in said
    assert "note: good" not in said


def test_the_last_lines_say_what_was_scored_and_how():
    report = evaluation(("good", GOOD))
    report.settings["models"] = ["./a.npz", "b.npz"]
    report.score(confidence=False)
    lines = score_lines(report)
    assert lines[-2].split(maxsplit=1) == ["data", "test.tsv, 3 sentences"]
    assert lines[-1].split(maxsplit=1) == ["with", "beam 5  models a.npz, b.npz"]
