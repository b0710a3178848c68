"""Fine-tuning: a training that starts from a trained model instead of random weights.

The tokenizers and the shape of the network are those of the model, because its weights mean nothing for others. All
other settings, and which side is the source (``--swap``), are its own as well, unless they are given; but the learning
rate is lower, and limits of time and steps are not inherited.

The tables of the priors are mixed from the model's own and those of the new pairs, each source token by how often it
occurs there::

    t(v|s) = w · t_new(v|s) + (1 − w) · t_old(v|s)        w = n(s) / (n(s) + k)
    c(s, u, v) = c_new(s, u, v) + c_old(s, u, v)

The first validation, at step 0, is of the model as it starts: old weights, mixed tables. What the new pairs make it
forget shows in the validations, if ``--valid`` names pairs of the kind that it was trained on before.

Measured with a small model of everyday sentences (English–German, 10,000 pairs, two minutes) that was fine-tuned on
3,000 image captions, BLEU / chrF2 of greedy search::

                             before        tables mixed   only the new ones   only the old ones
    image captions           2.2 / 20.6    10.4 / 35.7    10.1 / 35.3         6.7 / 31.1
    everyday sentences       12.1 / 32.3   7.2 / 26.3     1.3 / 15.5          3.2 / 21.9

and with mixed tables after 250 steps, by the factor of the learning rate::

                             1             0.5           0.3           0.1
    image captions           9.8 / 36.0    9.1 / 34.6    9.2 / 33.7    7.3 / 31.5
    everyday sentences       6.1 / 25.2    7.1 / 26.1    8.3 / 26.7    9.2 / 27.7

Source: Luong & Manning 2015, "Stanford Neural Machine Translation Systems for Spoken Language Domains", section 3
(training continues on pairs of the new domain).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq_cli.config import UNLIMITED_EPOCHS, ModelConfig, Recipe, TrainingConfig, flag_of, settings_in
from seq2seq_cli.errors import usage_error
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.nn.functional import IntArray
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.members import build_model
from seq2seq_cli.nn.model import Tables
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.text.builtin import BUILTIN
from seq2seq_cli.text.tokenizer_file import load_tokenizer
from seq2seq_cli.training.batches import EncodedCorpus
from seq2seq_cli.training.fit import fitted_values

RATE_FACTOR = 0.3
"""The learning rate at the start, relative to that of the model's own training."""
PRIOR_WEIGHT = 5.0
"""k: a source token that occurs that often in the new pairs has as much of the new table as of the old one."""
MAY_CHANGE = ("dropout", "word_dropout", "context_dropout", "weight_dropout")
"""Settings of the network that do not shape it."""
LIMITS = ("epochs", "max_steps", "max_minutes")
BLOCK = 256
"""Rows of a table that are mixed at a time."""


def load_start(recipe: Recipe) -> tuple[Checkpoint, Recipe]:
    """Return the model to start from, without its history, and the recipe with its settings where none are given.

    Args:
        recipe: names the model.

    Raises:
        UserError: if it is not a model, or for a setting that shapes the network or the vocabulary and differs.
    """
    path = Path(str(recipe.corpora.start_from))
    start = load_model(path)
    if recipe.corpora.corpus is None and start.corpus != BUILTIN:
        raise usage_error(
            f"no training pairs are named, and {path} was not trained on the built-in corpus, but on {start.corpus}",
            where="--start-from",
            fix=f"name the pairs: seq2seq train pairs.tsv --start-from {path} -o tuned.npz",
        )
    if "swap" not in recipe.given:  # in the direction of the model
        corpora = dataclasses.replace(recipe.corpora, swap=start.recipe.corpora.swap)
        recipe = dataclasses.replace(recipe, corpora=corpora)
    _check_tokenizers(recipe, start)
    _check_settings(recipe, start)
    given = {name: value for name, value in recipe.settings().items() if name in recipe.given}
    rates = {name: given[name] for name in MAY_CHANGE if name in given}
    model = dataclasses.replace(start.model.config, **rates)
    own = {name: getattr(recipe.training, name) for name in settings_in(TrainingConfig) if name in {*given, *LIMITS}}
    training = dataclasses.replace(start.recipe.training, **own)
    start.model = build_model(model, start.model.parameters, start.model.tables)
    start.history = []
    return start, dataclasses.replace(recipe, model=model, training=training, tokenizers=start.recipe.tokenizers)


def fit_fine_tuning(recipe: Recipe, pairs: int) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe of ``load_start`` with what was not given fitted to that many pairs, and those settings."""
    training = recipe.training
    limited = training.max_steps is not None or training.max_minutes is not None
    epochs = UNLIMITED_EPOCHS if limited else fitted_values(pairs)["epochs"]
    chosen: dict[str, Any] = {"learning_rate": float(f"{RATE_FACTOR * training.learning_rate:.3g}"), "epochs": epochs}
    chosen = {name: value for name, value in chosen.items() if name not in recipe.given}
    return dataclasses.replace(recipe, training=dataclasses.replace(training, **chosen)), chosen


def mix_tables(old: Tables, new: Tables, train: EncodedCorpus) -> Tables:
    """Return the tables of both trainings together.

    Args:
        old: those of the model to start from.
        new: those of the new pairs.
        train: the new pairs.
    """
    return Tables(
        _mix_lexicons(old.lexicon, new.lexicon, train.source.ids),
        _mix_lexicons(old.reverse_lexicon, new.reverse_lexicon, train.target.ids),
        _add_bigrams(old.bigrams, new.bigrams),
    )


def _mix_lexicons(old: Lexicon | None, new: Lexicon | None, given: IntArray) -> Lexicon | None:
    if old is None or new is None:
        return new if old is None else old
    counts = np.bincount(given, minlength=len(new.indices))
    weights = (counts / (counts + PRIOR_WEIGHT))[:, None]
    K, V = new.indices.shape[1], new.target_vocabulary
    indices, values = np.empty_like(new.indices), np.empty_like(new.values)
    for start in range(0, len(indices), BLOCK):
        rows = slice(start, start + BLOCK)
        mixed = np.zeros((len(indices[rows]), V))
        each = np.arange(len(mixed))[:, None]
        np.add.at(mixed, (each, old.indices[rows]), (1 - weights[rows]) * old.values[rows])
        np.add.at(mixed, (each, new.indices[rows]), weights[rows] * new.values[rows])
        order = np.argsort(-mixed, axis=1, kind="stable")[:, :K]
        indices[rows], values[rows] = order, np.take_along_axis(mixed, order, axis=1)
    return Lexicon(indices, values, V)


def _add_bigrams(old: BigramTable | None, new: BigramTable | None) -> BigramTable | None:
    if old is None or new is None:
        return new if old is None else old
    triples, places = np.unique(np.concatenate([old.triples, new.triples]), axis=0, return_inverse=True)
    counts = np.bincount(places.ravel(), np.concatenate([old.counts, new.counts]))
    return BigramTable(triples, counts.astype(np.int32), new.target_vocabulary)


def _check_tokenizers(recipe: Recipe, start: Checkpoint) -> None:
    for side, own in (("source", start.source_tokenizer), ("target", start.target_tokenizer)):
        file = getattr(recipe.corpora, f"{side}_tokenizer")
        if file is not None and load_tokenizer(Path(file)).to_json() != own.to_json():
            raise usage_error(
                f"this {side} tokenizer is not that of the model to start from",
                where=str(file),
                fix=f"leave --{side}-tokenizer out: the model has its own",
            )


def _check_settings(recipe: Recipe, start: Checkpoint) -> None:
    """Raise for a given setting that shapes the network or the vocabulary, and is not the model's own."""
    known = dataclasses.replace(start.recipe, model=start.model.config).settings()
    shaping = [*settings_in(ModelConfig), *settings_in(type(recipe.tokenizers))]
    for name in (name for name in shaping if name in recipe.given and name not in MAY_CHANGE):
        given = recipe.settings().get(name)
        if given != known.get(name):
            raise usage_error(
                f"{flag_of(name)} {given} is not that of the model to start from: {known.get(name)}",
                where=str(recipe.corpora.start_from),
                fix=f"leave {flag_of(name)} out, or train a new model without --start-from",
            )
