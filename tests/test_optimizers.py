import math

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.nn import optimizers
from seq2seq_cli.nn.optimizers import (
    OPTIMIZERS,
    PlateauSchedule,
    clip_factor,
    cool_down_factor,
    find_optimizer,
    reduce_gradients,
)
from tests.reference import CLIP_NORM
from tests.reference.stored import below


@pytest.mark.parametrize(("name", "learning_rate"), [("adam", 0.01), ("sgd", 0.1)])
@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_ten_clipped_steps_follow_torch(name, learning_rate, piece, monkeypatch):
    monkeypatch.setattr(optimizers, "PIECE", piece)
    data = below("optimizer/")
    parameters = data["start"].copy()
    optimizer = OPTIMIZERS[name](len(parameters), np.float64)
    parts = [slice(0, 5), slice(5, len(parameters))]
    rows = zip(data["gradients"], data["norms"], data[name])
    for step, (gradient, expected_norm, expected) in enumerate(rows, start=1):
        shares = [gradient * 0.25, gradient * 0.75]
        norm = math.sqrt(sum(reduce_gradients([share[part] for share in shares]) for part in parts))
        assert norm == pytest.approx(expected_norm, rel=1e-12)
        for part in parts:
            scale = clip_factor(norm, CLIP_NORM)
            optimizer.update(part, parameters[part], shares[0][part], step, learning_rate, scale)
        np.testing.assert_allclose(parameters, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["adamw", "Adam", "", None, 3, ["adam"]])
def test_an_unknown_optimizer_is_an_error_that_lists_the_choices(name):
    with pytest.raises(UserError, match="--optimizer must be one of adam, sgd") as caught:
        find_optimizer(name)
    assert (caught.value.where, caught.value.exit_code) == ("--optimizer", 2)


def test_clipping_leaves_small_gradients_alone_and_zero_switches_it_off():
    assert reduce_gradients([np.array([3.0, 4.0])]) == 25.0
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
