"""What turns gradients into better parameters: clipping, SGD, Adam, and the learning rate over time."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.functional import Array

PIECE = 1 << 16
"""Values worked on at a time, so that a piece of every vector stays in cache through all the passes over it."""


def clip_by_global_norm(gradients: Array, max_norm: float) -> float:
    """Scale all gradients together so that their joint norm is at most ``max_norm``.

    ``g ← g · min(1, max_norm / (‖g‖₂ + 10⁻⁶))``

    Args:
        gradients: one flat vector, changed in place.
        max_norm: 0 switches clipping off.

    Returns:
        The norm before clipping.

    Source:
        Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1;
        ``torch.nn.utils.clip_grad_norm_``.
    """
    pieces = (gradients[k : k + PIECE] for k in range(0, len(gradients), PIECE))
    norm = math.sqrt(sum(float(np.dot(piece, piece)) for piece in pieces))
    if max_norm and norm > max_norm:
        gradients *= max_norm / (norm + 1e-6)
    return norm


class Optimizer(Protocol):
    """What the training loop needs: one step, and the vectors to save for resuming."""

    steps: int

    def step(self, parameters: Array, gradients: Array, learning_rate: float) -> None:
        """Change the parameters in place."""

    def moments(self) -> dict[str, Array]:
        """Return the vectors that a resumed run needs, to be saved, or to be filled when loading."""


class SGD:
    """Stochastic gradient descent: ``θ ← θ − η · g``.

    Args:
        size: number of parameters.

    Source: Robbins & Monro 1951; ``torch.optim.SGD``.
    """

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32) -> None:
        self.steps = 0

    def step(self, parameters: Array, gradients: Array, learning_rate: float) -> None:
        """Take one step; the gradients are left as they are."""
        self.steps += 1
        parameters -= learning_rate * gradients

    def moments(self) -> dict[str, Array]:
        """SGD remembers nothing."""
        return {}


class Adam:
    """Adaptive moment estimation.

    ::

        m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
        θ ← θ − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    Args:
        size: number of parameters.
        dtype: of the moments, as the parameters'.

    Source: Kingma & Ba 2015, "Adam", algorithm 1, with its β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸; ``torch.optim.Adam``.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32) -> None:
        self.steps = 0
        self.m: Array = np.zeros(size, dtype)
        self.v: Array = np.zeros(size, dtype)

    def step(self, parameters: Array, gradients: Array, learning_rate: float) -> None:
        """Take one step; the gradients are left as they are."""
        self.steps += 1
        step_size = learning_rate / (1.0 - self.beta1**self.steps)
        root_correction = 1.0 / math.sqrt(1.0 - self.beta2**self.steps)
        buffer = np.empty(min(PIECE, len(parameters)), parameters.dtype)
        for start in range(0, len(parameters), PIECE):
            piece = slice(start, start + PIECE)
            g, m, v = gradients[piece], self.m[piece], self.v[piece]
            work = buffer[: len(g)]
            np.subtract(g, m, out=work)  # m += (1 − β₁)(g − m)
            work *= 1.0 - self.beta1
            m += work
            np.multiply(g, g, out=work)
            work *= 1.0 - self.beta2
            v *= self.beta2
            v += work
            np.sqrt(v, out=work)
            work *= root_correction
            work += self.epsilon
            np.divide(m, work, out=work)
            work *= step_size
            parameters[piece] -= work

    def moments(self) -> dict[str, Array]:
        """Return both moments."""
        return {"m": self.m, "v": self.v}


def cool_down_factor(progress: float, cool_down: float) -> float:
    """Return what the learning rate is multiplied with: 1 at first, then falling linearly to 0 at the planned end.

    A large rate finds its way fast but keeps jumping about; lowering it lets the weights settle. One long fall to zero
    does that better than a few halvings.

    Args:
        progress: share of the planned training that is done, from 0 to 1.
        cool_down: share of the training, at its end, over which the rate falls; 0 switches it off.

    Source:
        The trapezoidal schedule of Xing et al. 2018, "A Walk with SGD"; Zhai et al. 2022, "Scaling Vision
        Transformers", section 3.5.
    """
    if not cool_down:
        return 1.0
    return min(1.0, max(0.0, 1.0 - progress) / cool_down)


OPTIMIZERS: dict[str, type[SGD | Adam]] = {"adam": Adam, "sgd": SGD}


class PlateauSchedule:
    """Halve the learning rate whenever validation does not improve, and give up after ``patience`` times in a row.

    Args:
        patience: validations without a better one before ``exhausted``.

    ``scale`` is what the learning rate is multiplied with: 1, ½, ¼ …

    Source: the "new-bob" practice of speech recognition; ``torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5,
    patience=0, threshold=0)``.
    """

    def __init__(self, patience: int) -> None:
        self.scale = 1.0
        self.patience = patience
        self.best = math.inf
        self.failures = 0

    def observe(self, validation_loss: float) -> bool:
        """Take note of a validation; return whether it is the best so far."""
        if validation_loss < self.best:
            self.best = validation_loss
            self.failures = 0
            return True
        self.failures += 1
        self.scale *= 0.5
        return False

    @property
    def exhausted(self) -> bool:
        """Whether to stop early."""
        return self.failures >= self.patience
