import json

import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation.baselines import nearest_translations
from seq2seq_cli.evaluation.evaluation import Evaluation, System, evaluate, read_test_corpus
from seq2seq_cli.evaluation.scores import compare, corpus_scores, scores_by_length, sentence_scores
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.text.builtin import BUILTIN, builtin_corpus
from seq2seq_cli.text.corpus import Corpus, read_corpus
from tests.test_translator import LINES, checkpoint

SOURCES = ["a b c", "one two three four five six seven", "x y z w v u"]
REFERENCES = ["the cat sat on the mat", "there was a big old dog here", "we see the house by the sea"]
GOOD, BAD = REFERENCES, ["the cat", "a dog was here", "we see nothing at all by day"]
METRICS = ["bleu", "chrf", "ter"]


def evaluation(*systems, sources=SOURCES):
    named = [System(name, outputs) for name, outputs in systems]
    return Evaluation("test.tsv", sources, REFERENCES, named, {"beam": 5}, METRICS)


def test_one_system_is_scored_with_signatures():
    found = evaluation(("bad", BAD))
    found.score(confidence=False)
    assert found.scores == [corpus_scores(BAD, REFERENCES, METRICS)]
    found.score(confidence=True)
    assert found.scores == [corpus_scores(BAD, REFERENCES, METRICS, True)]
    assert found.scores[0].intervals.keys() == set(METRICS)


def test_several_are_scored_and_tested_against_the_first():
    found = evaluation(("good", GOOD), ("bad", BAD))
    found.compare()
    assert found.scores == compare([GOOD, BAD], REFERENCES, METRICS)
    assert not found.scores[0].p_values
    assert found.scores[1].p_values.keys() == set(METRICS)


def test_lengths_are_those_of_the_sources_of_every_system():
    found = evaluation(("good", GOOD), ("bad", BAD))
    found.add_lengths()
    assert found.lengths == [scores_by_length(SOURCES, outputs, REFERENCES) for outputs in (GOOD, BAD)]


def test_baselines_are_scored_as_the_system_is():
    found = evaluation(("bad", BAD))
    copy = System("copy of the source", SOURCES)
    nearest = System("nearest", nearest_translations(Corpus("t", SOURCES, GOOD), SOURCES))
    found.add_baselines([copy, nearest])
    assert [system for system, _ in found.baselines] == [copy, nearest]
    assert found.baselines[0][1] == corpus_scores(SOURCES, REFERENCES, METRICS)
    assert found.baselines[1][1].values["chrf"] == 100


def test_case_is_ignored_in_everything_where_that_is_asked_for():
    shouted = [line.upper() for line in BAD]
    found = Evaluation("t", SOURCES, REFERENCES, [System("s", shouted)], {}, ["bleu", "chrf"], lowercase=True)
    found.score(False)
    found.add_lengths()
    found.add_baselines([System("b", shouted)])
    found.add_examples(1)
    expected = corpus_scores(BAD, REFERENCES, ["bleu", "chrf"], lowercase=True)
    assert found.scores[0] == found.baselines[0][1] == expected
    assert found.lengths == [scores_by_length(SOURCES, BAD, REFERENCES, lowercase=True)]
    assert found.examples["best"][0]["chrf"] == max(sentence_scores(BAD, REFERENCES, True))


def test_examples_are_the_best_and_the_worst_and_none_is_both():
    found = evaluation(("bad", BAD))
    found.add_examples(1)
    scores = sentence_scores(BAD, REFERENCES)
    best, worst = scores.index(max(scores)), scores.index(min(scores))
    for name, k in (("best", best), ("worst", worst)):
        assert found.examples[name] == [
            {
                "sentence": k + 1,
                "chrf": scores[k],
                "source": SOURCES[k],
                "reference": REFERENCES[k],
                "translation": BAD[k],
            }
        ]
    found.add_examples(9)
    assert [len(found.examples[name]) for name in ("best", "worst")] == [3, 0]


def test_without_sources_examples_have_none():
    found = evaluation(("bad", BAD), sources=[])
    found.score(confidence=False)
    found.add_examples(2)
    assert "source" not in found.examples["best"][0]
    assert [len(found.examples[name]) for name in ("best", "worst")] == [2, 1]


def test_json_of_one_system_is_flat_and_at_full_precision():
    found = evaluation(("bad", BAD))
    found.score(confidence=True)
    found.add_lengths()
    found.add_baselines([System("copy", SOURCES)])
    found.add_examples(1)
    result = json.loads(json.dumps(found.to_json()))
    scores = found.scores[0]
    assert {name: result[name] for name in METRICS} == scores.values
    assert result["confidence"] == scores.intervals
    assert result["bootstrap_mean"] == scores.means
    assert result["brevity_penalty"] == scores.brevity_penalty
    assert (result["sentences"], result["corpus"], result["beam"]) == (3, "test.tsv", 5)
    assert result["signatures"] == scores.signatures
    assert [each["words"] for each in result["by_length"]] == [bucket.label for bucket in found.lengths[0]]
    assert sum(each["sentences"] for each in result["by_length"]) == 3
    assert result["baselines"][0]["name"] == "copy"
    assert result["baselines"][0]["chrf"] == found.baselines[0][1].values["chrf"]
    assert result["examples"] == found.examples


def test_json_of_several_has_no_score_of_its_own():
    found = evaluation(("good", GOOD), ("bad", BAD))
    found.compare()
    result = json.loads(json.dumps(found.to_json()))
    assert "bleu" not in result
    assert [system["name"] for system in result["systems"]] == ["good", "bad"]
    assert set(result["systems"][1]) == {"name", "bleu", "chrf", "ter", "confidence", "bootstrap_mean", "p_values"}
    found.add_lengths()
    result = found.to_json()
    assert [sum(each["sentences"] for each in system["by_length"]) for system in result["systems"]] == [3, 3]


TEST = Corpus("test", LINES, [f"{line} indeed" for line in LINES])


def test_evaluate_scores_the_translations_of_a_corpus(tmp_path):
    translator, config = Translator([checkpoint()]), SearchConfig(beam=2)
    found = evaluate(translator, TEST, config, metrics=METRICS, confidence=True, by_length=True)
    outputs = translator.translate(LINES, config)
    assert found.systems == [System("", outputs)]
    assert found.scores == [corpus_scores(outputs, list(TEST.targets), METRICS, True)]
    assert found.lengths == [scores_by_length(LINES, outputs, list(TEST.targets))]
    assert (found.data, found.settings) == ("test", {"beam": 2})
    path = tmp_path / "t.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(TEST.sources, TEST.targets)))
    by_name = evaluate(translator, str(path), config)
    assert by_name.data == str(path)
    assert by_name.scores == [corpus_scores(outputs, list(TEST.targets), ["bleu", "chrf"])]
    assert by_name.lengths == []


class Echo:
    """Stands for anything that translates."""

    corpora = (BUILTIN,)

    def translate(self, texts, config=None):
        assert config is None
        return [text.upper() for text in texts]


def test_anything_that_translates_can_be_evaluated():
    shouted = Corpus("test", LINES, [line.upper() for line in LINES])
    assert evaluate(Echo(), shouted).scores[0].values["chrf"] == 100
    assert evaluate(Echo(), Corpus("test", LINES, LINES), lowercase=True).scores[0].values["chrf"] == 100


def test_the_built_in_test_set_goes_only_with_the_built_in_corpus():
    expected = read_corpus(builtin_corpus("test"))
    for trained_on in ([], [BUILTIN], [BUILTIN, BUILTIN]):
        assert list(read_test_corpus(None, trained_on).sources) == list(expected.sources)
    with pytest.raises(UserError, match="not trained on the built-in corpus") as caught:
        read_test_corpus(None, [BUILTIN, "pairs.tsv"])
    assert caught.value.exit_code == 2
    assert "pairs.tsv" in caught.value.where
    with pytest.raises(UserError, match="not trained on the built-in corpus"):
        evaluate(Translator([checkpoint()]))


def test_a_corpus_with_a_name_is_read_whatever_the_model_was_trained_on(tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\n")
    assert list(read_test_corpus(str(tmp_path / "t.tsv"), ["other.tsv"]).targets) == ["b"]
