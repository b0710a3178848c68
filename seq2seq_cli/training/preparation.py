"""From a recipe to a trainer that is ready to start: corpora, tokenizers, model, tables, and estimates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Iterable
from pathlib import Path

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER, Recipe
from seq2seq_cli.evaluation.tokenization import check_tokenizer
from seq2seq_cli.inference.communicator import Communicator
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.storage.model_files import test_set_path
from seq2seq_cli.storage.origin import Origin
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.lines import Lines
from seq2seq_cli.text.source_style import SourceStyle
from seq2seq_cli.text.tokenizer import Tokenizer
from seq2seq_cli.text.tokenizer_file import load_tokenizer, train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
from seq2seq_cli.training.augmentation import augment
from seq2seq_cli.training.corpora import (
    describe_corpus,
    describe_vocabularies,
    encode_pairs,
    find_suspicious_pairs,
    find_unknown_tokens,
    read_corpora,
    write_test_set,
)
from seq2seq_cli.training.estimate import estimate_cost, seconds_left
from seq2seq_cli.training.events import (
    BatchesSplit,
    BleuTokenizerChosen,
    CostEstimate,
    Event,
    Network,
    NothingHeldOut,
    RecipeChosen,
    StartedFrom,
    SyntheticPairs,
    TestSetHeldOut,
)
from seq2seq_cli.training.fit import fit_to_corpus, fit_to_text, planned_epochs
from seq2seq_cli.training.lexicon import learn_tables
from seq2seq_cli.training.resuming import continued, load_training
from seq2seq_cli.training.shared_training import PreparedTraining, share_training
from seq2seq_cli.training.start import fit_fine_tuning, load_start, mix_tables
from seq2seq_cli.training.trainer import INITIAL_STREAM, Trainer, random_stream
from seq2seq_cli.training.validation import Validation


def prepare(
    recipe: Recipe, output: Path, resume: bool, dry_run: bool, communicator: Communicator
) -> Generator[Event, None, Trainer]:
    """Prepare the training in the first process of a run, send it to the others, and return the trainer of each.

    Args:
        recipe, output, resume, dry_run: as for ``train``.
        communicator: the processes of the run.

    Yields:
        In the first process, what ``train`` reports before the first step.

    Raises:
        UserError: for data or settings that are invalid.
    """
    if communicator.first:
        return (yield from _prepare_first(recipe, output, resume, dry_run, communicator))
    shared = share_training(communicator, None)
    trainer = _trainer(shared, output, communicator)
    if not trainer.finished:
        cost = estimate_cost(trainer)
        if shared.state is None:
            _limit_epochs(trainer, cost)
    return trainer


def _trainer(prepared: PreparedTraining, output: Path, communicator: Communicator) -> Trainer:
    checkpoint, train, valid, valid_text, state, synthetic = prepared
    threads = checkpoint.recipe.threads or 1
    validation = Validation(checkpoint, valid_text, threads, communicator)
    return Trainer(checkpoint, train, valid, output, validation, state, threads, synthetic, communicator)


def _prepare_first(
    recipe: Recipe, output: Path, resume: bool, dry_run: bool, communicator: Communicator
) -> Generator[Event, None, Trainer]:
    """Read and encode the corpora, make or load the model, and return the trainer, ready to start."""
    resumed = load_training(recipe, output) if resume else None
    start = None
    if resumed:
        recipe = dataclasses.replace(continued(resumed[0].recipe, recipe), threads=recipe.threads)
        check_tokenizer(recipe.training.tokenize or DEFAULT_BLEU_TOKENIZER)
    elif recipe.corpora.start_from is not None:
        start, recipe = load_start(recipe)
        yield StartedFrom(Path(str(recipe.corpora.start_from)), start.corpus)
    train_text, valid_text, test = read_corpora(recipe)
    if test is not None:
        if not (resume or dry_run):
            write_test_set(test, test_set_path(output), recipe.corpora.swap)
        yield TestSetHeldOut(test_set_path(output), len(test))
    if valid_text is train_text:
        yield NothingHeldOut()
    if not resumed:
        recipe, chosen = (fit_fine_tuning if start else fit_to_corpus)(recipe, len(train_text))
        recipe, for_text, bleu_tokenizer = fit_to_text(recipe, train_text)
        chosen |= for_text
    checkpoint = resumed[0] if resumed else start or _new_model(recipe, train_text)
    checkpoint.recipe = recipe

    train, skipped = encode_pairs(train_text, checkpoint)
    if skipped:
        yield skipped
    valid = train
    if valid_text is not train_text:
        valid, skipped = encode_pairs(valid_text, checkpoint)
        if skipped:
            yield skipped
    del train_text, valid_text
    # Before the tables of the priors, which take most of the time until the first step.
    yield describe_corpus(recipe, train, valid)
    yield describe_vocabularies(checkpoint, train, valid)
    yield find_suspicious_pairs(recipe, train.text, valid.text)
    longest = int(train.ids.source.lengths.max()) - 1
    checkpoint.origin = Origin(pairs=len(train.text))
    sources = Lines(map(checkpoint.source_tokenizer.normalize, train.text.sources))
    vocabulary = TrainingVocabulary.of(sources, longest)
    vocabulary = dataclasses.replace(vocabulary, style=SourceStyle.learn(sources))
    if start:
        checkpoint.training_vocabulary = start.training_vocabulary.joined(vocabulary)
        checkpoint.model.tables = mix_tables(start.model.tables, learn_tables(checkpoint, train.ids), train.ids)
    elif recipe.corpora.start_from is None:  # else the state has the words of both trainings
        checkpoint.training_vocabulary = vocabulary
    if not (resumed or start):
        checkpoint.model.tables = learn_tables(checkpoint, train.ids)
    state = resumed[1] if resumed else None
    synthetic = augment(checkpoint, train.ids)
    prepared = PreparedTraining(checkpoint, train.ids, valid.ids, valid.text, state, synthetic)
    trainer = _trainer(share_training(communicator, prepared), output, communicator)

    if synthetic is not None:
        yield SyntheticPairs(len(synthetic), trainer.synthetic_per_epoch)
    yield Network(checkpoint.model.config, len(checkpoint.model.parameters.flat))
    if not resumed and bleu_tokenizer is not None and bleu_tokenizer.reason:
        yield BleuTokenizerChosen(bleu_tokenizer.name, bleu_tokenizer.reason)
    if not trainer.finished:
        cost = estimate_cost(trainer)
        if not resumed:
            cost = _limit_epochs(trainer, cost)
            planned = {"epochs": trainer.config.epochs} if "epochs" in chosen else {}
            yield RecipeChosen(len(train.ids), {**chosen, **planned})
        yield cost
    for pairs in (train, valid):
        yield from find_unknown_tokens(pairs)
    if trainer.steps_per_epoch > math.ceil(len(train.ids) / recipe.training.batch_size):
        yield BatchesSplit(recipe.training.max_tokens_per_batch, recipe.training.batch_size)
    return trainer


def _limit_epochs(trainer: Trainer, cost: CostEstimate) -> CostEstimate:
    """Plan fewer epochs where this machine would take longer than a corpus of that size should."""
    recipe = trainer.checkpoint.recipe
    mean = cost.epoch_seconds * trainer.total_steps / (cost.steps_per_epoch * trainer.config.epochs)
    epochs = planned_epochs(recipe, trainer.real_pairs, mean)
    if epochs < trainer.config.epochs:
        trainer.config = dataclasses.replace(trainer.config, epochs=epochs)
        trainer.checkpoint.recipe = dataclasses.replace(recipe, training=trainer.config)
    return dataclasses.replace(cost, seconds=seconds_left(trainer, cost.epoch_seconds / cost.steps_per_epoch))


def _new_model(recipe: Recipe, train: Corpus) -> Checkpoint:
    """Return a model with random weights and the tokenizers that the recipe names, or that learn from the corpus."""
    source = _tokenizer(recipe, recipe.corpora.source_tokenizer, train.sources)
    target = _tokenizer(recipe, recipe.corpora.target_tokenizer, train.targets)
    config = dataclasses.replace(recipe.model, source_vocabulary=len(source), target_vocabulary=len(target))
    model = create_model(config, random_stream(recipe.training.seed, INITIAL_STREAM))
    return Checkpoint(model, source, target, recipe)


def _tokenizer(recipe: Recipe, path: str | None, lines: Iterable[str]) -> Tokenizer:
    return train_tokenizer(recipe.tokenizers, lines) if path is None else load_tokenizer(Path(path))
