import itertools
import json
import subprocess
import sys

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation.scores import (
    compare,
    corpus_bleu,
    corpus_scores,
    length_buckets,
    parse_metrics,
    remarks,
    scores_by_length,
    sentence_scores,
)

HYPOTHESES = ["the cat sat on a mat .", "there is a dog", "", "hello, world!"] * 5
REFERENCES = ["the cat sat on the mat .", "there was a big dog", "yes", "hello world!"] * 5


def test_scores_and_signatures_equal_the_sacrebleu_command(tmp_path):
    (tmp_path / "hyp").write_text("\n".join(HYPOTHESES) + "\n")
    (tmp_path / "ref").write_text("\n".join(REFERENCES) + "\n")
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", "hyp", "-m", "bleu", "chrf", "ter", "-w", "12"]
    printed = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True).stdout)
    scores = corpus_scores(HYPOTHESES, REFERENCES, ["bleu", "chrf", "ter"])
    for name, theirs in zip(("bleu", "chrf", "ter"), printed):
        assert round(scores.values[name], 12) == theirs["score"]
        assert scores.signatures[name] == theirs["signature"]


def sacrebleu(folder, *arguments):
    """What the sacrebleu command prints as JSON."""
    command = [sys.executable, "-m", "sacrebleu", *arguments, "-w", "12"]
    return json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout)


OTHERS = ["the cat sat on the mat .", "there is a big dog", "no", "hello world"] * 5


def test_comparisons_equal_the_sacrebleu_commands(tmp_path):
    for name, lines in (("a", HYPOTHESES), ("b", OTHERS), ("ref", REFERENCES)):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    # Of chrF and TER, sacreBLEU 2.6 cannot write the comparison as JSON.
    printed = sacrebleu(tmp_path, "ref", "-i", "a", "b", "-m", "bleu", "--paired-bs", "--format", "json")
    names = ("bleu", "chrf", "ter")
    found = compare([HYPOTHESES, OTHERS], REFERENCES, names)
    for theirs, ours in zip(printed, found):
        expected = theirs["BLEU"]
        assert (ours.values["bleu"], ours.intervals["bleu"]) == (expected["score"], expected["ci"])
        assert ours.means["bleu"] == expected["mean"]
        assert ours.p_values.get("bleu") == expected["p_value"]
    assert set(found[1].p_values) == set(names)
    for ours, lines in zip(found, (HYPOTHESES, OTHERS)):
        alone = corpus_scores(lines, REFERENCES, names, confidence=True)
        assert ours.values == alone.values
        assert ours.intervals == pytest.approx(alone.intervals, rel=1e-6)
        assert "|bs:1000|seed:12345|" in ours.signatures["ter"]


def test_confidence_equals_the_sacrebleu_commands(tmp_path):
    (tmp_path / "hyp").write_text("\n".join(HYPOTHESES) + "\n")
    (tmp_path / "ref").write_text("\n".join(REFERENCES) + "\n")
    printed = sacrebleu(tmp_path, "ref", "-i", "hyp", "-m", "bleu", "chrf", "ter", "--confidence")
    scores = corpus_scores(HYPOTHESES, REFERENCES, ["bleu", "chrf", "ter"], confidence=True)
    for name, theirs in zip(("bleu", "chrf", "ter"), printed):
        assert round(scores.intervals[name], 12) == theirs["confidence_var"]
        assert round(scores.means[name], 12) == theirs["confidence_mean"]
        assert scores.signatures[name] == theirs["signature"]


def test_a_system_does_not_differ_from_itself_and_a_bad_one_does():
    bad = ["something else entirely"] * len(REFERENCES)
    first, same, other = compare([HYPOTHESES, HYPOTHESES, bad], REFERENCES, ["chrf"])
    assert first.p_values == {}
    assert same.p_values["chrf"] == 1
    assert other.p_values["chrf"] < 0.05


def test_sentences_are_scored_one_by_one():
    scores = sentence_scores(["the cat", "", "a dog"], ["the cat", "yes", "the dog"])
    assert scores[0] == 100
    assert scores[1] == 0
    assert 0 < scores[2] < 100


@pytest.mark.parametrize(
    ("hypotheses", "references", "expected"),
    [
        (["one two three four"], ["one two three four"], ["the corpus has one sentence"]),
        (
            ["a b c d e f", "", " "],
            ["a b c d e f", "x", "y"],
            ["2 translations are empty (of 3; the first is sentence 2)"],
        ),
        (["", ""], ["a", "b"], ["2 translations are empty", "BLEU is 0 because every translation is empty"]),
        (
            ["x y z w v", "q r s t u"],
            ["1 2 3 4", "5 6 7 8"],
            ["BLEU is 0 because no word of any translation", "chrF2 is 0 because"],
        ),
        (["le chat", "un chien"], ["le chat", "un chien"], ["BLEU is 0 because no translation has four words"]),
        (
            ["the the the the"] * 3,
            ["the cat the dog", "x y", "z"],
            ["all translations are the same: 'the the the the'"],
        ),
        (["one two three four", "a"], ["one two three four five six", "a b c"], ["BLEU is multiplied by"]),
        (HYPOTHESES[:2] * 2, REFERENCES[:2] * 2, []),
    ],
)
def test_scores_that_mislead_are_explained_in_words(hypotheses, references, expected):
    found = remarks(hypotheses, references, corpus_scores(hypotheses, references))
    assert len(found) == len(expected), found
    for remark, part in zip(found, expected):
        assert part in remark


def test_confidence_intervals_are_sacrebleus_and_do_not_change_the_score():
    plain = corpus_scores(HYPOTHESES, REFERENCES)
    scores = corpus_scores(HYPOTHESES, REFERENCES, confidence=True)
    assert scores.values == plain.values
    assert 0 < scores.intervals["bleu"] < 100
    assert "bs:1000" in scores.signatures["bleu"]


def test_by_length_counts_every_sentence_once():
    sources = ["one two"] * 4 + ["w " * 8] * 7 + ["w " * 30] * 9
    buckets = scores_by_length(sources, HYPOTHESES, REFERENCES)
    assert [(bucket.label, bucket.sentences) for bucket in buckets] == [("1–5", 4), ("6–10", 7), ("21+", 9)]
    assert buckets[0].bleu == corpus_bleu(HYPOTHESES[:4], REFERENCES[:4])


def test_a_perfect_translation_scores_a_hundred():
    assert corpus_bleu(REFERENCES, REFERENCES) == pytest.approx(100)


def test_nothing_and_unequal_sides_are_errors():
    with pytest.raises(UserError, match="1 hypotheses and 2 references"):
        corpus_scores(["a"], ["a", "b"])
    with pytest.raises(UserError, match="nothing to score"):
        corpus_scores([], [])


def test_metrics_are_parsed():
    assert parse_metrics(" BLEU,ter,bleu") == ["bleu", "ter"]
    for wrong in ("meteor", "", "bleu,x"):
        with pytest.raises(UserError) as caught:
            parse_metrics(wrong)
        assert caught.value.exit_code == 2


def test_lengths_are_grouped_by_fives_up_to_the_longest_sentence():
    assert [bucket[0] for bucket in length_buckets(["a", "a b c d e f"])] == [1, 6, 51]
    assert len(length_buckets(["a " * 200])) == 11
    buckets = length_buckets(["a " * 200])
    assert all(high + 1 == low for (_, high), (low, _) in itertools.pairwise(buckets))


FURTHER = ["a cat sat on the mat .", "there is a dog here", "no", "hello, world"] * 5


def test_several_references_equal_the_sacrebleu_commands_to_the_last_digit(tmp_path):
    for name, lines in (("h", HYPOTHESES), ("r1", REFERENCES), ("r2", FURTHER), ("r3", OTHERS)):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    names = ("bleu", "chrf", "chrf++", "ter")
    found = corpus_scores(HYPOTHESES, [REFERENCES, FURTHER, OTHERS], names)
    printed = sacrebleu(tmp_path, "r1", "r2", "r3", "-i", "h", "-m", "bleu", "chrf", "ter")
    plus = sacrebleu(tmp_path, "r1", "r2", "r3", "-i", "h", "-m", "chrf", "--chrf-word-order", "2")
    for name, theirs in zip(names, [*printed[:2], plus, printed[2]]):
        assert round(found.values[name], 12) == theirs["score"]
        assert found.signatures[name] == theirs["signature"]
        assert "nrefs:3" in theirs["signature"]
    confident = corpus_scores(HYPOTHESES, [REFERENCES, FURTHER, OTHERS], names, confidence=True)
    assert confident.values == found.values
    one, other = compare([HYPOTHESES, OTHERS], [REFERENCES, FURTHER, OTHERS], names)
    assert one.values == found.values
    assert one.intervals == pytest.approx(confident.intervals, rel=1e-6)
    assert other.values["chrf"] == 100


def test_a_sentence_may_have_fewer_references():
    from sacrebleu.metrics.bleu import BLEU

    second = [*FURTHER[:4], *[None] * 16]
    scores = corpus_scores(HYPOTHESES, [REFERENCES, second], ["bleu"])
    assert scores.values["bleu"] == BLEU().corpus_score(HYPOTHESES, [REFERENCES, second]).score
    assert "nrefs:var" in scores.signatures["bleu"]
    assert sentence_scores(HYPOTHESES[:1], [["x"], [HYPOTHESES[0]]]) == [100]
    with pytest.raises(UserError, match="20 hypotheses and 1 references in list 2 of 2"):
        corpus_scores(HYPOTHESES, [REFERENCES, ["a"]])


CHINESE = ["我的朋友今天在家里看书。", "老师用 iPhone 看新闻。", "你喝水！"]
CHINESE_OUTPUT = ["我的朋友今天在学校看书。", "老师用 iPhone 看报纸。", "我喝水！"]


@pytest.mark.parametrize("name", ["13a", "intl", "zh", "char", "none"])
def test_every_tokenizer_equals_the_sacrebleu_command(tmp_path, name):
    (tmp_path / "h").write_text("\n".join(CHINESE_OUTPUT) + "\n", encoding="utf-8")
    (tmp_path / "r").write_text("\n".join(CHINESE) + "\n", encoding="utf-8")
    theirs = sacrebleu(tmp_path, "r", "-i", "h", "-m", "bleu", "-tok", name)
    scores = corpus_scores(CHINESE_OUTPUT, CHINESE, ["bleu"], tokenize=name)
    assert round(scores.values["bleu"], 12) == theirs["score"]
    assert scores.signatures["bleu"] == theirs["signature"]
    assert f"tok:{name}" in theirs["signature"]


def test_a_score_of_languages_without_spaces_is_explained():
    scores = corpus_scores(CHINESE_OUTPUT, CHINESE, ["bleu", "ter"])
    found = remarks(["猫"] * 3, CHINESE, corpus_scores(["猫"] * 3, CHINESE, ["bleu", "chrf++", "ter"]))
    assert any("BLEU is 0 because its tokenizer 13a needs spaces between words" in text for text in found)
    assert any(text.startswith("chrF2++ and TER: sacreBLEU counts words between spaces here") for text in found)
    assert any(text.startswith("TER: ") for text in remarks(CHINESE_OUTPUT, CHINESE, scores))
    short = corpus_scores(["你好", "你"], ["你好", "我"], ["bleu"], tokenize="zh")
    assert remarks(["你好", "你"], ["你好", "我"], short, "zh")[0].startswith(
        "BLEU is 0 because no translation has four tok"
    )
    assert remarks(CHINESE_OUTPUT, CHINESE, corpus_scores(CHINESE_OUTPUT, CHINESE, tokenize="zh"), "zh") == []


def test_lengths_of_sources_without_spaces_are_characters():
    buckets = scores_by_length(CHINESE, CHINESE_OUTPUT, CHINESE, tokenize="zh")
    assert [(bucket.label, bucket.sentences, bucket.unit) for bucket in buckets] == [
        ("1–10", 2, "characters"),
        ("11–20", 1, "characters"),
    ]
    assert buckets[0].bleu == corpus_bleu(CHINESE_OUTPUT[1:], CHINESE[1:], tokenize="zh") > 0
    assert length_buckets(CHINESE) == [(1, 10), (11, 20), (101, 1 << 30)]
    assert scores_by_length(["a b", "c", "d"], CHINESE_OUTPUT, [CHINESE, CHINESE], tokenize="zh")[0].unit == "words"
