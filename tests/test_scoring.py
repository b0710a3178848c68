"""Log-probabilities of given translations."""

import math

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference import scoring
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.inference.scoring import Pair, Scorer, plan_batches, token_log_probabilities
from seq2seq_cli.inference.translation import Source
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.text.reading import Reading
from tests.models import config_id, every_config
from tests.test_translator import LINES, checkpoint

BOS, EOS = 1, 2
SOURCES = [[3, 4, 3, 2], [5, 2], [6, 3, 4, 5, 2], [2]]
BOTH_PRIORS = {"lexical_prior": True, "bigram_prior": True}
TARGETS = [[4, 3], [], [3, 5, 5, 0], [5]]


def by_hand(model, source, target):
    """The log-probability of each token of a plain tanh network, one number after the other."""
    p = {name: np.asarray(value, np.float64) for name, value in model.parameters.items()}

    def step(side, embedded, h):
        w = {part: p[f"{side}.rnn.{part}_l0"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        return np.tanh(w["weight_ih"] @ embedded + w["bias_ih"] + w["weight_hh"] @ h + w["bias_hh"])

    h = np.zeros(p["encoder.rnn.weight_hh_l0"].shape[1])
    for token in source:
        h = step("encoder", p["encoder.embedding.weight"][token], h)
    found = []
    for previous, token in zip([BOS, *target], [*target, EOS]):
        h = step("decoder", p["decoder.embedding.weight"][previous], h)
        logits = p["decoder.fc_out.weight"] @ h + p["decoder.fc_out.bias"]
        found.append(logits[token] - math.log(sum(math.exp(z) for z in logits)))
    return found


def test_log_probabilities_are_those_computed_by_hand_in_float64():
    plain = {"cell": "rnn", "bidirectional": False, "context": "initial", "tie_embeddings": False}
    model = random_model(ModelConfig(7, 6, embedding_size=3, hidden_size=4, dropout=0.0, **plain))
    assert model.parameters.flat.dtype == np.float64
    found = token_log_probabilities([model], SOURCES, TARGETS)
    for source, target, each in zip(SOURCES, TARGETS, found, strict=True):
        np.testing.assert_allclose(each, by_hand(model, source, target), rtol=1e-12)


@pytest.mark.parametrize("config", [*every_config(), *every_config(**BOTH_PRIORS)][::3], ids=config_id)
def test_they_are_those_of_forced_decoding_for_every_network(config):
    model = random_model(config)
    for source, target, each in zip(SOURCES, TARGETS, token_log_probabilities([model], SOURCES, TARGETS), strict=True):
        expected = [choice.probability for choice in forced_decoding([model], source, [*target, EOS], BOS)]
        np.testing.assert_allclose(np.exp(each), expected, rtol=1e-9)


def test_several_models_have_the_mean_of_their_probabilities():
    config = ModelConfig(7, 6, embedding_size=3, hidden_size=4, lexical_prior=True, bigram_prior=True)
    models = [random_model(config, seed) for seed in (1, 2, 3)]
    parts = [token_log_probabilities([model], SOURCES, TARGETS) for model in models]
    for k, each in enumerate(token_log_probabilities(models, SOURCES, TARGETS)):
        np.testing.assert_allclose(each, np.log(np.mean([np.exp(part[k]) for part in parts], axis=0)), rtol=1e-9)


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("beam", [1, 4])
def test_a_translation_has_the_log_probability_with_which_the_search_found_it(members, beam):
    translator = Translator([checkpoint(members=members), checkpoint(4, members=members)])
    scorer = Scorer(translator)
    found = list(translator.translate_n_best(LINES, SearchConfig(beam=beam, n_best=beam)))
    pairs = [Pair(translator.read(line), each.ids) for line, n_best in zip(LINES, found) for each in n_best]
    expected = [each for n_best in found for each in n_best]
    for score, each in zip(scorer.score(pairs), expected, strict=True):
        assert score.log_probability == pytest.approx(each.log_probability, abs=1e-5)
        assert score.per_token == pytest.approx(each.score, abs=1e-5)
        assert score.tokens == len(each.ids) + 1


def test_samples_too_also_at_a_temperature_and_with_suppressed_tokens():
    translator = Translator([checkpoint()])
    config = SearchConfig(sample=True, n_best=3, temperature=2.0)
    for line, samples in zip(LINES, translator.translate_n_best(LINES, config), strict=True):
        pairs = [Pair(translator.read(line), each.ids) for each in samples]
        found = [score.log_probability for score in Scorer(translator).score(pairs)]
        assert found == pytest.approx([each.log_probability for each in samples], abs=1e-5)


def test_scores_come_in_order_whatever_the_batches_and_workers(monkeypatch):
    scorer = Scorer(Translator([checkpoint()]))
    pairs = [scorer.read(source, target) for source in LINES for target in LINES]
    one_by_one = [next(scorer.score([pair])).log_probability for pair in pairs]
    assert [score.log_probability for score in scorer.score(pairs)] == pytest.approx(one_by_one)
    monkeypatch.setattr(scoring, "BATCH", 3)
    several = Scorer(scorer.translator, threads=2)
    assert [score.log_probability for score in several.score(iter(pairs))] == pytest.approx(one_by_one)
    several.workers.shut_down()


def test_perplexity_is_the_exponential_of_the_negative_mean():
    scorer = Scorer(Translator([checkpoint()]))
    [score] = scorer.score([scorer.read("the cat", "a bird sings")])
    assert score.tokens == 4
    assert score.log_probability == pytest.approx(sum(score.token_log_probabilities))
    assert score.perplexity == pytest.approx(math.exp(-score.log_probability / 4))


def test_blank_pairs_have_no_tokens_and_targets_that_are_too_long_no_score(monkeypatch):
    monkeypatch.setattr(scoring, "MAX_TOKENS_PER_BATCH", 3)
    scorer = Scorer(Translator([checkpoint()]))
    blank, half, long = scorer.score([scorer.read(*texts) for texts in (("", " "), ("", "cat"), ("cat", "a a a a"))])
    assert (blank.tokens, blank.log_probability, blank.per_token, blank.perplexity) == (0, 0, 0, 1)
    assert half.tokens == 2
    assert half.log_probability < 0
    assert long.tokens == 5
    assert math.isnan(long.log_probability)
    assert math.isnan(long.perplexity)


def test_batches_hold_every_pair_once_and_no_more_tokens_than_fit(monkeypatch):
    monkeypatch.setattr(scoring, "MAX_TOKENS_PER_BATCH", 20)
    sizes = [(k % 7 + 1, k % 5 + 1) for k in range(40)] + [(30, 1)]
    batches = list(plan_batches(sizes))
    assert sorted(k for batch in batches for k in batch) == list(range(41))
    assert batches[0] == [40]
    assert all(len(batch) == 1 or sum(sum(sizes[k]) for k in batch) <= 20 for batch in batches)
    assert max(map(len, batches)) > 2


def test_a_model_with_weights_that_are_no_numbers_is_explained():
    made = checkpoint()
    made.model.parameters.flat[:] = np.nan
    scorer = Scorer(Translator([made]))
    with pytest.raises(UserError, match="not finite"):
        list(scorer.score([scorer.read("the cat", "a bird")]))


def test_a_source_is_truncated_as_in_a_search():
    scorer = Scorer(Translator([checkpoint()]))
    pair = scorer.read("the cat sees the dog", "a", SearchConfig(max_source_length=2))
    ids = scorer.read("the cat", "a").source.ids
    assert pair.source == Source("the cat sees the dog", ids, True, Reading("the cat sees the dog"))
