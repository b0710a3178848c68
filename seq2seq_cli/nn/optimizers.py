"""What turns gradients into better parameters: clipping, SGD, Adam, and the learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.functional import Array

Zeros = Callable[[int, npt.DTypeLike], Array]
PIECE = 1 << 15
"""Values worked on at a time, so that a piece of every vector stays in cache through all the passes over it."""


def pieces(size: int) -> list[slice]:
    """Cut a vector of that size into pieces."""
    return [slice(start, min(start + PIECE, size)) for start in range(0, size, PIECE)]


def join_gradients(gradients: Sequence[Array]) -> float:
    """Add several vectors into the first and return the squared norm of the sum.

    Args:
        gradients: flat vectors of one size; the first is changed in place.

    Returns:
        ``‖g‖₂²``.
    """
    first, *others = gradients
    squares = 0.0
    for piece in pieces(len(first)):
        total = first[piece]
        for other in others:
            total += other[piece]
        squares += float(np.dot(total, total))
    return squares


def clip_factor(norm: float, max_norm: float) -> float:
    """Return what all gradients are multiplied with so that their joint norm is at most ``max_norm``.

    ``min(1, max_norm / (‖g‖₂ + 10⁻⁶))``

    Args:
        norm: of all gradients together.
        max_norm: 0 switches clipping off.

    Source:
        Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1;
        ``torch.nn.utils.clip_grad_norm_``.
    """
    return max_norm / (norm + 1e-6) if max_norm and norm > max_norm else 1.0


class Optimizer(Protocol):
    """What the training loop needs: one step, and the vectors to save for resuming."""

    steps: int
    """Steps taken so far."""

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Take one step with a part of the parameters, in place.

        Args:
            part: where they are in the vector of all parameters, and of the moments.
            parameters: that part of the parameters; changed.
            gradients: the same part of the gradients; they may be changed.
            step: number of this step, from 1.
            learning_rate: η.
            scale: what the gradients are multiplied with first, from ``clip_factor``.
        """

    def moments(self) -> dict[str, Array]:
        """Return the vectors that a resumed run needs, to be saved, or to be filled when loading."""


class SGD:
    """Stochastic gradient descent: ``θ ← θ − η · g``.

    Args:
        size: number of parameters.

    Source: Robbins & Monro 1951; ``torch.optim.SGD``.
    """

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32, zeros: Zeros = np.zeros) -> None:
        self.steps = 0

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Take one step with a part of the parameters (see ``Optimizer.update``)."""
        gradients *= scale
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
        zeros: makes the moments' vectors; ``shared_zeros`` where several processes work on them.

    Source: Kingma & Ba 2015, "Adam", algorithm 1, with its β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸; ``torch.optim.Adam``.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32, zeros: Zeros = np.zeros) -> None:
        self.steps = 0
        self.m: Array = zeros(size, dtype)
        self.v: Array = zeros(size, dtype)

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Take one step with a part of the parameters (see ``Optimizer.update``)."""
        # θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε √(1 − β₂ᵗ)): the same, with fewer passes over the vectors
        root = math.sqrt(1.0 - self.beta2**step)
        step_size = learning_rate * root / (1.0 - self.beta1**step)
        new_m, new_v = scale * (1.0 - self.beta1), scale**2 * (1.0 - self.beta2)
        all_m, all_v = self.m[part], self.v[part]
        buffer = np.empty(PIECE, parameters.dtype)
        for piece in pieces(len(parameters)):
            g, m, v = gradients[piece], all_m[piece], all_v[piece]
            work = buffer[: len(g)]
            np.multiply(g, new_m, out=work)
            m *= self.beta1
            m += work
            np.multiply(g, g, out=work)
            work *= new_v
            v *= self.beta2
            v += work
            np.sqrt(v, out=work)
            work += self.epsilon * root
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
