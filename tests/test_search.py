import itertools

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference import search as search_module
from seq2seq_cli.inference.hypothesis import length_normalized
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.inference.search import longest_output
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.packing import Packing

BOS, EOS = 1, 2


def search(models, *arguments, **settings):
    return search_module.search([PreparedDecoder(model) for model in models], *arguments, **settings)


CELLS = ["rnn", "lstm", "gru"]


def toy_model(cell="gru", seed=0, context="every-step"):
    config = ModelConfig(9, 5, cell, embedding_size=3, hidden_size=4, layers=1, context=context)
    model = random_model(config, seed)
    model.parameters.flat[:] *= 4  # far from uniform
    return model


def log_probabilities(models, source, target):
    """Each token's log-probability, one model at a time and one token at a time, by the definition."""
    total = 0.0
    states = [model.encode(np.array(source), Packing((len(source),))) for model in models]
    for previous, token in zip((BOS, *target), target):
        probabilities = []
        for k, model in enumerate(models):
            logits, states[k] = model.decode_step(states[k], np.array([previous]))
            probabilities.append(np.exp(log_softmax(logits))[0, token])
        total += float(np.log(np.mean(probabilities)))
    return total


def exhaustive(models, source, config, suppressed):
    """Every possible target, scored."""
    most = longest_output(len(source), config)
    words = [k for k in range(5) if k not in (BOS, EOS, *suppressed)]
    results = []
    for length in range(most):  # EOS takes one place
        for body in itertools.product(words, repeat=length):
            target = (*body, EOS)
            log_p = log_probabilities(models, source, target)
            results.append((length_normalized(log_p, len(target), config), body))
    return sorted(results, reverse=True)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize("normalization", ["plain", "gnmt"])
def test_a_wide_beam_equals_exhaustive_search(cell, alpha, ensemble, normalization):
    models = [toy_model(cell, seed) for seed in range(ensemble)]
    config = SearchConfig(beam=200, length_penalty=alpha, n_best=5, max_length=3, normalization=normalization)
    source = [3, 4, 5, 2]
    found = search(models, [source], config, BOS, EOS, suppressed=(0,))[0]
    expected = exhaustive(models, source, config, suppressed=(0,))[:5]
    assert [h.tokens for h in found] == [body for _, body in expected]
    np.testing.assert_allclose([h.score for h in found], [score for score, _ in expected], atol=1e-10)


def greedy(model, source, most):
    """The plainest greedy search."""
    state = model.encode(np.array(source), Packing((len(source),)))
    tokens = [BOS]
    while len(tokens) < most:
        logits, state = model.decode_step(state, np.array(tokens[-1:]))
        logits[0, [0, BOS]] = -np.inf
        if logits[0].argmax() == EOS:
            break
        tokens.append(int(logits[0].argmax()))
    return tuple(tokens[1:])


def sources(n=12):
    generator = np.random.default_rng(7)
    return [[*generator.integers(3, 9, generator.integers(1, 7)).tolist(), EOS] for _ in range(n)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", ["initial", "every-step"])
def test_beam_of_one_equals_greedy_to_the_token(cell, context):
    model = toy_model(cell, context=context)
    config = SearchConfig(beam=1)
    found = search([model], sources(), config, BOS, EOS, suppressed=(0,))
    for source, hypotheses in zip(sources(), found):
        assert hypotheses[0].tokens == greedy(model, source, longest_output(len(source), config))


@pytest.mark.parametrize("beam", [1, 2, 5])
def test_the_result_does_not_depend_on_batch_size_or_order(beam):
    models = [toy_model("lstm", 0), toy_model("lstm", 1)]
    config = SearchConfig(beam=beam, n_best=beam)
    together = search(models, sources(), config, BOS, EOS)
    backwards = search(models, sources()[::-1], config, BOS, EOS)[::-1]
    alone = [search(models, [source], config, BOS, EOS)[0] for source in sources()]
    for a, b, c in zip(together, backwards, alone):
        assert [h.tokens for h in a] == [h.tokens for h in b] == [h.tokens for h in c]
        np.testing.assert_allclose([h.score for h in a], [h.score for h in c], atol=1e-12)


def test_scores_are_what_the_model_gives_and_best_comes_first():
    model = toy_model()
    config = SearchConfig(beam=5, n_best=5, length_penalty=0.8)
    for source, hypotheses in zip(sources(), search([model], sources(), config, BOS, EOS)):
        scores = [h.score for h in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({h.tokens for h in hypotheses}) == len(hypotheses)
        for h in hypotheses:
            full = (*h.tokens, EOS)
            assert h.log_probability == pytest.approx(log_probabilities([model], source, full), abs=1e-10)
            assert h.score == pytest.approx(h.log_probability / len(full) ** 0.8)


def test_suppressed_tokens_and_bos_are_never_generated():
    model = toy_model()
    found = search([model], sources(), SearchConfig(beam=5, n_best=5), BOS, EOS, suppressed=(0, 3))
    for hypotheses in found:
        for h in hypotheses:
            assert not {0, 3, BOS, EOS} & set(h.tokens)


def test_max_length_is_kept():
    for beam in (1, 4):
        found = search([toy_model(seed=3)], sources(), SearchConfig(beam=beam, max_length=2), BOS, EOS)
        assert max(len(h.tokens) for hypotheses in found for h in hypotheses) == 2


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("60", [60, 60, 60]),
        ("2x+10", [14, 30, 500]),
        ("1.5x+1", [4, 16, 451]),
        ("0.01x", [1, 1, 3]),
        ("900", [900] * 3),
    ],
)
def test_a_relative_length_limit_follows_the_source_and_has_a_maximum(limit, expected):
    config = SearchConfig(max_length=limit)
    assert [longest_output(tokens + 1, config) - 1 for tokens in (2, 10, 300)] == expected


@pytest.mark.parametrize("beam", [1, 4])
def test_each_sentence_has_a_limit_of_its_own(beam):
    model = toy_model(seed=3)
    model.parameters["decoder.fc_out.bias"][EOS] = -50  # it never ends of itself
    found = search([model], sources(), SearchConfig(beam=beam, max_length="1.5x+1"), BOS, EOS, suppressed=(0,))
    assert [len(best.tokens) for best, *_ in found] == [int(1.5 * (len(source) - 1)) + 1 for source in sources()]


def test_scores_that_are_not_numbers_are_an_error():
    model = toy_model()
    model.parameters["decoder.fc_out.bias"][...] = np.nan
    with pytest.raises(UserError, match="not finite numbers"):
        search([model], sources(), SearchConfig(), BOS, EOS)


def test_a_vocabulary_of_special_tokens_only_gives_the_empty_sentence():
    config = ModelConfig(3, 3, "rnn", 2, 2)
    found = search([random_model(config)], [[2]], SearchConfig(beam=3), BOS, EOS, suppressed=(0,))
    assert found[0][0].tokens == ()


@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize("ngram", [0, 2])
def test_greedy_search_finds_what_beam_search_does_with_a_beam_of_one(ensemble, ngram, monkeypatch):
    models = [toy_model("lstm", seed) for seed in range(ensemble)]
    config = SearchConfig(beam=1, no_repeat_ngram=ngram, length_penalty=0.7)
    fast = search(models, sources(), config, BOS, EOS, suppressed=(0,))
    monkeypatch.setattr(search_module, "greedy_search", search_module.beam_search)
    slow = search(models, sources(), config, BOS, EOS, suppressed=(0,))
    for (a,), (b,) in zip(fast, slow):
        assert a.tokens == b.tokens
        assert (a.log_probability, a.score) == pytest.approx((b.log_probability, b.score), abs=1e-12)


@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_is_repeated_if_the_setting_forbids_it(beam, n):
    repeated = 0
    for seed in range(4):
        for config in (SearchConfig(beam=beam, no_repeat_ngram=n), SearchConfig(beam=beam)):
            for (best, *_), source in zip(search([toy_model(seed=seed)], sources(), config, BOS, EOS), sources()):
                runs = [best.tokens[k : k + n] for k in range(len(best.tokens) - n + 1)]
                if config.no_repeat_ngram:
                    assert len(set(runs)) == len(runs)
                    full = (*best.tokens, EOS)
                    found = log_probabilities([toy_model(seed=seed)], source, full)
                    assert best.log_probability == pytest.approx(found, abs=1e-10)
                else:
                    repeated += len(runs) - len(set(runs))
    assert repeated  # without it, this model does repeat itself


def test_a_beam_is_widened_for_reranking_up_to_its_limit():
    table = Lexicon(np.full((5, 1), EOS, np.int32), np.full((5, 1), 0.5, np.float32), 9)
    found = search([toy_model()], sources(2), SearchConfig(beam=600), BOS, EOS, reverse_lexicon=table)
    assert all(hypotheses for hypotheses in found)
