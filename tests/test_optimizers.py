import numpy as np
import pytest

from seq2seq_cli.nn import optimizers
from seq2seq_cli.nn.optimizers import OPTIMIZERS, PlateauSchedule, clip_by_global_norm, cool_down_factor
from tests.reference import CLIP_NORM
from tests.reference.stored import below


@pytest.mark.parametrize(("name", "learning_rate"), [("adam", 0.01), ("sgd", 0.1)])
@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_ten_clipped_steps_follow_torch(name, learning_rate, piece, monkeypatch):
    monkeypatch.setattr(optimizers, "PIECE", piece)
    data = below("optimizer/")
    parameters = data["start"].copy()
    optimizer = OPTIMIZERS[name](len(parameters), np.float64)
    for gradient, norm, expected in zip(data["gradients"], data["norms"], data[name]):
        gradient = gradient.copy()
        assert clip_by_global_norm(gradient, CLIP_NORM) == pytest.approx(norm, rel=1e-12)
        optimizer.step(parameters, gradient, learning_rate)
        np.testing.assert_allclose(parameters, expected, rtol=0, atol=1e-12)
    assert optimizer.steps == 10


def test_clipping_leaves_small_gradients_alone_and_zero_switches_it_off():
    gradients = np.array([3.0, 4.0])
    assert clip_by_global_norm(gradients, 5.0) == 5.0
    assert gradients.tolist() == [3.0, 4.0]
    assert clip_by_global_norm(gradients, 0.0) == 5.0
    assert gradients.tolist() == [3.0, 4.0]
    clip_by_global_norm(gradients, 1.0)
    assert np.linalg.norm(gradients) == pytest.approx(1.0, rel=1e-5)


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
