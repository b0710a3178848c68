import dataclasses

import numpy as np
import pytest

from seq2seq_cli.evaluation.context_vectors import context_vectors, principal_components
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.text.tokenizer import source_ids


def test_context_is_the_initial_decoder_state_and_does_not_depend_on_other_sentences(trained):
    checkpoint = load_model(trained / "model.npz")
    texts = ["red cat", "old blue bird", "red cat"]
    vectors = context_vectors(checkpoint, texts)
    assert checkpoint.model.config.pooled_context
    assert vectors.shape == (3, 2 * 2 * checkpoint.model.config.hidden_size)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])
    np.testing.assert_array_equal(context_vectors(checkpoint, texts[1:2])[0], vectors[1])


def test_context_as_first_state_only_is_the_top_layers_hidden_state(trained):
    whole = load_model(trained / "model.npz")
    config = dataclasses.replace(
        whole.model.config,
        context="initial",
        pooled_context=False,
        layers=2,
        hidden_size=5,
        bidirectional=False,
        tie_embeddings=False,
    )
    checkpoint = dataclasses.replace(whole, model=random_model(config))
    found = context_vectors(checkpoint, ["red cat"])
    ids = np.array(source_ids(whole.source_tokenizer, "red cat", config.reverse_source))
    state = checkpoint.model.encode(ids, Packing((len(ids),)))
    np.testing.assert_array_equal(found, state.states[1][0])
    assert found.shape == (1, 5)


def test_components_keep_the_distances_of_points_in_a_plane_and_come_in_order():
    generator = np.random.default_rng(0)
    plane = np.linalg.qr(generator.standard_normal((6, 2)))[0].T
    flat = generator.standard_normal((9, 2)) * [5.0, 1.0]
    points, shares = principal_components(flat @ plane + 3.0)
    distances = [np.linalg.norm(each[:, None] - each[None], axis=-1) for each in (points, flat)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    assert shares[0] > shares[1]
    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-12)


def test_components_do_not_depend_on_an_arbitrary_sign():
    vectors = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 7.0], [4.0, 4.0, 4.0]])
    points, _ = principal_components(vectors)
    assert (np.abs(points.max(axis=0)) >= np.abs(points.min(axis=0))).all()
    np.testing.assert_allclose(principal_components(vectors[:, ::-1])[0], points, atol=1e-12)


def test_points_on_a_line_and_equal_points_have_no_second_direction():
    points, shares = principal_components(np.array([[0.0], [1.0], [3.0]]))
    np.testing.assert_allclose(np.sort(points[:, 0]), [-4 / 3, -1 / 3, 5 / 3])
    assert (points[:, 1] == 0).all()
    assert shares.tolist() == [1.0, 0.0]
    points, shares = principal_components(np.ones((4, 3)))
    assert (points == 0).all()
    assert (shares == 0).all()
