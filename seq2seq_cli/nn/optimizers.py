"""Gradient clipping, optimizers, and learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from seq2seq_cli.errors import choice_error
from seq2seq_cli.nn.functional import Array

Zeros = Callable[[int, npt.DTypeLike], Array]
PIECE = 1 << 15
"""Values processed at a time, so that a piece of every vector stays in the cache for all operations on it."""


def pieces(size: int) -> list[slice]:
    """Split the positions of a vector of this size into pieces."""
    return [slice(start, min(start + PIECE, size)) for start in range(0, size, PIECE)]


def reduce_gradients(gradients: Sequence[Array]) -> float:
    """Add several gradient vectors into the first one, and return the squared norm of the sum.

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
    """Return the factor that scales all gradients so that their joint norm is at most ``max_norm``.

    ``min(1, max_norm / (‖g‖₂ + 10⁻⁶))``

    Args:
        norm: of all gradients together.
        max_norm: 0 switches clipping off.

    Source:
        Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1;
        ``torch.nn.utils.clip_grad_norm_``.
    """
    return max_norm / (norm + 1e-6) if max_norm and norm > max_norm else 1.0


class Optimizer:
    """The interface of an optimizer, with its number of steps taken and its moments.

    A new optimizer is one class and one entry in ``OPTIMIZERS``: the names of its moments, its hyperparameters, and
    ``update``.

    Args:
        size: number of parameters.
        dtype: dtype of the moments, that of the parameters.
        zeros: allocates the moments; ``shared_zeros`` if several processes update them.
    """

    moment_names: ClassVar[tuple[str, ...]] = ()
    """A name for each vector of state; each has the size of the parameters."""

    def __init__(self, size: int, dtype: npt.DTypeLike = np.float32, zeros: Zeros = np.zeros) -> None:
        self.steps = 0
        self._moments = {name: zeros(size, dtype) for name in self.moment_names}

    def moments(self) -> dict[str, Array]:
        """Return the state that a resumed run needs; the vectors are saved, or filled when loading."""
        return self._moments

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Update a part of the parameters in place.

        Args:
            part: position of the part in the vector of all parameters, and in the moments.
            parameters: that part of the parameters; changed.
            gradients: the same part of the gradients; may be changed.
            step: number of this step, from 1.
            learning_rate: η.
            scale: factor for the gradients, from ``clip_factor``.
        """
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent: ``θ ← θ − η · g``.

    Source: Robbins & Monro 1951; ``torch.optim.SGD``.
    """

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Update a part of the parameters (see ``Optimizer.update``)."""
        gradients *= scale
        parameters -= learning_rate * gradients


class Adam(Optimizer):
    """Adaptive moment estimation.

    ::

        m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
        θ ← θ − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    Source: Kingma & Ba 2015, "Adam", algorithm 1, with its β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸; ``torch.optim.Adam``.
    """

    moment_names: ClassVar[tuple[str, ...]] = ("m", "v")
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def update(
        self, part: slice, parameters: Array, gradients: Array, step: int, learning_rate: float, scale: float = 1.0
    ) -> None:
        """Update a part of the parameters (see ``Optimizer.update``)."""
        # θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε √(1 − β₂ᵗ)): the same, with fewer passes over the vectors
        root = math.sqrt(1.0 - self.beta2**step)
        step_size = learning_rate * root / (1.0 - self.beta1**step)
        new_m, new_v = scale * (1.0 - self.beta1), scale**2 * (1.0 - self.beta2)
        all_m, all_v = self._moments["m"][part], self._moments["v"][part]
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


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "sgd": SGD}


def find_optimizer(name: str) -> type[Optimizer]:
    """Return the optimizer of that name.

    Raises:
        UserError: for any other name, listing the choices (wrong usage of ``--optimizer``).
    """
    try:
        return OPTIMIZERS[name]
    except (KeyError, TypeError):
        raise choice_error("--optimizer", name, OPTIMIZERS) from None


def cool_down_factor(progress: float, cool_down: float) -> float:
    """Return the factor of the learning rate: 1 at first, then falling linearly to 0 at the planned end.

    A large rate makes fast progress but keeps overshooting; a falling rate lets the weights converge. One long decay to
    zero does that better than a few halvings.

    Args:
        progress: fraction of the planned training that is done, from 0 to 1.
        cool_down: fraction of the training, at its end, over which the rate falls; 0 switches it off.

    Source:
        The trapezoidal schedule of Xing et al. 2018, "A Walk with SGD"; Zhai et al. 2022, "Scaling Vision
        Transformers", section 3.5.
    """
    if not cool_down:
        return 1.0
    return min(1.0, max(0.0, 1.0 - progress) / cool_down)


class PlateauSchedule:
    """Halve the learning rate after every validation without improvement; stop after ``patience`` of them in a row.

    Args:
        patience: validations in a row without improvement until ``exhausted``.
        halve: whether to halve the rate; if not, the schedule only tracks the best validation and the patience.

    ``scale`` is the factor of the learning rate: 1, ½, ¼ …

    Source: the "new-bob" practice of speech recognition; ``torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5,
    patience=0, threshold=0)``.
    """

    def __init__(self, patience: int, halve: bool = True) -> None:
        self.scale = 1.0
        self.patience = patience
        self.halve = halve
        self.best = math.inf
        self.failures = 0

    def observe(self, cost: float) -> bool:
        """Record the cost of a validation, such as its loss; return whether it is the lowest so far."""
        if cost < self.best:
            self.best = cost
            self.failures = 0
            return True
        self.failures += 1
        if self.halve:
            self.scale *= 0.5
        return False

    @property
    def exhausted(self) -> bool:
        """Whether to stop early: the patience is used up."""
        return self.failures >= self.patience
