"""The recurrent cells: only the gates.

A cell sees two projections that ``recurrent.py`` has already multiplied, one of the step's input and one of the
previous hidden state, both with their biases::

    x_projection = x W_ihᵀ + b_ih        h_projection = h W_hhᵀ + b_hh        both (B, gH), g gates

and turns them and the previous state into the next state. ``forward`` returns ``(state, cache)``; ``backward`` takes
``∂loss/∂state`` and that cache and returns the gradients of the two projections and of the previous state *as far as
the cell itself uses it*; the way through ``h_projection`` is a matrix product and so ``recurrent.py``'s business.

A state is a tuple whose first member is the hidden state ``h`` (B, H): ``(h,)`` for RNN and GRU, ``(h, c)`` for LSTM.
Gate order is torch's: ``i, f, g, o`` for the LSTM and ``r, z, n`` for the GRU.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import numpy as np

from seq2seq_cli.nn.functional import Array, sigmoid, sigmoid_backward, tanh_backward

State = tuple[Array, ...]
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
    def forward(x_projection: Array, h_projection: Array, state: State) -> tuple[State, Cache]:
        """Return the next state and what ``backward`` needs."""

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, State]:
        """Return ``d_x_projection``, ``d_h_projection`` and the direct part of the previous state's gradient."""


def blocks(stacked: Array, gates: int) -> list[Array]:
    """Return views of the gates' blocks, (B, H) each; ``np.split`` alone took 4 % of a training step."""
    H = stacked.shape[1] // gates
    return [stacked[:, k * H : (k + 1) * H] for k in range(gates)]


class RNN:
    """The simple (Elman) cell: ``h' = tanh(x_projection + h_projection)``.

    Source: Elman 1990, "Finding Structure in Time"; ``torch.nn.RNN``.
    """

    gates: ClassVar[int] = 1
    states: ClassVar[int] = 1
    additive: ClassVar[bool] = True

    @staticmethod
    def forward(x_projection: Array, h_projection: Array, state: State) -> tuple[State, Cache]:
        """Return ``(h',)`` and the cache."""
        h = np.tanh(x_projection + h_projection)
        return (h,), (h,)

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, State]:
        """Return the projections' (shared) gradient; nothing reaches ``h`` but through ``h_projection``."""
        (h,) = cache
        d_projection = tanh_backward(d_state[0], h)
        return d_projection, d_projection, (np.zeros_like(h),)


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
    def forward(x_projection: Array, h_projection: Array, state: State) -> tuple[State, Cache]:
        """Return ``(h', c')`` and the cache."""
        c = state[1]
        a_i, a_f, a_g, a_o = blocks(x_projection + h_projection, 4)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_next = f * c + i * g
        tanh_c = np.tanh(c_next)
        return (o * tanh_c, c_next), (i, f, g, o, c, tanh_c)

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, State]:
        """Return the projections' (shared) gradient, and ``d_c`` by way of the forget gate."""
        d_h, d_c = d_state
        i, f, g, o, c, tanh_c = cache
        d_c = d_c + tanh_backward(d_h * o, tanh_c)
        d_projection = np.empty((len(d_h), 4 * d_h.shape[1]), d_h.dtype)
        d_i, d_f, d_g, d_o = blocks(d_projection, 4)
        d_i[...] = sigmoid_backward(d_c * g, i)
        d_f[...] = sigmoid_backward(d_c * c, f)
        d_g[...] = tanh_backward(d_c * i, g)
        d_o[...] = sigmoid_backward(d_h * tanh_c, o)
        return d_projection, d_projection, (np.zeros_like(d_h), d_c * f)


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
    def forward(x_projection: Array, h_projection: Array, state: State) -> tuple[State, Cache]:
        """Return ``(h',)`` and the cache."""
        (h,) = state
        H = h.shape[1]
        r, z = blocks(sigmoid(x_projection[:, : 2 * H] + h_projection[:, : 2 * H]), 2)
        h_n = h_projection[:, 2 * H :]
        n = np.tanh(x_projection[:, 2 * H :] + r * h_n)
        return (n + z * (h - n),), (r, z, n, h, h_n)

    @staticmethod
    def backward(d_state: State, cache: Cache) -> tuple[Array, Array, State]:
        """Return both projections' gradients (they differ by ``r`` in the block ``n``) and ``z · d_h`` for ``h``."""
        (d_h,) = d_state
        r, z, n, h, h_n = cache
        d_x = np.empty((len(d_h), 3 * d_h.shape[1]), d_h.dtype)
        d_r, d_z, d_n = blocks(d_x, 3)
        d_n[...] = tanh_backward(d_h * (1.0 - z), n)
        d_z[...] = sigmoid_backward(d_h * (h - n), z)
        d_r[...] = sigmoid_backward(d_n * h_n, r)
        d_h_projection = d_x.copy()
        d_h_projection[:, 2 * d_h.shape[1] :] *= r
        return d_x, d_h_projection, (d_h * z,)


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
