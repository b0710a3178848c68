import dataclasses
import gc
import weakref

import numpy as np
import pytest

from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.training.batches import EncodedCorpus, Sentences, make_batch, shards_of
from seq2seq_cli.training.data_parallel import DataParallel, add_losses
from tests.models import SOURCE_VOCABULARY, TARGET_VOCABULARY, every_config, random_batch

VOCABULARY = SOURCE_VOCABULARY, TARGET_VOCABULARY


def corpus(count=4, seed=1):
    """Pairs of unequal lengths, in the vocabularies of ``every_config``; a target begins and ends with a symbol."""
    generator = np.random.default_rng(seed)
    sides = ([list(generator.integers(0, size, k + 3)) for k in range(count)] for size in VOCABULARY)
    return EncodedCorpus(*(Sentences.of(side, size) for side, size in zip(sides, VOCABULARY)))


PAIRS, OTHERS, EVERY = corpus(), corpus(6, seed=2), np.arange(4)


def make(config, size=1, processes=True):
    return DataParallel(random_model(config), "adam", PAIRS, OTHERS, size, processes)


def gradient(parallel: DataParallel) -> Array:
    return parallel.gradients[0].flat.copy()


@pytest.mark.parametrize("processes", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shards_give_the_gradient_of_the_whole_batch(processes, smoothing):
    config = next(config for config in every_config() if config.cell == "gru" and config.context == "every-step")
    whole = make(config)
    expected = whole.loss_and_gradients([EVERY], label_smoothing=smoothing)
    parallel = make(config, 4, processes)
    found = parallel.loss_and_gradients([EVERY[k : k + 1] for k in range(4)], label_smoothing=smoothing)
    np.testing.assert_allclose(gradient(parallel), gradient(whole), rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-13)
    assert found.loss.tokens == PAIRS.target_tokens
    assert found.norm == pytest.approx(np.linalg.norm(gradient(whole)), rel=1e-13)
    several = [np.array([0, 5]), np.array([1, 2, 3]), np.array([4])]
    of_all = whole.model.loss(make_batch(OTHERS, np.arange(6)))
    np.testing.assert_allclose(parallel.validation_loss(several), of_all, rtol=1e-13)
    np.testing.assert_allclose(whole.validation_loss(several), of_all, rtol=1e-13)
    parallel.workers.shut_down()


@pytest.mark.parametrize(("workers", "networks", "shards"), [(2, 4, 1), (2, 3, 2), (4, 2, 2), (3, 1, 3), (1, 2, 1)])
def test_workers_share_the_networks_and_then_the_batch(workers, networks, shards):
    config = dataclasses.replace(next(every_config(cell="lstm")), members=networks, dropout=0.5)
    parallel = make(config, workers, processes=False)
    assert parallel.shards == len(parallel.gradients) == shards
    positions, generators = shards_of(EVERY, shards), [np.random.default_rng(k) for k in range(shards)]
    found = parallel.loss_and_gradients(positions, generators)
    # One worker for everything, one shard after the other, into gradients of its own.
    model, losses, total = parallel.model, [], 0.0
    for k, pairs in enumerate(positions):
        gradients = model.parameters.zeros_like()
        batch, generator = make_batch(PAIRS, pairs), np.random.default_rng(k)
        losses.append(model.loss_and_gradients(batch, gradients, tokens=PAIRS.target_tokens, generator=generator))
        total = total + gradients.flat
    np.testing.assert_allclose(gradient(parallel), total, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.loss, add_losses(losses), rtol=1e-13)
    parallel.workers.shut_down()


def test_processes_and_threads_train_the_same_weights_to_the_bit_with_dropout():
    config = dataclasses.replace(next(every_config(cell="lstm")), dropout=0.5)
    shards = [np.array([0, 3]), np.array([2])]
    results = []
    for processes in (True, False):
        parallel = make(config, 3, processes)
        for step in range(5):
            generators = [np.random.default_rng([step, k]) for k in range(2)]
            parallel.step(parallel.loss_and_gradients(shards, generators), 0.01, 1.0)
        results.append(parallel.model.parameters.flat.tobytes())
        assert parallel.optimizer.steps == 5
        parallel.workers.shut_down()
    assert results[0] == results[1]
    assert results[0] != random_model(config).parameters.flat.tobytes()


def test_the_vector_that_a_model_came_with_is_given_back_before_the_workers_start():
    model = random_model(next(every_config()))
    values, old = model.parameters.flat.copy(), weakref.ref(model.parameters.flat)
    parallel = DataParallel(model, "adam", PAIRS, OTHERS, 2)
    assert old() is None
    assert np.array_equal(model.parameters.flat, values)
    parallel.workers.shut_down()


@pytest.mark.parametrize("processes", [True, False])
def test_what_is_not_used_any_more_gives_its_memory_back_at_once(processes):
    circles = gc.isenabled()
    gc.disable()
    try:
        parallel = make(next(every_config()), 2, processes)
        parallel.loss_and_gradients([EVERY, EVERY])
        vector = weakref.ref(parallel.gradients[1].flat)
        parallel.workers.shut_down()
        del parallel
        assert vector() is None
    finally:
        if circles:
            gc.enable()


def test_losses_add_up():
    model, batch = random_model(next(every_config())), random_batch()
    one = model.loss(batch)
    assert add_losses([one, one]) == (2 * one.loss, 2 * one.negative_log_likelihood, 2 * one.tokens)
