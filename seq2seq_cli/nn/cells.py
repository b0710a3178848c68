"""The recurrent cells: only the gates.

A cell sees two projections that ``recurrent.py`` has already multiplied, one of the step's input and one of the
previous hidden state, both with their biases, cut into the ``g`` gates::

    x_projection = x W_ihᵀ + b_ih        h_projection = h W_hhᵀ + b_hh        both (g, B, H)

and turns them and the previous state into the next state. ``forward`` returns ``(state, cache)``; ``backward`` takes
``∂loss/∂state`` and that cache and returns the gradients of the two projections and of the previous state *as far as
the cell itself uses it*; the way through ``h_projection`` is a matrix product and so ``recurrent.py``'s business.

A state is a tuple whose first member is the hidden state ``h`` (B, H): ``(h,)`` for RNN and GRU, ``(h, c)`` for LSTM.
Gate order is torch's: ``i, f, g, o`` for the LSTM and ``r, z, n`` for the GRU.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np

from seq2seq_cli.nn.functional import Array, sigmoid_in_place, sigmoid_slope, tanh_backward, tanh_slope

State = tuple[Array, ...]
DirectGradient = tuple[Array | None, ...]
"""The part of a state's gradient that does not go through ``h_projection``; None where there is no such part."""
Cache = tuple[Any, ...]


class Cell(Protocol):
    """What ``recurrent.py`` needs to know of a cell."""

    gates: ClassVar[int]
    """How many blocks of H rows the weights hold."""
    states: ClassVar[int]
    """How many arrays make a state."""
    additive: ClassVar[bool]
    """Whether the projections are only ever added, so that both have one and the same gradient."""

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None
    ) -> tuple[State, Cache]:
        """Return the next state and what ``backward`` needs; ``out`` (B, H), if given, becomes the hidden state."""

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, DirectGradient]:
        """Return ``d_x_projection``, ``d_h_projection`` and the direct part of the previous state's gradient."""


class RNN:
    """The simple (Elman) cell: ``h' = tanh(x_projection + h_projection)``.

    Source: Elman 1990, "Finding Structure in Time"; ``torch.nn.RNN``.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    additive: ClassVar[bool] = True

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None
    ) -> tuple[State, Cache]:
        """Return ``(h',)`` and the cache."""
        h = np.add(x_projection[0], h_projection[0], out=out)
        np.tanh(h, out=h)
        return (h,), (h,)

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, DirectGradient]:
        """Return the projections' (shared) gradient; nothing reaches ``h`` but through ``h_projection``."""
        (h,) = cache
        d_projection = tanh_backward(d_state[0], h)[None]
        return d_projection, d_projection, (None,)


class LSTM:
    """Long short-term memory: a cell state ``c`` that gates write, keep and read.

    ::

        i, f, o = σ(·)    g = tanh(·)     of the four blocks of x_projection + h_projection, in the order i, f, g, o
        c' = f · c + i · g
        h' = o · tanh(c')

    Source: Hochreiter & Schmidhuber 1997; with the forget gate of Gers et al. 2000; ``torch.nn.LSTM``.
    """

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2
    additive: ClassVar[bool] = True

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None
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
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, DirectGradient]:
        """Return the projections' (shared) gradient, and ``d_c`` by way of the forget gate."""
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


class GRU:
    """Gated recurrent unit: a reset gate ``r`` and an update gate ``z`` in place of a cell state.

    ::

        r, z = σ(·)                       of the first two blocks of x_projection + h_projection
        n    = tanh(x_n + r · h_n)        of the third blocks, so that b_hn is inside r · (…)
        h'   = (1 − z) · n + z · h

    Source: Cho et al. 2014, "Learning Phrase Representations", equations 5–8, in the variant of ``torch.nn.GRU``
    (the reset gate after the matrix product, so that all gates are one product).
    """

    gates: ClassVar[int] = 3
    states: ClassVar[int] = 1
    additive: ClassVar[bool] = False

    @staticmethod
    def forward(
        x_projection: Array, h_projection: Array, state: State, out: Array | None = None
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
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, DirectGradient]:
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
        ValueError: for any other name, listing the choices.
    """
    try:
        return CELLS[cell_type]
    except (KeyError, TypeError):
        choices = ", ".join(repr(name) for name in CELLS)
        raise ValueError(f"cell_type must be one of {choices}, not {cell_type!r}") from None
