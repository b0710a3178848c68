import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.hypothesis import check_finite, length_normalized, repeated_ngram_tokens


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_an_error(bad):
    check_finite(np.array([-1.0, -700.0]))
    with pytest.raises(UserError, match="not finite numbers"):
        check_finite(np.array([-1.0, bad]))


def test_the_two_normalizations_follow_their_equations():
    assert length_normalized(-6.0, 4, SearchConfig(length_penalty=0.5)) == -3.0
    assert length_normalized(-6.0, 19, SearchConfig(length_penalty=0.5, normalization="gnmt")) == -3.0
    for normalization in ("plain", "gnmt"):
        assert length_normalized(-6.0, 7, SearchConfig(length_penalty=0, normalization=normalization)) == -6.0


def test_tokens_that_would_repeat_an_ngram_are_found():
    assert repeated_ngram_tokens([], 1) == repeated_ngram_tokens([5], 2) == repeated_ngram_tokens([5, 6], 3) == []
    assert repeated_ngram_tokens([5, 6], 1) == [5, 6]
    assert repeated_ngram_tokens([5, 6, 5], 2) == [6]
    assert repeated_ngram_tokens([7, 8, 9, 7, 8], 3) == [9]
    assert repeated_ngram_tokens([7, 7, 7], 2) == [7, 7]
