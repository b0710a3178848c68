import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference import greedy
from seq2seq_cli.inference.greedy import greedy_search
from seq2seq_cli.inference.hypothesis import SpecialTokens

BOS, EOS = 1, 2


class Scripted:
    """Stands for models: the log-probabilities of every step are given; each row has the number of its sentence."""

    def __init__(self, steps):
        self.steps = [np.log(np.array(step, np.float32) + 1e-30) for step in steps]
        self.sentences = np.arange(len(steps[0]))

    def step(self, tokens):
        assert tokens.shape == (len(self.sentences), 1)
        return self.steps.pop(0)[self.sentences]

    def select(self, rows, sentences):
        self.sentences = self.sentences[rows]


SYMBOLS = SpecialTokens(BOS, EOS, frozenset((BOS, 0)))


@pytest.mark.parametrize("enough", [1, 1_000_000])
def test_the_most_probable_token_is_taken_until_eos_or_the_limit(enough, monkeypatch):
    monkeypatch.setattr(greedy._Score, "MAX_LOGITS", enough)
    first = [[0.0, 0.0, 0.1, 0.9], [0.0, 0.0, 0.6, 0.4], [0.3, 0.3, 0.1, 0.3]]
    second = [[0.0, 0.0, 0.2, 0.8], [0.25] * 4, [0.0, 0.0, 0.75, 0.25]]
    third = [[0.0, 0.0, 0.1, 0.9], [0.25] * 4, [0.25] * 4]
    found = greedy_search(Scripted([first, second, third]), np.array([3, 3, 3]), SearchConfig(beam=1), SYMBOLS)
    assert [hypothesis.tokens for (hypothesis,) in found] == [(3, 3), (), (3,)]
    expected = [0.9 * 0.8 * 0.1, 0.6, 0.3 * 0.75]
    np.testing.assert_allclose([hypothesis.log_probability for (hypothesis,) in found], np.log(expected), rtol=1e-6)
    assert found[0][0].score == found[0][0].log_probability / 3


def test_suppressed_tokens_keep_their_share_of_the_probability():
    steps = [[[0.6, 0.1, 0.1, 0.2]], [[0.1, 0.5, 0.3, 0.1]]]  # the most probable tokens are suppressed
    ((found,),) = greedy_search(Scripted(steps), np.array([9]), SearchConfig(beam=1), SYMBOLS)
    assert found.tokens == (3,)
    assert found.log_probability == pytest.approx(np.log(0.2 * 0.3), rel=1e-6)
