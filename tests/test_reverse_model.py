"""Reranking by a model of the reverse direction."""

import pytest

from seq2seq_cli.config import SearchConfig, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.reverse_model import ReverseModel
from seq2seq_cli.inference.scoring import Scorer
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import save_model
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
from tests.test_translator import LINES, checkpoint

WORDS = [f"{first}{second}{third}" for first in "bcdfg" for second in "aeiou" for third in "lmn"]


@pytest.fixture
def reverse(tmp_path):
    """A model with another vocabulary, in a file."""
    path = tmp_path / "reverse.npz"
    save_model(path, checkpoint(7, lines=[*LINES, "another line"], reverse_source=True))
    return str(path)


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_hypotheses_are_ranked_by_the_sum_of_both_models(weight, reverse):
    translator = Translator([checkpoint()])
    config = SearchConfig(beam=3, n_best=3, max_length=4, rerank=reverse, rerank_weight=weight)
    back = Scorer(Translator.load(reverse))
    for line, found in zip(LINES, translator.translate_n_best(LINES, config), strict=True):
        assert len(found) == 3
        for each in found:
            [score] = back.score([back.read(each.text, line)])
            normalized = each.log_probability / (len(each.ids) + 1)
            assert each.score == pytest.approx(normalized + weight * score.per_token, abs=1e-5)
        assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_the_best_of_both_need_not_be_among_the_best_of_the_search(reverse):
    translator = Translator([checkpoint()])
    plain, weighted = (
        translator.translate(LINES, SearchConfig(beam=3, max_length=4, rerank=reverse, rerank_weight=weight))
        for weight in (0.0, 10.0)
    )
    back = Scorer(Translator.load(reverse))

    def explained(translations):
        return [score.per_token for score in back.score(back.read(y, x) for y, x in zip(translations, LINES))]

    assert plain != weighted
    assert all(after >= before - 1e-5 for before, after in zip(explained(plain), explained(weighted), strict=True))


def test_workers_and_batches_change_nothing_and_blank_lines_stay_blank(reverse):
    config = SearchConfig(beam=3, max_length=4, rerank=reverse)
    lines = [*LINES, "", *LINES[::-1]] * 3
    translator = Translator([checkpoint()], threads=1)
    expected = translator.translate(lines, config)
    assert expected[4] == ""
    several = Translator([checkpoint()], threads=2)
    assert several.translate(lines, config) == expected
    several.workers.shut_down()
    small = SearchConfig(beam=3, max_length=4, rerank=reverse, batch_size=1)
    assert translator.translate(lines, small) == expected


def test_a_file_that_is_missing_is_explained_and_a_file_is_read_once(reverse, tmp_path, monkeypatch):
    translator = Translator([checkpoint()])
    with pytest.raises(UserError) as caught:
        translator.translate(LINES, SearchConfig(rerank=str(tmp_path / "none.npz")))
    assert str(tmp_path / "none.npz") in caught.value.where
    config = SearchConfig(rerank=reverse)
    first = translator.reverse_model(config)
    assert translator.reverse_model(config) is first


def test_coverage_is_the_share_of_the_whole_words_of_a_vocabulary_that_the_model_has_read():
    target = train_tokenizer(TokenizerConfig("word", 200), [" ".join(WORDS), "ab , 17"])  # too short, and no words
    made = checkpoint()
    made.training_vocabulary = TrainingVocabulary(9, frozenset(WORDS[:15]))
    assert ReverseModel(made).coverage(target) == 15 / len(WORDS)


def test_coverage_is_unknown_if_words_are():
    made = checkpoint()
    assert ReverseModel(made).coverage(made.target_tokenizer) is None  # it does not know its training words
    made.training_vocabulary = TrainingVocabulary(9, frozenset({"cat"}))
    assert ReverseModel(made).coverage(made.target_tokenizer) is None  # too few words in the vocabulary


def test_settings_that_do_not_go_together_are_refused():
    for settings, message in (
        ({"rerank": "m.npz", "beam": 1}, "--beam 1 keeps only one"),
        ({"rerank": "m.npz", "sample": True}, "--sample draws translations at random"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            SearchConfig(**settings)
        assert caught.value.exit_code == 2
