"""Names, shapes and initial values of the parameters.

All parameters of a model are stored in one flat vector; the named arrays are views into it. So the optimizer, gradient
clipping and saving work on one contiguous array, and the layers work on matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.bigram_prior import BIGRAM_GATE
from seq2seq_cli.nn.cells import Cell, find_cell
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.lexical_prior import INITIAL_GATE, LEXICAL_GATE
from seq2seq_cli.nn.recurrent import layer_shapes, layer_weights, suffixes

Shapes = dict[str, tuple[int, ...]]


class Parameters(Mapping[str, Array]):
    """Named arrays that are views into one flat vector.

    Args:
        shapes: name → shape, in the order of the vector.
        flat: the vector, or None for a new one of zeros.
        dtype: of a new vector.

    Example:
        >>> p = Parameters({"weight": (2, 3), "bias": (2,)})
        >>> p["bias"][...] = 1
        >>> p.flat
        array([0., 0., 0., 0., 0., 0., 1., 1.], dtype=float32)
    """

    def __init__(self, shapes: Shapes, flat: Array | None = None, dtype: npt.DTypeLike = np.float32) -> None:
        size = sum(math.prod(shape) for shape in shapes.values())
        self.shapes = shapes
        self.flat: npt.NDArray[Any]
        self._views: dict[str, Array] = {}
        self._scopes: dict[str, tuple[Parameters, slice]] = {}
        self._use(np.zeros(size, dtype) if flat is None else flat)

    def _use(self, flat: Array) -> None:
        self.flat = flat
        start = 0
        for name, shape in self.shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = flat[start:stop].reshape(shape)
            start = stop
        for scope, part in self._scopes.values():
            scope._use(flat[part])

    def move(self, flat: Array) -> None:
        """Copy all values to another vector, and use that one from now on; the old one can be freed."""
        flat[...] = self.flat
        self._use(flat)

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def below(self, prefix: str) -> dict[str, Array]:
        """Return the arrays whose names start with the prefix, by name without the prefix."""
        return {name[len(prefix) :]: view for name, view in self._views.items() if name.startswith(prefix)}

    def scope(self, member: int) -> Parameters:
        """Return views of the parameters of one network, under the names of a single network; they follow ``move``.

        Args:
            member: number of the network, from 0; all have the same shapes and are stored one after the other.
        """
        name = member_prefix(member)
        if name not in self._scopes:
            names = [full for full in self.shapes if is_of_member(full, member)]
            size = sum(math.prod(self.shapes[full]) for full in names)
            part = slice(member * size, (member + 1) * size)
            shapes = {full.removeprefix(name): self.shapes[full] for full in names}
            self._scopes[name] = Parameters(shapes, self.flat[part]), part
        return self._scopes[name][0]

    def zeros_like(self) -> Parameters:
        """Return zeros with the same names and shapes, for example for gradients."""
        return Parameters(self.shapes, dtype=self.flat.dtype)

    def astype(self, dtype: npt.DTypeLike) -> Parameters:
        """Return a copy in another precision."""
        return Parameters(self.shapes, self.flat.astype(dtype))


def member_prefix(member: int) -> str:
    """Return the name prefix of a network: none for the first, then ``member2.``, ``member3.`` and so on."""
    return f"member{member + 1}." if member else ""


def is_of_member(name: str, member: int) -> bool:
    """Whether a parameter belongs to the network of that number."""
    return name.startswith(member_prefix(member)) if member else not name.startswith("member")


def _recurrent_shapes(prefix: str, cell: type[Cell], sizes: list[int], hidden: int, directions: int) -> Shapes:
    """Return the shapes of a stack; ``sizes`` holds the input size of each layer."""
    return {
        f"{prefix}{name}{suffix}": shape
        for layer, size in enumerate(sizes)
        for suffix in suffixes(layer, directions)
        for name, shape in layer_shapes(cell, size, hidden).items()
    }


def parameter_shapes(config: ModelConfig) -> Shapes:
    """Return the name and shape of every parameter, in the order in which they are stored.

    With ``D`` directions, ``C`` the size of the context (``D · H``, twice that if it is pooled) and ``g``
    gates::

        encoder.embedding.weight       (V_source, E)
        encoder.rnn.weight_ih_l0       (gH, E)          and torch's other names, and the cell's own
        encoder.bridge.hidden.0.weight (H, 2H)          two directions only, for each layer; and .bias (H,)
        encoder.bridge.cell.0.weight   (H, 2H)          the same for an LSTM's cell state
        decoder.embedding.weight       (V_target, E)
        decoder.rnn.weight_ih_l0       (gH, E)          or (gH, E + C) with the context at every step
        decoder.readout.weight         (E, E + H + C)   with the context at every step only; and .bias (E,)
        decoder.fc_out.weight          (V_target, H)    or (V_target, E) after a readout; absent if tied
        decoder.fc_out.bias            (V_target,)
        decoder.lexical_gate.weight    (1, H)           or (1, E) after a readout; with a lexical prior; and .bias (1,)
        decoder.bigram_gate.weight     (1, H)           the same with a bigram prior
        member2.encoder.…                               the same again for each further network of an ensemble
    """
    cell = find_cell(config.cell)
    E, H, D, layers = config.embedding_size, config.hidden_size, config.directions, config.layers
    every_step = config.context == "every-step"
    C = config.context_size
    shapes: Shapes = {"encoder.embedding.weight": (config.source_vocabulary, E)}
    shapes |= _recurrent_shapes("encoder.rnn.", cell, [E, *[D * H] * (layers - 1)], H, D)
    if config.bidirectional:
        for part in cell.state_names:
            for layer in range(layers):
                shapes[f"encoder.bridge.{part}.{layer}.weight"] = (H, 2 * H)
                shapes[f"encoder.bridge.{part}.{layer}.bias"] = (H,)
    shapes["decoder.embedding.weight"] = (config.target_vocabulary, E)
    shapes |= _recurrent_shapes("decoder.rnn.", cell, [E + C, *[H] * (layers - 1)], H, 1)
    if every_step:
        shapes["decoder.readout.weight"] = (E, E + H + C)
        shapes["decoder.readout.bias"] = (E,)
    if not config.tie_embeddings:
        shapes["decoder.fc_out.weight"] = (config.target_vocabulary, E if every_step else H)
    shapes["decoder.fc_out.bias"] = (config.target_vocabulary,)
    for gate, has_gate in ((LEXICAL_GATE, config.lexical_prior), (BIGRAM_GATE, config.bigram_prior)):
        if has_gate:
            shapes |= {f"{gate}.weight": (1, E if every_step else H), f"{gate}.bias": (1,)}
    return {
        f"{member_prefix(member)}{name}": shape for member in range(config.members) for name, shape in shapes.items()
    }


def _glorot(view: Array, generator: np.random.Generator, fan_out: int) -> None:
    limit = math.sqrt(6.0 / (view.shape[1] + fan_out))
    view[...] = generator.uniform(-limit, limit, view.shape)


def _orthogonal(view: Array, generator: np.random.Generator) -> None:
    """Fill a (gH, H) matrix with g orthogonal (H, H) blocks."""
    hidden = view.shape[1]
    for block in np.split(view, view.shape[0] // hidden):
        q, r = np.linalg.qr(generator.standard_normal((hidden, hidden)))
        block[...] = q * np.sign(np.diag(r))  # so that the distribution is uniform (Mezzadri 2007)


def initialize(config: ModelConfig, generator: np.random.Generator, dtype: npt.DTypeLike = np.float32) -> Parameters:
    """Return initial values for every parameter.

    ===================================  =========================================================================
    embeddings                           standard normal, as in ``torch.nn.Embedding``: with smaller values the gates
                                         start almost linear, and the model can give the same output for every input
                                         for several epochs; a target embedding that is also the output layer has
                                         standard deviation ``E^(−1/4)``, between those of the two layers
    input, bridge, readout and output    uniform in ``± √(6 / (fan_in + fan_out))``, where each gate is a matrix
    weights                              (Glorot & Bengio 2010, equation 16)
    recurrent weights                    orthogonal, where each gate is a matrix, so that repeated products neither
                                         grow nor shrink (Saxe et al. 2014)
    biases, a cell's own weights         zero, unless the cell's ``initialize`` sets them: the bias of an LSTM's
                                         forget gate starts at one
    gate of a prior                      weight zero, bias ``INITIAL_GATE``: at first the same gate for every token
    ===================================  =========================================================================

    Args:
        config: the network's shape.
        generator: determines the values; the same state gives the same values in either precision, rounded.
        dtype: float32, or float64 for checking.
    """
    parameters = Parameters(parameter_shapes(config), dtype=dtype)
    for member in range(config.members):
        _initialize_network(config, generator, parameters.scope(member))
    return parameters


def _initialize_network(config: ModelConfig, generator: np.random.Generator, parameters: Parameters) -> None:
    """Set the initial values of one network."""
    H = config.hidden_size
    for name, view in parameters.items():
        if name.endswith("embedding.weight"):
            tied = config.tie_embeddings and name.startswith("decoder.")
            view[...] = generator.standard_normal(view.shape) / (config.embedding_size**0.25 if tied else 1.0)
        elif ".rnn.weight_ih" in name:
            _glorot(view, generator, fan_out=H)
        elif ".rnn.weight_hh" in name:
            _orthogonal(view, generator)
        elif name in (f"{LEXICAL_GATE}.bias", f"{BIGRAM_GATE}.bias"):
            view[...] = INITIAL_GATE
        elif name.endswith(".weight") and not name.endswith("_gate.weight"):
            _glorot(view, generator, fan_out=view.shape[0])
    cell = find_cell(config.cell)
    for prefix, directions in (("encoder.rnn.", config.directions), ("decoder.rnn.", 1)):
        stack = parameters.below(prefix)
        for layer in range(config.layers):
            for suffix in suffixes(layer, directions):
                cell.initialize(layer_weights(cell, stack, suffix), generator)
