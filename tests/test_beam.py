from collections import defaultdict

import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.beam import beam_search, best_extensions
from seq2seq_cli.inference.hypothesis import SpecialTokens

BOS, EOS = 1, 2


def by_sorting(totals, count):
    """The definition: all (k, V) extensions sorted, the most probable first."""
    order = sorted(np.ndindex(totals.shape), key=lambda place: -totals[place])
    live, ended = [], []
    for rank, (row, token) in enumerate(place for place in order if np.isfinite(totals[place])):
        if token != EOS:
            live.append((totals[row, token], row, token))
        elif rank < count:
            ended.append((totals[row, token], row, token))
        if len(live) == count:
            break
    return live, ended


@pytest.mark.parametrize("V", [3, 7, 200])
@pytest.mark.parametrize("count", [1, 4, 9, 700])
def test_the_best_extensions_are_those_that_sorting_everything_finds(V, count):
    generator = np.random.default_rng(0)
    z = generator.standard_normal((15, V)).astype(np.float32)
    z[::2, EOS] += 5
    z[:3, 1:] = z[4] = -np.inf
    before = generator.standard_normal((5, 3))
    before[3, 1] = -np.inf
    everything = (before.reshape(-1, 1) + z).reshape(5, 3, V)
    ends = 0
    for s, found in enumerate(best_extensions(z, before, count, EOS)):
        expected = by_sorting(everything[s], count)
        assert found == tuple([(total, 3 * s + row, token) for total, row, token in part] for part in expected)
        ends += len(found[1])
    assert ends


class Scripted:
    """In place of a model, for one sentence: the log-probabilities after every hypothesis are given."""

    def __init__(self, probabilities):
        self.probabilities, self.hypotheses = probabilities, [()]

    def step(self, tokens):
        self.hypotheses = [(*path, token) for path, token in zip(self.hypotheses, tokens[0].tolist())]
        return np.log(np.array([self.probabilities[path[1:]] for path in self.hypotheses], np.float32) + 1e-30)

    def select(self, rows, sentences):
        self.hypotheses = [self.hypotheses[row] for row in rows]


def test_a_better_sentence_with_a_less_probable_first_token_is_found():
    after = {
        (): [0, 0, 0.1, 0.5, 0.4],
        (3,): [0, 0, 0.4, 0.3, 0.3],
        (4,): [0, 0, 0.9, 0.05, 0.05],
    }
    config = SearchConfig(beam=2, n_best=2, length_penalty=0.0)
    symbols = SpecialTokens(BOS, EOS, frozenset((0, BOS)))
    (found,) = beam_search(Scripted(after), np.array([3]), config, symbols)
    assert [hypothesis.tokens for hypothesis in sorted(found, key=lambda h: -h.score)] == [(4,), (3,)]
    np.testing.assert_allclose(sorted(h.log_probability for h in found), np.log([0.5 * 0.4, 0.4 * 0.9]), rtol=1e-6)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error_at_every_position(number):
    after = {(): [0.1, 0.1, 0.1, 0.4, 0.3], (3,): [0.2] * 5, (4,): [number] * 5}
    config = SearchConfig(beam=2, n_best=2)
    with np.errstate(invalid="ignore"), pytest.raises(UserError, match="not finite numbers"):
        beam_search(Scripted(after), np.array([9]), config, SpecialTokens(BOS, EOS, frozenset((0, BOS))))


def test_a_search_continues_until_it_has_collected_enough_hypotheses():
    after = defaultdict(lambda: [0, 0, 0.6, 0.4, 0])
    special = SpecialTokens(BOS, EOS, frozenset((0, BOS)))
    config = SearchConfig(beam=2, n_best=1, length_penalty=0.0)
    for collected, limit, expected in ((0, 9, 1), (3, 9, 3), (5, 9, 5), (5, 3, 3)):
        (found,) = beam_search(Scripted(after), np.array([limit]), config, special, collected)
        assert sorted(h.tokens for h in found if h.log_probability > -60) == [(3,) * n for n in range(expected)]


def test_the_best_live_hypothesis_may_end_after_worse_ones_have_filled_the_list():
    after = defaultdict(lambda: [0, 0, 0.01, 0.98, 0.01])  # 3 3 3 is almost certain, but shorter ones end before it
    after[(3, 3, 3)] = [0, 0, 0.98, 0.01, 0.01]
    special = SpecialTokens(BOS, EOS, frozenset((0, BOS)))
    for normalization, length_penalty in (("plain", 1.0), ("plain", 0.0), ("gnmt", 1.0)):
        config = SearchConfig(beam=2, length_penalty=length_penalty, normalization=normalization)
        (found,) = beam_search(Scripted(after), np.array([9]), config, special)
        assert max(found, key=lambda h: h.score).tokens == (3, 3, 3)
