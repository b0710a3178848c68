import dataclasses

import pytest

from seq2seq_cli.config import UNLIMITED_EPOCHS, Recipe, setting_types
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.training.fit import ANCHORS, BUILTIN, fit_to_corpus, fit_to_text, fitted_values, planned_epochs

SIZES = [10, 2_999, 3_000, 3_001, 5_000, 9_999, 10_000, 20_000, 40_000, 99_000, 140_000, 10_000_000]


def test_measured_sizes_get_what_was_measured():
    for pairs, measured in ANCHORS.items():
        assert fitted_values(pairs) == pytest.approx(measured)


def test_every_value_lies_between_its_neighbors_and_small_and_large_corpora_get_those_of_the_ends():
    values = [fitted_values(pairs) for pairs in SIZES]
    for name in ANCHORS[3_000]:
        series = [each[name] for each in values]
        bounds = [each[name] for each in ANCHORS.values()]
        assert min(bounds) <= min(series) <= max(series) <= max(bounds)
        assert (series[0], series[-1]) == (bounds[0], bounds[-1])


@pytest.mark.parametrize("pairs", SIZES)
def test_a_few_pairs_more_change_nothing_much(pairs):
    here, there = fitted_values(pairs), fitted_values(pairs + 1 + pairs // 50)
    for name, value in here.items():
        assert abs(there[name] - value) <= {"vocab_size": 500, "hidden_size": 32, "batch_size": 16}.get(name, 2)


def test_a_fitted_recipe_returns_the_chosen_settings_and_they_do_not_count_as_given():
    recipe = Recipe.of(corpus="pairs.tsv", embedding_size=16)
    fitted, chosen = fit_to_corpus(recipe, 3_000)
    assert fitted.given == recipe.given
    assert fitted.settings() == {**recipe.settings(), **chosen}
    assert chosen.keys() <= setting_types().keys()
    assert chosen["lexical_prior"] is chosen["bigram_prior"] is chosen["pooled_context"] is True


@pytest.mark.parametrize(("name", "value"), [("hidden_size", 7), ("epochs", 2), ("lexical_prior", False)])
def test_what_was_given_is_not_chosen(name, value):
    fitted, chosen = fit_to_corpus(Recipe.of(**{name: value}), 3_000)
    assert name not in chosen
    assert fitted.settings()[name] == value


@pytest.mark.parametrize("limit", [{"max_steps": 5}, {"max_minutes": 0.5}])
def test_with_another_limit_there_is_none_of_epochs(limit):
    assert fit_to_corpus(Recipe.of(**limit), 1000)[0].training.epochs == UNLIMITED_EPOCHS
    assert fit_to_corpus(Recipe.of(epochs=2, **limit), 1000)[0].training.epochs == 2


def test_the_plain_network_of_the_tutorials_stays_plain():
    plain = Recipe.of(context="initial", bidirectional=False)
    fitted, chosen = fit_to_corpus(plain, 3_000)
    assert set(chosen) == {"epochs"}
    assert fitted.model == dataclasses.replace(plain.model)


def test_epochs_are_planned_by_the_time_that_one_takes():
    recipe, _ = fit_to_corpus(Recipe.of(corpus="pairs.tsv"), 3_000)
    assert planned_epochs(recipe, 3_000, 1.0) == recipe.training.epochs
    assert planned_epochs(recipe, 3_000, 22.0) == 25  # 10 minutes, with a few for validations
    assert planned_epochs(recipe, 3_000, 1e6) == recipe.training.epochs // 2  # fewer are worth little
    large, _ = fit_to_corpus(Recipe.of(corpus="pairs.tsv"), 140_000)
    assert planned_epochs(large, 140_000, 400.0) == 5  # 40 minutes
    for given in ({"epochs": 9}, {"max_steps": 10**9}, {"max_minutes": 1e3}):
        fitted, _ = fit_to_corpus(Recipe.of(**given), 3_000)
        assert planned_epochs(fitted, 3_000, 1e6) == fitted.training.epochs


def test_the_built_in_corpus_is_trained_on_for_a_few_minutes_only():
    settings = fit_to_corpus(Recipe(), 40_000)[0].settings()
    assert {name: settings[name] for name in BUILTIN} == BUILTIN
    assert fit_to_corpus(Recipe.of(epochs=9), 40_000)[0].training.epochs == 9


def test_without_a_lexical_prior_there_is_no_bigram_prior_unless_it_is_given():
    without = Recipe.of(lexical_prior=False)
    assert fit_to_corpus(without, 3_000)[0].model.bigram_prior is False
    both = Recipe.of(lexical_prior=False, bigram_prior=True)
    assert fit_to_corpus(both, 3_000)[0].model.bigram_prior is True


ZH = Corpus("c", ["I read."] * 4, ["我看书。", "你喝水。", "他用电脑。", "老师写信。"])
MANY = Corpus("c", ["I read."] * 3500, [chr(0x4E00 + k) for k in range(3500)])
EN = Corpus("c", ["我看书。"], ["I read."])


def test_the_tokenizer_for_bleu_suits_the_target():
    recipe, chosen, choice = fit_to_text(Recipe.of(corpus="c"), ZH)
    assert recipe.training.tokenize == chosen["tokenize"] == choice.name == "zh"
    assert recipe.given == {"corpus"}
    recipe, chosen, choice = fit_to_text(Recipe(), EN)
    assert (recipe, chosen, choice.reason) == (Recipe(), {}, "")  # as it always was
    recipe, chosen, choice = fit_to_text(Recipe.of(tokenize="intl"), ZH)
    assert (recipe.training.tokenize, chosen, choice) == ("intl", {}, None)


def test_vocabularies_cover_the_characters_of_the_corpus():
    recipe, chosen, _ = fit_to_text(fit_to_corpus(Recipe.of(corpus="c"), 3_000)[0], MANY)
    assert recipe.tokenizers.vocab_size == chosen["vocab_size"] == 5600
    plain = fit_to_corpus(Recipe.of(corpus="c", context="initial"), 3_000)[0]
    assert fit_to_text(plain, MANY)[1]["vocab_size"] == 4600
    assert "vocab_size" not in fit_to_text(Recipe.of(vocab_size=100), MANY)[1]
    assert "vocab_size" not in fit_to_text(Recipe.of(target_tokenizer="t.json"), MANY)[1]  # only English is learned
