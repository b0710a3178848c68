"""A recipe that fits the corpus: settings that the user did not give are chosen by the number of sentence pairs.

The size of the vocabularies also depends on the characters, and the tokenizer for BLEU on the script of the target.

The values are set at a few sizes (``ANCHORS``) and are interpolated between them over the logarithm of the number of
pairs, so that a corpus a little larger gets a recipe a little different. A small corpus needs strong regularization,
small networks and many epochs; a large one the opposite. Which of them were measured is in ``nn/README.md``.
"""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER, UNLIMITED_EPOCHS, Recipe
from seq2seq_cli.evaluation.tokenization import TokenizerChoice, choose_tokenizer
from seq2seq_cli.text.alphabet import covering_size
from seq2seq_cli.text.corpus import Corpus

ANCHORS: dict[int, dict[str, float]] = {
    3_000: {
        "vocab_size": 4000,
        "hidden_size": 128,
        "batch_size": 32,
        "learning_rate": 0.003,
        "dropout": 0.4,
        "weight_dropout": 0.3,
        "word_dropout": 0.1,
        "context_dropout": 0.2,
        "augmentation": 1.0,
        "members": 4,
        "epochs": 40,
        "minutes": 10,
    },
    10_000: {
        "vocab_size": 4000,
        "hidden_size": 128,
        "batch_size": 32,
        "learning_rate": 0.003,
        "dropout": 0.3,
        "weight_dropout": 0.3,
        "word_dropout": 0.1,
        "context_dropout": 0.2,
        "augmentation": 1.0,
        "members": 4,
        "epochs": 14,
        "minutes": 10,
    },
    40_000: {
        "vocab_size": 4000,
        "hidden_size": 192,
        "batch_size": 64,
        "learning_rate": 0.004,
        "dropout": 0.2,
        "weight_dropout": 0.1,
        "word_dropout": 0.05,
        "context_dropout": 0.1,
        "augmentation": 0.0,
        "members": 2,
        "epochs": 10,
        "minutes": 20,
    },
    140_000: {
        "vocab_size": 6000,
        "hidden_size": 320,
        "batch_size": 64,
        "learning_rate": 0.004,
        "dropout": 0.1,
        "weight_dropout": 0.0,
        "word_dropout": 0.0,
        "context_dropout": 0.0,
        "augmentation": 0.0,
        "members": 1,
        "epochs": 8,
        "minutes": 40,
    },
}
"""Number of training pairs → the settings at that size; ``minutes`` is the maximum training time."""
UNITS = {"vocab_size": 500, "hidden_size": 32, "batch_size": 16, "learning_rate": 0.0005, "epochs": 1, "members": 1}
"""Rounding units of interpolated values."""
UNIT_OF_RATES = 0.05
"""Rounding unit of all others."""
SHARE_OF_STEPS = 0.92
"""Share of a training's time that its steps may take; the rest is for the validations."""
BUILTIN = {
    "vocab_size": 4000,
    "hidden_size": 192,
    "members": 1,
    "epochs": 5,
    "dropout": 0.1,
    "weight_dropout": 0.0,
    "word_dropout": 0.0,
    "context_dropout": 0.0,
}
"""The built-in corpus is usually tried first, so it gets four minutes; one network learns more in them than two, and
so few epochs need little regularization. 224 units and 4,500 entries, as for another corpus of its size, gain about
0.6 BLEU, but take a third more time (see data/README.md)."""


def fitted_values(pairs: int) -> dict[str, Any]:
    """Return the settings for a corpus of that many pairs.

    Example:
        >>> fitted_values(3000)["hidden_size"], fitted_values(1_000_000)["hidden_size"]
        (128, 320)
    """
    sizes = sorted(ANCHORS)
    size = min(max(pairs, sizes[0]), sizes[-1])
    below, above = next((a, b) for a, b in pairwise(sizes) if a <= size <= b)
    share = (math.log(size) - math.log(below)) / (math.log(above) - math.log(below))
    values: dict[str, Any] = {}
    for name, low in ANCHORS[below].items():
        value = low + share * (ANCHORS[above][name] - low)
        unit = UNITS.get(name, UNIT_OF_RATES)
        values[name] = round(round(value / unit) * unit, 4)
    return values


def fit_to_corpus(recipe: Recipe, pairs: int) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe with the settings that were not given fitted to that many pairs, and those settings.

    The plain network of the tutorials (``context`` "initial") stays plain: it gets neither the priors nor the pooled
    context, the regularization, and the synthetic pairs that go with them. Without a lexical prior there is no bigram
    prior either, unless it was given.
    """
    chosen = fitted_values(pairs)
    del chosen["minutes"]
    if recipe.model.context == "every-step":
        prior = recipe.model.lexical_prior or "lexical_prior" not in recipe.given
        chosen |= {"lexical_prior": True, "bigram_prior": prior, "keep_best": "chrf", "halve_on_plateau": False}
        chosen["pooled_context"] = True
        chosen["patience"] = max(recipe.training.patience, chosen["epochs"])
    else:
        chosen = {"epochs": chosen["epochs"]}
    if recipe.corpora.corpus is None:
        chosen |= {name: value for name, value in BUILTIN.items() if name in chosen}
    if recipe.training.max_steps is not None or recipe.training.max_minutes is not None:
        chosen["epochs"] = UNLIMITED_EPOCHS
    chosen = {name: value for name, value in chosen.items() if name not in recipe.given}
    given = recipe.given
    return dataclasses.replace(recipe.replace(**chosen), given=given), chosen


def fit_to_text(recipe: Recipe, corpus: Corpus) -> tuple[Recipe, dict[str, Any], TokenizerChoice | None]:
    """Return the recipe with vocabularies that cover the characters of a corpus, and a suitable tokenizer for BLEU.

    Args:
        recipe: as ``fit_to_corpus`` returns it.
        corpus: the training pairs.

    Returns:
        The recipe, the settings that were changed, and how the tokenizer was chosen (None if it was given). A setting
        that was given is not changed; the default tokenizer is not written into the recipe.
    """
    chosen: dict[str, Any] = {}
    files = recipe.corpora
    sides = [
        lines
        for file, lines in ((files.source_tokenizer, corpus.sources), (files.target_tokenizer, corpus.targets))
        if file is None
    ]
    if "vocab_size" not in recipe.given and files.start_from is None and sides:
        size = max(covering_size(recipe.tokenizers, lines) for lines in sides)
        if size > recipe.tokenizers.vocab_size:
            chosen["vocab_size"] = size
    choice = None
    if recipe.training.tokenize is None:
        choice = choose_tokenizer(corpus.targets)
        if choice.name != DEFAULT_BLEU_TOKENIZER:
            chosen["tokenize"] = choice.name
    return dataclasses.replace(recipe.replace(**chosen), given=recipe.given), chosen, choice


def planned_epochs(recipe: Recipe, pairs: int, epoch_seconds: float) -> int:
    """Return how many epochs fit into the time that a corpus of that size should take; all, if they were given.

    At least half of them: fewer give a poor model, and the machine may have been loaded only while the steps were
    timed.
    """
    training = recipe.training
    if "epochs" in recipe.given or training.max_steps is not None or training.max_minutes is not None:
        return training.epochs
    fitting = int(SHARE_OF_STEPS * 60 * fitted_values(pairs)["minutes"] / max(epoch_seconds, 1e-9))
    return max(math.ceil(training.epochs / 2), min(training.epochs, fitting))
