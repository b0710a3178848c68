import numpy as np
import pytest

from seq2seq_cli.nn.packing import Packing

PACKING = Packing.of([4, 2, 1])  # a b c d / e f / g  →  a e g b f c d


def test_layout_of_the_docstring_example():
    assert PACKING.batch_sizes == [3, 2, 1, 1]
    assert PACKING.offsets == [0, 3, 5, 6, 7]
    assert (PACKING.steps, PACKING.sentences, PACKING.tokens) == (4, 3, 7)
    assert PACKING.token_sentences.tolist() == [0, 1, 2, 0, 1, 0, 0]
    assert PACKING.token_steps.tolist() == [0, 0, 0, 1, 1, 2, 3]


def test_reversal_mirrors_every_sentence_and_undoes_itself():
    data = np.array(list("aegbfcd"))
    assert "".join(data[PACKING.reversal]) == "dfgceba"
    assert "".join(data[PACKING.reversal][PACKING.reversal]) == "aegbfcd"


def test_previous_points_to_the_step_before_behind_the_initial_rows():
    data = np.array(list("123aegbfcd"))
    assert "".join(data[PACKING.previous]) == "123aebc"


def test_sum_over_time_adds_each_sentence():
    packed = np.arange(14.0).reshape(7, 2)
    expected = [packed[PACKING.token_sentences == k].sum(axis=0) for k in range(3)]
    np.testing.assert_array_equal(PACKING.sum_over_time(packed), expected)


@pytest.mark.parametrize("lengths", [(), (0,), (2, 3), (3, 0), (-1,)])
def test_lengths_that_cannot_be_packed_are_refused(lengths):
    with pytest.raises(ValueError, match="longest first"):
        Packing(lengths)


def test_the_mean_over_time_and_its_gradient_are_those_of_each_sentence_alone():
    packing, generator = Packing((5, 3, 3, 1)), np.random.default_rng(0)
    packed, d_mean = generator.standard_normal((packing.tokens, 6)), generator.standard_normal((4, 6))
    mean, d_packed = packing.mean_over_time(packed), packing.mean_over_time_backward(d_mean)
    for sentence, length in enumerate(packing.lengths):
        rows = packing.token_sentences == sentence
        np.testing.assert_allclose(mean[sentence], packed[rows].mean(axis=0), atol=1e-15)
        np.testing.assert_allclose(d_packed[rows], np.tile(d_mean[sentence] / length, (length, 1)), atol=1e-15)
    assert packing.mean_over_time(packed.astype(np.float32)).dtype == np.float32
    assert packing.mean_over_time_backward(d_mean.astype(np.float32)).dtype == np.float32
