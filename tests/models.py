"""Small random models and batches for the tests of ``nn/``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn import gradcheck
from seq2seq_cli.nn.model import Batch, Seq2Seq

SOURCE_VOCABULARY, TARGET_VOCABULARY = 7, 6


def every_config(**changes: object) -> Iterator[ModelConfig]:
    """Every cell × 1 or 2 layers × one or both directions × both context modes × tied or not, and pooled contexts."""
    contexts = [("initial", False, False), ("initial", True, False), ("every-step", False, False)]
    contexts += [("every-step", True, False), ("every-step", True, True)]
    for cell, layers, bidirectional, (context, tied, pooled) in itertools.product(
        ("rnn", "lstm", "gru"), (1, 2), (False, True), contexts
    ):
        settings: dict[str, object] = {
            "cell": cell,
            "layers": layers,
            "bidirectional": bidirectional,
            "context": context,
            "tie_embeddings": tied,
            "pooled_context": pooled,
            "embedding_size": 3,
            "hidden_size": 3 if tied and context == "initial" else 4,
            "dropout": 0.0,
        }
        yield ModelConfig(SOURCE_VOCABULARY, TARGET_VOCABULARY, **(settings | changes))  # type: ignore[arg-type]


def config_id(config: ModelConfig) -> str:
    directions = "both" if config.bidirectional else "one"
    tied = "tied" if config.tie_embeddings else "untied"
    pooled = "-pooled" * config.pooled_context
    return f"{config.cell}-{config.layers}-{directions}-{config.context}{pooled}-{tied}"


def random_batch(seed: int = 1) -> Batch:
    """A batch for the vocabularies of ``every_config``."""
    return gradcheck.random_batch(SOURCE_VOCABULARY, TARGET_VOCABULARY, seed)


def dropout_errors(model: Seq2Seq, seed: int = 5) -> dict[str, float]:
    """The relative error of each parameter's gradient under fixed dropout masks, in one random direction through all
    of its values: four forward passes for a parameter of any size.
    """
    batch, scratch = random_batch(), model.parameters.zeros_like()
    gradients, directions = model.parameters.zeros_like(), np.random.default_rng(seed + 1)
    model.loss_and_gradients(batch, gradients, generator=np.random.default_rng(seed))
    errors = {}
    for name, parameter in model.parameters.items():
        before, direction, distance = parameter.copy(), directions.standard_normal(parameter.shape), np.zeros(1)

        def mean_loss(parameter=parameter, before=before, direction=direction, distance=distance) -> float:
            parameter[...] = before + distance * direction
            result = model.loss_and_gradients(batch, scratch, generator=np.random.default_rng(seed))
            return result.loss / result.tokens

        numeric = gradcheck.numeric_gradient(mean_loss, distance)
        parameter[...] = before
        errors[name] = float(gradcheck.relative_errors(np.vdot(gradients[name], direction), numeric).max())
    return errors
