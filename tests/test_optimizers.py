import numpy as np
import pytest

from seq2seq_cli.nn import optimizers
from seq2seq_cli.nn.optimizers import OPTIMIZERS, PlateauSchedule, clip_factor, cool_down_factor, join_gradients
from seq2seq_cli.workers import Workers
from tests.reference import CLIP_NORM
from tests.reference.stored import below


@pytest.mark.parametrize(("name", "learning_rate"), [("adam", 0.01), ("sgd", 0.1)])
@pytest.mark.parametrize("piece", [1 << 16, 7])
@pytest.mark.parametrize("threads", [1, 3])
def test_ten_clipped_steps_follow_torch(name, learning_rate, piece, threads, monkeypatch):
    workers = Workers(threads)
    monkeypatch.setattr(optimizers, "PIECE", piece)
    data = below("optimizer/")
    parameters = data["start"].copy()
    optimizer = OPTIMIZERS[name](len(parameters), np.float64)
    for gradient, norm, expected in zip(data["gradients"], data["norms"], data[name]):
        shares = [gradient * 0.25, gradient * 0.75]
        assert join_gradients(shares, workers) == pytest.approx(norm, rel=1e-12)
        optimizer.step(parameters, shares[0], learning_rate, scale=clip_factor(norm, CLIP_NORM), workers=workers)
        np.testing.assert_allclose(parameters, expected, rtol=0, atol=1e-12)
    assert optimizer.steps == 10


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_does_not_depend_on_the_number_of_threads(name, monkeypatch):
    monkeypatch.setattr(optimizers, "PIECE", 10)
    generator = np.random.default_rng(0)
    start, *shares = generator.standard_normal((3, 101)).astype(np.float32)
    found = []
    for threads in (1, 2, 5, 50):
        parameters, gradients = start.copy(), [share.copy() for share in shares]
        optimizer = OPTIMIZERS[name](len(start))
        norm = join_gradients(gradients, Workers(threads))
        optimizer.step(parameters, gradients[0], 0.1, scale=clip_factor(norm, 1.0), workers=Workers(threads))
        found.append((norm, parameters.tobytes()))
    assert len(set(found)) == 1


def test_clipping_leaves_small_gradients_alone_and_zero_switches_it_off():
    assert join_gradients([np.array([3.0, 4.0])]) == 5.0
    assert clip_factor(5.0, 5.0) == 1.0
    assert clip_factor(5.0, 0.0) == 1.0
    assert clip_factor(5.0, 1.0) == pytest.approx(0.2, rel=1e-6)


def test_the_rate_cools_down_to_zero_at_the_planned_end():
    assert [cool_down_factor(k / 4, 0.5) for k in range(5)] == [1.0, 1.0, 1.0, 0.5, 0.0]
    assert cool_down_factor(1.2, 0.5) == 0.0
    assert cool_down_factor(0.25, 1.0) == 0.75
    assert [cool_down_factor(done, 0.0) for done in (0, 0.5, 1, 1.5)] == [1.0] * 4


def test_plateau_halves_the_rate_and_gives_up_after_patience():
    schedule = PlateauSchedule(patience=2)
    assert schedule.observe(3.0)
    assert not schedule.observe(3.0)
    assert schedule.scale == 0.5
    assert not schedule.exhausted
    assert schedule.observe(2.0)
    assert schedule.scale == 0.5
    schedule.observe(2.5)
    schedule.observe(float("nan"))
    assert schedule.scale == 0.125
    assert schedule.exhausted
