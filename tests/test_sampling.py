"""Ancestral sampling."""

import dataclasses

import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.inference.sampling import choose
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN
from tests.test_translator import LINES, checkpoint

SAMPLE = SearchConfig(sample=True, max_length=6)


def texts(found):
    return [[each.text for each in n_best] for n_best in found]


def drawn(translator, lines, config):
    return texts(translator.translate_n_best(lines, config))


def test_a_token_is_chosen_by_its_share_of_the_unit_interval():
    logits = np.array([[np.log(0.2), -np.inf, np.log(0.3), np.log(0.5)]] * 6)
    assert choose(logits + 7, np.array([0.0, 0.199, 0.201, 0.499, 0.501, 0.999999])).tolist() == [0, 0, 2, 2, 3, 3]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_first_token_is_drawn_with_its_probability_among_those_that_are_allowed(temperature):
    made = checkpoint()
    made.model.parameters.flat[:] /= 3
    translator = Translator([made])
    config = dataclasses.replace(SAMPLE, n_best=1000, max_length=1, temperature=temperature)
    counts = np.zeros(len(made.target_tokenizer))
    for each in next(translator.translate_n_best(["the cat"], config)):
        counts[(*each.ids, EOS)[0]] += 1
    source = translator.read("the cat").ids
    steps = [forced_decoding(translator.models, source, [token], BOS)[0] for token in range(len(counts))]
    expected = np.array([step.probability for step in steps]) ** (1 / temperature)
    expected[[UNKNOWN, BOS]] = 0
    expected /= expected.sum()
    deviation = np.sqrt(expected * (1 - expected) / 1000)
    assert (np.abs(counts / 1000 - expected) <= 4 * deviation).all()
    assert np.count_nonzero(counts) > 5


def test_a_low_temperature_gives_the_greedy_translation_and_a_high_one_another():
    translator = Translator([checkpoint()])
    greedy = [[each] for each in translator.translate(LINES, SearchConfig(beam=1, max_length=6))]
    assert drawn(translator, LINES, dataclasses.replace(SAMPLE, temperature=0.01)) == greedy
    assert drawn(translator, LINES, dataclasses.replace(SAMPLE, temperature=50.0)) != greedy


def test_the_same_seed_draws_the_same_and_another_one_others():
    config = dataclasses.replace(SAMPLE, n_best=4)
    first, again = (drawn(Translator([checkpoint()]), LINES, config) for _ in range(2))
    assert first == again
    assert first != drawn(Translator([checkpoint()]), LINES, dataclasses.replace(config, seed=2))


@pytest.mark.parametrize("changes", [{"batch_size": 1}, {"batch_size": 3}, {"max_tokens_per_batch": 8}])
def test_batches_and_order_change_nothing(changes):
    translator, config = Translator([checkpoint()]), dataclasses.replace(SAMPLE, n_best=3)
    lines = [f"the {word} sees" for word in ("cat", "dog", "bird", "house")] + LINES
    expected = drawn(translator, lines, config)
    assert drawn(translator, lines, dataclasses.replace(config, **changes)) == expected
    assert drawn(translator, lines[::-1], config) == expected[::-1]


def test_the_first_samples_are_the_same_however_many_are_drawn():
    translator = Translator([checkpoint()])
    hot = dataclasses.replace(SAMPLE, temperature=3.0)
    many = drawn(translator, LINES, dataclasses.replace(hot, n_best=100))  # in several rounds
    few = drawn(translator, LINES, dataclasses.replace(hot, n_best=2))
    assert [samples[:2] for samples in many] == few
    assert all(len(samples) == 100 for samples in many)
    assert all(len(set(samples)) > 10 for samples in many)


def test_suppressed_tokens_are_not_drawn_and_the_length_limit_holds():
    translator = Translator([checkpoint()])
    config = dataclasses.replace(SAMPLE, n_best=50, temperature=5.0)
    samples = [each for n_best in translator.translate_n_best(LINES, config) for each in n_best]
    assert not any({UNKNOWN, 1, 2} & set(each.ids) for each in samples)
    assert max(len(each.ids) for each in samples) == 6
    allowed = dataclasses.replace(config, allow_unknown=True)
    assert any(UNKNOWN in each.ids for n_best in translator.translate_n_best(LINES, allowed) for each in n_best)
    no_repeat = dataclasses.replace(config, no_repeat_ngram=1)
    for n_best in translator.translate_n_best(LINES, no_repeat):
        assert all(len(set(each.ids)) == len(each.ids) for each in n_best)


def test_an_ensemble_of_one_model_twice_draws_what_the_model_draws():
    config = dataclasses.replace(SAMPLE, n_best=5)
    one, two = (Translator([checkpoint()] * count) for count in (1, 2))
    assert drawn(one, LINES, config) == drawn(two, LINES, config)
    assert drawn(Translator([checkpoint(), checkpoint(1)]), LINES, config) != drawn(one, LINES, config)


def test_a_score_is_the_log_probability_normalized_by_length():
    config = dataclasses.replace(SAMPLE, n_best=3, length_penalty=0.5)
    for n_best in Translator([checkpoint()]).translate_n_best(LINES, config):
        for each in n_best:
            assert each.score == pytest.approx(each.log_probability / (len(each.ids) + 1) ** 0.5)


def test_blank_lines_stay_blank():
    assert drawn(Translator([checkpoint()]), ["", "the cat", " "], SAMPLE)[::2] == [[""], [""]]


def test_a_model_with_weights_that_are_no_numbers_is_explained():
    made = checkpoint()
    made.model.parameters.flat[:] = np.nan
    with pytest.raises(UserError, match="not finite"):
        Translator([made]).translate(LINES, SAMPLE)
