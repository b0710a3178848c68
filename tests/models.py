"""Small random models and batches for the tests of ``nn/``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.model import Batch, Seq2Seq
from seq2seq_cli.nn.packing import Packing

SOURCE_VOCABULARY, TARGET_VOCABULARY = 7, 6


def every_config(**changes: object) -> Iterator[ModelConfig]:
    """Every cell × 1 or 2 layers × one or both directions × both context modes × tied or not."""
    for cell, layers, bidirectional, context, tied in itertools.product(
        ("rnn", "lstm", "gru"), (1, 2), (False, True), ("initial", "every-step"), (False, True)
    ):
        settings: dict[str, object] = {
            "cell": cell,
            "layers": layers,
            "bidirectional": bidirectional,
            "context": context,
            "tie_embeddings": tied,
            "embedding_size": 3,
            "hidden_size": 3 if tied and context == "initial" else 4,
            "dropout": 0.0,
        }
        yield ModelConfig(SOURCE_VOCABULARY, TARGET_VOCABULARY, **(settings | changes))  # type: ignore[arg-type]


def config_id(config: ModelConfig) -> str:
    directions = "both" if config.bidirectional else "one"
    tied = "tied" if config.tie_embeddings else "untied"
    return f"{config.cell}-{config.layers}-{directions}-{config.context}-{tied}"


def random_model(config: ModelConfig, seed: int = 0) -> Seq2Seq:
    """A float64 model whose every parameter, biases too, is random and not zero."""
    generator = np.random.default_rng(seed)
    model = Seq2Seq.create(config, generator, np.float64)
    model.parameters.flat[:] = generator.uniform(-0.6, 0.6, len(model.parameters.flat))
    return model


def random_batch(seed: int = 1, sentences: int = 4) -> Batch:
    """Sentences of unequal lengths whose order by source length is not their order by target length."""
    generator = np.random.default_rng(seed)
    source = [5, 3, 3, 1][:sentences]
    target = [6, 4, 2, 1][:sentences]
    source_packing, target_packing = Packing.of(source), Packing.of(target)
    rows = np.array([2, 0, 3, 1])[:sentences] if sentences == 4 else np.arange(sentences)
    return Batch(
        source=generator.integers(0, SOURCE_VOCABULARY, source_packing.tokens),
        source_packing=source_packing,
        target_inputs=generator.integers(0, TARGET_VOCABULARY, target_packing.tokens),
        target_outputs=generator.integers(0, TARGET_VOCABULARY, target_packing.tokens),
        target_packing=target_packing,
        source_rows=rows,
    )
