"""Gradient check: compare the hand-derived gradients with finite differences of the loss.

A network with a wrong gradient often still trains, only worse. Finite differences do not depend on the derivation: they
change one value by ± ε and divide the change of the loss by that of the value. The check uses float64, a model that is
small enough to change every single value, random biases, and sentences of unequal lengths, so that no zero hides a
mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.lexical_prior import Lexicon, entries
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.nn.model import NO_TABLES, Batch, Seq2Seq, Tables
from seq2seq_cli.nn.packing import Packing

EPSILON = 1e-3
SMALLEST_SCALE = 1e-5
"""Errors of smaller gradients are relative to this value: the rounding error of the differences is about 1e-12, so the
relative error of a gradient near zero would be meaningless."""
TOLERANCE = 1e-6
"""Largest relative error of a correct gradient; one wrong term gives 1e-2 or more."""
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class GradientCheck:
    """The result of the check for one parameter.

    Args:
        name: name of the parameter.
        shape: its shape.
        worst: largest relative error over all its values.
        derived, numeric: both gradients at the value with the largest error.
    """

    name: str
    shape: tuple[int, ...]
    worst: float
    derived: float
    numeric: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.worst < TOLERANCE


def numeric_gradient(function: Callable[[], float], x: Array) -> Array:
    """Return ∂function/∂x by the five-point rule.

    ::

        f'(x) ≈ (f(x − 2ε) − 8 f(x − ε) + 8 f(x + ε) − f(x + 2ε)) / 12ε

    Its error is O(ε⁴), so ε can be large enough that rounding does not matter.

    Args:
        function: reads ``x`` and returns a number.
        x: of any shape; changed in place value by value, and restored.

    Raises:
        TypeError: if ``x`` is not float64; finite differences in float32 are mostly rounding.

    Source:
        Abramowitz & Stegun 1964, "Handbook of Mathematical Functions", table 25.2.
    """
    if x.dtype != np.float64:
        raise TypeError(f"finite differences need float64, not {x.dtype}")
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        total = 0.0
        for step, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            x[index] = value + step * EPSILON
            total += weight * function()
        x[index] = value
        gradient[index] = total / (12 * EPSILON)
    return gradient


def relative_errors(derived: Array, numeric: Array) -> Array:
    """Return |a − n| / max(|a|, |n|, ``SMALLEST_SCALE``) of every value."""
    scale = np.maximum(np.maximum(np.abs(derived), np.abs(numeric)), SMALLEST_SCALE)
    errors: Array = np.abs(derived - numeric) / scale
    return errors


def random_model(config: ModelConfig, seed: int = 0) -> Seq2Seq:
    """Return a float64 model whose parameters, biases included, and lexical tables are all random and not zero."""
    generator = np.random.default_rng(seed)
    model = create_model(config, generator, np.float64)
    model.parameters.flat[:] = generator.uniform(-0.6, 0.6, len(model.parameters.flat))
    sizes = config.source_vocabulary, config.target_vocabulary
    tables = NO_TABLES
    if config.lexical_prior:
        tables = Tables(_random_lexicon(*sizes, generator), _random_lexicon(*sizes[::-1], generator))
    if config.bigram_prior:
        tables = tables._replace(bigrams=_random_bigrams(*sizes, generator))
    model.tables = tables
    return model


def _random_lexicon(given: int, predicted: int, generator: np.random.Generator) -> Lexicon:
    K = entries(predicted)
    indices = np.array([generator.permutation(predicted)[:K] for _ in range(given)], np.int32)
    return Lexicon(indices, generator.dirichlet(np.ones(predicted), given)[:, :K].astype(np.float32), predicted)


def _random_bigrams(V_source: int, V_target: int, generator: np.random.Generator) -> BigramTable:
    L = 4 * V_source * V_target
    source, previous, target = (generator.integers(V, size=L) for V in (V_source, V_target, V_target))
    return BigramTable.count(source, previous, target, V_target, L)


def random_batch(source_vocabulary: int, target_vocabulary: int, seed: int = 1) -> Batch:
    """Return four pairs of unequal lengths, in different orders by source length and by target length."""
    generator = np.random.default_rng(seed)
    source_packing, target_packing = Packing.of([5, 3, 3, 1]), Packing.of([6, 4, 2, 1])
    return Batch(
        source=generator.integers(0, source_vocabulary, source_packing.tokens),
        source_packing=source_packing,
        target_inputs=generator.integers(0, target_vocabulary, target_packing.tokens),
        target_outputs=generator.integers(0, target_vocabulary, target_packing.tokens),
        target_packing=target_packing,
        source_rows=np.array([2, 0, 3, 1]),
    )


def check_gradients(model: Seq2Seq, batch: Batch) -> Iterator[GradientCheck]:
    """Compare every value of every gradient of the mean loss per target token with finite differences.

    Args:
        model: in float64, and small, because every value takes four forward passes.
        batch: sentence pairs.
    """
    gradients = model.parameters.zeros_like()
    model.loss_and_gradients(batch, gradients, label_smoothing=LABEL_SMOOTHING)

    def mean_loss() -> float:
        """Return the function that is differentiated: the mean loss per real target token."""
        result = model.loss(batch, label_smoothing=LABEL_SMOOTHING, leave_one_out=True)
        return result.loss / result.tokens

    for name, parameter in model.parameters.items():
        numeric = numeric_gradient(mean_loss, parameter)
        errors = relative_errors(gradients[name], numeric)
        worst = np.unravel_index(np.argmax(errors), errors.shape)
        yield GradientCheck(
            name, parameter.shape, float(errors[worst]), float(gradients[name][worst]), float(numeric[worst])
        )
