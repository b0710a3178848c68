import pytest
import sacrebleu

from seq2seq_cli.cli.terminal import scores as module
from seq2seq_cli.cli.terminal.scores import say_remarks, score_lines
from seq2seq_cli.evaluation.evaluation import Evaluation, System
from seq2seq_cli.text.corpus import Corpus

SOURCES = ["a b c", "one two three four five six seven", "x y z w v u"]
REFERENCES = ["the cat sat on the mat", "there was a big old dog here", "we see the house by the sea"]
GOOD, BAD = REFERENCES, ["the cat", "a dog was here", "we see nothing at all by day"]


def reported(*systems, sources=SOURCES):
    named = [System(name, outputs) for name, outputs in systems]
    return Evaluation("test.tsv", sources, REFERENCES, named, {"beam": 5}, ["bleu", "chrf", "ter"])


def assert_fits(lines, report, width):
    """Check that lines fit a terminal, but for signatures: these are never broken, so that one can copy them."""
    signatures = [line for line in lines if "nrefs:" in line]
    assert max(len(line) for line in lines if line not in signatures) <= width
    for signature in report.scores[0].signatures.values():
        assert any(signature in line for line in signatures)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_table_fits_the_terminal(width, monkeypatch):
    monkeypatch.setattr(module, "width_of", lambda stream: width)
    for systems in ((("good.npz", GOOD),), (("good.npz", GOOD), ("bad.npz", BAD))):
        report = reported(*systems)
        if len(systems) > 1:
            report.compare()
        else:
            report.score(confidence=True)
        report.add_baselines([System("copy of the source", SOURCES)])
        report.add_lengths()
        report.add_examples(1)
        lines = score_lines(report)
        assert_fits(lines, report, width)
        assert any(line.startswith("copy of") for line in lines)
        assert "\n".join(lines).count("100.00 ± 0.00") == 2  # no number is folded


@pytest.mark.parametrize("width", [40, 80])
def test_the_table_of_several_test_sets_fits_the_terminal(width, monkeypatch):
    monkeypatch.setattr(module, "width_of", lambda stream: width)
    report = reported(("bad.npz", BAD))
    report.score(confidence=False)
    sets = {"whole": Corpus("test", SOURCES, REFERENCES), "everyday": Corpus("test", SOURCES[:1], REFERENCES[:1])}
    report.add_sets(sets, dict(zip(SOURCES, BAD)), confidence=False)
    lines = score_lines(report)
    assert_fits(lines, report, width)
    whole, everyday = report.sets.values()
    assert whole.values == report.scores[0].values
    assert everyday.sentences == 1
    assert [line.split()[1] for line in lines[1:3]] == [f"{s.values['bleu']:.2f}" for s in (whole, everyday)]


def test_a_star_marks_the_system_that_differs_and_not_the_one_that_does_not():
    report = reported(("good", GOOD), ("same", GOOD), ("bad", BAD))
    report.compare()
    rows = {line.split()[0]: line for line in score_lines(report) if line}
    assert "*" not in rows["good"]
    assert "*" not in rows["same"]
    assert rows["same"].count("1.000") == 3
    assert "*" in rows["bad"]


def test_bars_are_as_long_as_their_scores():
    report = reported(("bad", ["the cat sat on the mat", "nothing is right in these words", "we see the house"]))
    report.score(confidence=False)
    report.add_lengths()
    rows = [line.split() for line in score_lines(report) if "–" in line]
    scores = [float(row[2]) for row in rows]
    bars = [len(row[3]) if len(row) > 3 else 0 for row in rows]
    assert bars == [round(30 * score / 100) for score in scores]  # from 0 to 100, in every report


def test_without_sources_examples_have_none():
    report = reported(("bad", BAD), sources=[])
    report.score(confidence=False)
    report.add_examples(2)
    assert "source" not in report.examples["best"][0]
    assert [len(report.examples[name]) for name in ("best", "worst")] == [2, 1]


def test_json_of_several_has_no_score_of_its_own():
    report = reported(("good", GOOD), ("bad", BAD))
    report.compare()
    found = report.to_json()
    assert "bleu" not in found
    assert [system["name"] for system in found["systems"]] == ["good", "bad"]
    assert set(found["systems"][1]) == {"name", "bleu", "chrf", "ter", "confidence", "bootstrap_mean", "p_values"}


def test_remarks_name_their_system_where_there_are_several(capsys):
    report = reported(("good", GOOD), ("empty", ["", "", ""]))
    report.compare()
    say_remarks(report)
    said = capsys.readouterr().err
    assert "note: empty: BLEU is 0 because every translation is empty" in said
    assert "note: good" not in said


def test_bleu_comes_with_its_precisions_brevity_penalty_and_length_ratio():
    report = reported(("bad.npz", BAD))
    report.score(confidence=False)
    expected = sacrebleu.corpus_bleu(BAD, [REFERENCES])
    shown = " ".join(" ".join(score_lines(report)).split())
    precisions = " / ".join(f"{value:.1f}" for value in expected.precisions)
    ratio = expected.sys_len / expected.ref_len
    assert f"precisions {precisions}, brevity penalty {expected.bp:.3f}, length ratio {ratio:.3f}" in shown
    found = report.to_json()
    assert (found["precisions"], found["brevity_penalty"]) == (expected.precisions, expected.bp)
    assert found["length_ratio"] == ratio
