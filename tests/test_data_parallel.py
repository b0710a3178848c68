import dataclasses
import gc
import weakref

import numpy as np
import pytest

from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.model import Batch
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.training.data_parallel import DataParallel, add_losses
from tests.models import every_config, random_batch


def one_sentence(batch: Batch, k: int) -> Batch:
    """The pair in row k of the target's order as a batch of its own."""
    source_rows = batch.source_packing.token_sentences == batch.source_rows[k]
    target_rows = batch.target_packing.token_sentences == k
    return Batch(
        source=batch.source[source_rows],
        source_packing=Packing((int(source_rows.sum()),)),
        target_inputs=batch.target_inputs[target_rows],
        target_outputs=batch.target_outputs[target_rows],
        target_packing=Packing((int(target_rows.sum()),)),
        source_rows=np.array([0]),
    )


def gradient(parallel: DataParallel) -> Array:
    return parallel.gradients[0].flat.copy()


@pytest.mark.parametrize("processes", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shares_give_the_gradient_of_the_whole_batch(processes, smoothing):
    config = next(config for config in every_config() if config.cell == "gru" and config.context == "every-step")
    batch = random_batch()
    whole = DataParallel(random_model(config), "adam")
    expected = whole.loss_and_gradients([batch], label_smoothing=smoothing)
    parallel = DataParallel(random_model(config), "adam", 4, processes)
    found = parallel.loss_and_gradients([one_sentence(batch, k) for k in range(4)], label_smoothing=smoothing)
    np.testing.assert_allclose(gradient(parallel), gradient(whole), rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-13)
    assert found.norm == pytest.approx(np.linalg.norm(gradient(whole)), rel=1e-13)
    np.testing.assert_allclose(parallel.loss([batch, batch]), 2 * np.array(whole.loss([batch])), rtol=1e-13)
    parallel.team.shut_down()


def test_processes_and_threads_train_the_same_weights_to_the_bit_with_dropout():
    config = dataclasses.replace(next(every_config(cell="lstm")), dropout=0.5)
    batch = random_batch()
    shares = [one_sentence(batch, 0), one_sentence(batch, 2)]
    results = []
    for processes in (True, False):
        parallel = DataParallel(random_model(config), "adam", 3, processes)
        for step in range(5):
            generators = [np.random.default_rng([step, k]) for k in range(2)]
            parallel.step(parallel.loss_and_gradients(shares, generators), 0.01, 1.0)
        results.append(parallel.model.parameters.flat.tobytes())
        assert parallel.optimizer.steps == 5
        parallel.team.shut_down()
    assert results[0] == results[1]
    assert results[0] != random_model(config).parameters.flat.tobytes()


def test_the_vector_that_a_model_came_with_is_given_back_before_the_members_come():
    model = random_model(next(every_config()))
    values, old = model.parameters.flat.copy(), weakref.ref(model.parameters.flat)
    parallel = DataParallel(model, "adam", 2)
    assert old() is None
    assert np.array_equal(model.parameters.flat, values)
    parallel.team.shut_down()


@pytest.mark.parametrize("processes", [True, False])
def test_what_is_not_used_any_more_gives_its_memory_back_at_once(processes):
    batch, circles = random_batch(), gc.isenabled()
    gc.disable()
    try:
        parallel = DataParallel(random_model(next(every_config())), "adam", 2, processes)
        parallel.loss_and_gradients([batch, batch])
        vector = weakref.ref(parallel.gradients[1].flat)
        parallel.team.shut_down()
        del parallel
        assert vector() is None
    finally:
        if circles:
            gc.enable()


def test_losses_add_up():
    model, batch = random_model(next(every_config())), random_batch()
    one = model.loss(batch)
    assert add_losses([one, one]) == (2 * one.loss, 2 * one.negative_log_likelihood, 2 * one.tokens)
