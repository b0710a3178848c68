import json
import subprocess
import sys

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation import corpus_bleu, corpus_scores, parse_metrics, scores_by_length

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
