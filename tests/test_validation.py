import math

import numpy as np
import pytest

from seq2seq_cli.config import Recipe, SearchConfig
from seq2seq_cli.evaluation.scores import corpus_bleu
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.training import validation
from seq2seq_cli.training.validation import Validation, validation_loss
from tests.test_trainer import make_trainer
from tests.test_translator import LINES, checkpoint

PAIRS = Corpus("valid", LINES, [line.upper() for line in LINES])


def test_a_score_is_that_of_the_translators_greedy_translations():
    made = checkpoint()
    score = Validation(made, PAIRS, 1).score(made.model, 100)
    hypotheses = Translator([made]).translate(LINES, SearchConfig(beam=1))
    assert score.bleu == corpus_bleu(hypotheses, PAIRS.targets)
    assert len(score.samples) == 3
    for source, reference, hypothesis in score.samples:
        assert (reference, hypothesis) == (source.upper(), hypotheses[LINES.index(source)])
    lengths = [len(source) for source, *_ in score.samples]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 1


def test_only_the_first_sentences_are_scored_if_there_are_more(monkeypatch):
    made = checkpoint()
    asked = []
    translate = Translator.translate
    monkeypatch.setattr(
        Translator, "translate", lambda self, texts, c: asked.append(texts) or translate(self, texts, c)
    )
    score = Validation(made, PAIRS, 1).score(made.model, 2)
    assert [list(texts) for texts in asked] == [LINES[:2]]
    assert {source for source, *_ in score.samples} <= set(LINES[:2])


def test_a_model_is_scored_that_is_not_the_checkpoints_and_with_its_limits():
    made, other = checkpoint(), checkpoint(1)
    made.recipe = Recipe.of(max_source_length=2)
    score = Validation(made, PAIRS, 1).score(other.model, 100)
    expected = Translator([other]).translate(LINES, SearchConfig(beam=1, max_source_length=2))
    assert {hypothesis for *_, hypothesis in score.samples} <= set(expected)
    assert score.bleu == corpus_bleu(expected, PAIRS.targets)


def test_the_number_of_threads_changes_nothing():
    made = checkpoint()
    assert Validation(made, PAIRS, 2).score(made.model, 100) == Validation(made, PAIRS, 1).score(made.model, 100)


def test_equal_translations_of_different_sentences_are_reported():
    made = checkpoint()
    made.model.parameters.flat[:] = 0  # for every input
    assert Validation(made, PAIRS, 1).score(made.model, 100).all_equal
    for sources, targets in ((["a"], ["A"]), (["a", "a"], ["A", "B"]), (["a", "b"], ["A", "A"])):
        assert not Validation(made, Corpus("few", sources, targets), 1).score(made.model, 100).all_equal
    made = checkpoint()
    assert not Validation(made, PAIRS, 1).score(made.model, 100).all_equal


def test_one_sentence_is_shown_once():
    made = checkpoint()
    assert len(Validation(made, Corpus("one", ["the cat"], ["LE CHAT"]), 1).score(made.model, 100).samples) == 1


def test_the_mean_loss_weighs_every_token_the_same(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path / "m.npz")
    whole = validation_loss(trainer.parallel)
    monkeypatch.setattr(validation, "VALIDATION_BATCH", 3)
    assert validation_loss(trainer.parallel) == pytest.approx(whole, rel=1e-5)
    assert validation_loss(trainer.parallel, max_tokens=8) == pytest.approx(whole, rel=1e-5)


def test_a_model_of_zeros_has_the_loss_of_guessing(tmp_path):
    trainer = make_trainer(tmp_path / "m.npz", label_smoothing=0.3)  # which is not in it, nor is dropout
    trainer.model.parameters.flat[:] = 0
    vocabulary = trainer.model.config.target_vocabulary
    assert validation_loss(trainer.parallel) == pytest.approx(math.log(vocabulary), rel=1e-6)
    assert np.isfinite(validation_loss(trainer.parallel))


def test_bleu_is_scored_with_the_tokenizer_of_the_recipe():
    made = checkpoint()
    hypotheses = Translator([made]).translate(LINES, SearchConfig(beam=1))
    for name in (None, "char"):
        made.recipe = Recipe.of(tokenize=name)
        expected = corpus_bleu(hypotheses, PAIRS.targets, tokenize=name or "13a")
        assert Validation(made, PAIRS, 1).score(made.model, 100).bleu == expected


def test_what_sacrebleu_warns_of_is_in_the_score(monkeypatch):
    made = checkpoint()
    many = Corpus("many", LINES * 40, LINES * 40)
    monkeypatch.setattr(Translator, "translate", lambda self, texts, config: [f"{text} ." for text in texts])
    assert "tokenized period" in Validation(made, many, 1).score(made.model, 1000).warnings[0]
