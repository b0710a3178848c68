"""The recurrent cells: only the gates.

A cell receives two projections that ``recurrent.py`` has already computed, one of the step's input and one of the
previous hidden state, both with their biases, split into the ``g`` gates::

    x_projection = x W_ihᵀ + b_ih        h_projection = h W_hhᵀ + b_hh        both (g, B, H)

and computes the next state from them and the previous state. ``forward`` returns ``(state, cache)``; ``backward`` takes
``∂loss/∂state`` and that cache, and returns the gradients of the two projections, and of the previous state where
the cell uses it directly; the gradient through ``h_projection`` is a matrix product, which ``recurrent.py`` computes.

A state is a tuple whose first member is the hidden state ``h`` (B, H): ``(h,)`` for RNN and GRU, ``(h, c)`` for LSTM.
Gate order is torch's: ``i, f, g, o`` for the LSTM and ``r, z, n`` for the GRU.

A new cell is one class and one entry in ``CELLS``. Any weights beyond torch's four are declared in ``extra_shapes``;
``forward`` receives them as ``extra``, and ``backward`` adds their gradients to ``d_extra``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from seq2seq_cli.errors import choice_error
from seq2seq_cli.nn.functional import Array, sigmoid_in_place, sigmoid_slope, tanh_backward, tanh_slope

State = tuple[Array, ...]
DirectGradient = tuple[Array | None, ...]
"""The part of a state's gradient that does not go through ``h_projection``; None where there is no such part."""
Cache = tuple[Any, ...]
Weights = Mapping[str, Array]
NO_WEIGHTS: Weights = {}


class Cell:
    """The interface of a cell."""

    gates: ClassVar[int]
    """Number of blocks of H rows in the weights."""
    state_names: ClassVar[tuple[str, ...]]
    """A name for each array of a state, the hidden state first; they occur in the names of the bridge's parameters."""
    additive: ClassVar[bool]
    """Whether the cell only adds the two projections, so that both have the same gradient."""

    @staticmethod
    def extra_shapes(hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the cell's own weights, beyond torch's four, by name without the layer's suffix."""
        return {}

    @staticmethod
    def initialize(weights: Weights, generator: np.random.Generator) -> None:
        """Set the initial values of one layer in one direction that differ from those of other cells.

        Args:
            weights: torch's four, with their usual initial values (see ``parameters.initialize``), and the cell's own,
                which are zero; by name without the layer's suffix, changed in place.
            generator: source of randomness.
        """

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None, extra: Weights = NO_WEIGHTS
    ) -> tuple[State, Cache]:
        """Return the next state, and the cache for ``backward``.

        Args:
            x_projection, h_projection: (g, B, H).
            state: each array (B, H).
            out: (B, H), if given, receives the hidden state.
            extra: the cell's own weights, under the names of ``extra_shapes``.
        """
        raise NotImplementedError

    @staticmethod
    def backward(d_state: State, cache: Cache, d_extra: Weights = NO_WEIGHTS) -> tuple[Array, Array, DirectGradient]:
        """Return ``d_x_projection``, ``d_h_projection`` and the direct part of the previous state's gradient.

        The gradients of the cell's own weights are added to the arrays of ``d_extra``.
        """
        raise NotImplementedError


class RNN(Cell):
    """The simple (Elman) cell: ``h' = tanh(x_projection + h_projection)``.

    Source: Elman 1990, "Finding Structure in Time"; ``torch.nn.RNN``.
    """

    gates: ClassVar[int] = 1
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    additive: ClassVar[bool] = True

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None, extra: Weights = NO_WEIGHTS
    ) -> tuple[State, Cache]:
        """Return ``(h',)`` and the cache."""
        h = np.add(x_projection[0], h_projection[0], out=out)
        np.tanh(h, out=h)
        return (h,), (h,)

    @staticmethod
    def backward(d_state: State, cache: Cache, d_extra: Weights = NO_WEIGHTS) -> tuple[Array, Array, DirectGradient]:
        """Return the projections' (shared) gradient; ``h`` itself gets no other gradient."""
        (h,) = cache
        d_projection = tanh_backward(d_state[0], h)[None]
        return d_projection, d_projection, (None,)


class LSTM(Cell):
    """Long short-term memory: a cell state ``c`` with an input, a forget and an output gate.

    ::

        i, f, o = σ(·)    g = tanh(·)     of the four blocks of x_projection + h_projection, in the order i, f, g, o
        c' = f · c + i · g
        h' = o · tanh(c')

    Source: Hochreiter & Schmidhuber 1997; with the forget gate of Gers et al. 2000; ``torch.nn.LSTM``.
    """

    gates: ClassVar[int] = 4
    state_names: ClassVar[tuple[str, ...]] = ("hidden", "cell")
    additive: ClassVar[bool] = True

    @staticmethod
    def initialize(weights: Weights, generator: np.random.Generator) -> None:
        """Start the bias of the forget gate at one, so that the cell state is kept at first.

        Source: Gers et al. 2000; Jozefowicz et al. 2015, section 2.2.
        """
        _, b_f, _, _ = np.split(weights["bias_ih"], 4)
        b_f[...] = 1.0

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None, extra: Weights = NO_WEIGHTS
    ) -> tuple[State, Cache]:
        """Return ``(h', c')`` and the cache."""
        c = state[1]
        gates = x_projection + h_projection
        i, f, g, o = gates
        sigmoid_in_place(gates[:2])
        np.tanh(g, out=g)
        sigmoid_in_place(o)
        c_next = f * c
        c_next += i * g
        tanh_c = np.tanh(c_next)
        h_next = np.multiply(o, tanh_c, out=out)
        return (h_next, c_next), (gates, c, tanh_c, h_next)

    @staticmethod
    def backward(d_state: State, cache: Cache, d_extra: Weights = NO_WEIGHTS) -> tuple[Array, Array, DirectGradient]:
        """Return the projections' (shared) gradient, and ``d_c`` through the forget gate."""
        d_h, d_c_next = d_state
        gates, c, tanh_c, h_next = cache
        i, f, g, o = gates
        d_c = h_next * tanh_c
        np.subtract(o, d_c, out=d_c)  # o · (1 − tanh² c') = o − h' · tanh c'
        d_c *= d_h
        d_c += d_c_next
        slopes = sigmoid_slope(gates)
        slopes[2] = tanh_slope(g)
        d_projection = np.empty_like(gates)
        d_i, d_f, d_g, d_o = d_projection
        np.multiply(d_c, g, out=d_i)
        np.multiply(d_c, c, out=d_f)
        np.multiply(d_c, i, out=d_g)
        np.multiply(d_h, tanh_c, out=d_o)
        d_projection *= slopes
        d_c *= f
        return d_projection, d_projection, (None, d_c)


class GRU(Cell):
    """Gated recurrent unit: a reset gate ``r`` and an update gate ``z`` instead of a cell state.

    ::

        r, z = σ(·)                       of the first two blocks of x_projection + h_projection
        n    = tanh(x_n + r · h_n)        of the third blocks, so that b_hn is inside r · (…)
        h'   = (1 − z) · n + z · h

    Source: Cho et al. 2014, "Learning Phrase Representations", equations 5–8, in the variant of ``torch.nn.GRU``
    (the reset gate after the matrix product, so that all gates are one product).
    """

    gates: ClassVar[int] = 3
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    additive: ClassVar[bool] = False

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None, extra: Weights = NO_WEIGHTS
    ) -> tuple[State, Cache]:
        """Return ``(h',)`` and the cache."""
        (h,) = state
        gates = x_projection[:2] + h_projection[:2]
        r, z = sigmoid_in_place(gates)
        h_n = h_projection[2]
        n = r * h_n
        n += x_projection[2]
        np.tanh(n, out=n)
        change = h - n
        h_next = np.multiply(z, change, out=out)
        h_next += n
        return (h_next,), (gates, n, change, h_n)

    @staticmethod
    def backward(d_state: State, cache: Cache, d_extra: Weights = NO_WEIGHTS) -> tuple[Array, Array, DirectGradient]:
        """Return both projections' gradients (they differ by ``r`` in the block ``n``) and ``z · d_h`` for ``h``."""
        (d_h,) = d_state
        gates, n, change, h_n = cache
        r, z = gates
        d_x = np.empty((3, *d_h.shape), d_h.dtype)
        d_r, d_z, d_n = d_x
        direct = z * d_h
        np.subtract(d_h, direct, out=d_n)  # (1 − z) · d_h
        d_n *= tanh_slope(n)
        np.multiply(d_h, change, out=d_z)
        np.multiply(d_n, h_n, out=d_r)
        d_x[:2] *= sigmoid_slope(gates)
        d_h_projection = d_x.copy()
        d_h_projection[2] *= r
        return d_x, d_h_projection, (direct,)


CELLS: dict[str, type[Cell]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def find_cell(cell_type: str) -> type[Cell]:
    """Return the cell of that name.

    Raises:
        UserError: for any other name, listing the choices (wrong usage of ``--cell``).
    """
    try:
        return CELLS[cell_type]
    except (KeyError, TypeError):
        raise choice_error("--cell", cell_type, CELLS) from None
