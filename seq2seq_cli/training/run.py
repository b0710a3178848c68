"""``train``: from a recipe to a model file, with everything that happens on the way as events."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER, Recipe, flag_of
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.evaluation.tokenization import check_tokenizer
from seq2seq_cli.inference.workers import check_threads
from seq2seq_cli.nn.cells import find_cell
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.nn.optimizers import find_optimizer
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState, load_model, load_state
from seq2seq_cli.storage.files import check_writable, remove_leftovers
from seq2seq_cli.storage.locks import acquire_lock
from seq2seq_cli.storage.model_files import backup_path, check_model_path, state_path, test_set_path
from seq2seq_cli.storage.origin import Origin
from seq2seq_cli.storage.paths import Named, check_outputs, corpus_files, model_files
from seq2seq_cli.text.builtin import builtin_files
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
from seq2seq_cli.training.diagnostics import Diagnostics
from seq2seq_cli.training.estimate import estimate_cost, seconds_left
from seq2seq_cli.training.events import (
    BatchesSplit,
    BleuTokenizerChosen,
    CostEstimate,
    Event,
    ModelBackedUp,
    Network,
    NothingHeldOut,
    RecipeChosen,
    StartedFrom,
    StepReport,
    SyntheticPairs,
    TestSetHeldOut,
    TrainingFinished,
    TrainingStarted,
    ValidationReport,
)
from seq2seq_cli.training.fit import fit_to_corpus, fit_to_text, planned_epochs
from seq2seq_cli.training.lexicon import learn_tables
from seq2seq_cli.training.metrics_log import open_log
from seq2seq_cli.training.start import fit_fine_tuning, load_start, mix_tables
from seq2seq_cli.training.trainer import INITIAL_STREAM, Trainer, random_stream
from seq2seq_cli.training.validation import Validation

MAY_CHANGE_ON_RESUME = ("epochs", "learning_rate", "max_minutes", "max_steps", "patience")


def train(
    recipe: Recipe | None = None,
    output: str | Path = "model.npz",
    *,
    resume: bool = False,
    dry_run: bool = False,
    log_file: str | Path | None = None,
) -> Generator[Event, None, Checkpoint | None]:
    """Train a model and keep the best one in a file, yielding what happens as typed events.

    The caller may stop at any event: closing the generator saves the training, and ``resume`` continues it.

    Args:
        recipe: corpora and settings; by default, the built-in corpus and the default settings.
        output: the model's file; its training state is ``NAME.state.npz`` beside it.
        resume: continue the training whose state exists; ``recipe`` may change its limits.
        dry_run: stop before the first step, and write no file.
        log_file: also write the metrics there, as JSON Lines.

    Yields:
        The events of ``training.events``; the last one is ``TrainingFinished``.

    Returns:
        The kept model, also in the last event; None after a dry run.

    Raises:
        UserError: for data, settings or files that are invalid, before any work and before any file is touched.

    Example::

        from seq2seq_cli import Recipe, train
        from seq2seq_cli.training.events import ValidationReport

        for event in train(Recipe.of(corpus="pairs.tsv", epochs=10), "mine.npz"):
            if isinstance(event, ValidationReport):
                print(event.epoch, event.valid_bleu)
    """
    recipe, output = recipe or Recipe(), Path(output)
    outputs = _check_outputs(recipe, output, log_file)
    find_cell(recipe.model.cell)
    find_optimizer(recipe.training.optimizer)
    if recipe.training.tokenize is not None:
        check_tokenizer(recipe.training.tokenize)
    recipe = dataclasses.replace(recipe, threads=check_threads(recipe.threads))
    with contextlib.ExitStack() as locks:
        if not dry_run:
            for path in outputs:
                if path != state_path(output):  # the model's lock is the state's too
                    locks.enter_context(acquire_lock(path))
            for path in outputs:
                remove_leftovers(path)
        trainer = yield from _prepare(recipe, output, resume, dry_run)
        if dry_run:
            return None
        if output.exists() and not resume:
            yield ModelBackedUp(output, backup_path(output))
        return (yield from _run(trainer, log_file, resume))


def _check_outputs(recipe: Recipe, output: Path, log_file: str | Path | None) -> list[Path]:
    """Return the files to lock; all can be written, and none of them is a file to read."""
    check_model_path(output)
    outputs = [output, state_path(output)]
    if recipe.corpora.test:
        outputs.append(test_set_path(output))
    if log_file is not None:
        if os.path.realpath(log_file) in map(os.path.realpath, outputs):
            raise usage_error(
                "the metrics log cannot be the model file or its training state",
                where="--log-file",
                fix="name another file",
            )
        outputs.append(Path(log_file))
    logs: list[Named] = [] if log_file is None else [("--log-file", log_file)]
    tests: list[Named] = [("--test", test_set_path(output))] if recipe.corpora.test else []
    check_outputs(_inputs(recipe), [*model_files("--output", output), *logs, *tests])
    for path in outputs:
        check_writable(path)
    return [path for path in outputs if path.is_file() or not path.exists()]


def _inputs(recipe: Recipe) -> Iterator[Named]:
    """Yield the files that a recipe names, and the built-in corpus."""
    corpora = recipe.corpora
    named = {"the training corpus": corpora.corpus, "--valid": corpora.valid}
    named |= {"--source-tokenizer": corpora.source_tokenizer, "--target-tokenizer": corpora.target_tokenizer}
    named |= {"--start-from": corpora.start_from}
    for name, path in named.items():
        yield from corpus_files(name, path) if path else ()
    for file in builtin_files():
        yield "the built-in corpus", file


def _prepare(recipe: Recipe, output: Path, resume: bool, dry_run: bool) -> Generator[Event, None, Trainer]:
    """Read and encode the corpora, make or load the model, and return the trainer, ready to start."""
    resumed = _load_state(recipe, output) if resume else None
    start = None
    if resumed:
        recipe = dataclasses.replace(_continued(resumed[0].recipe, recipe), threads=recipe.threads)
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
    validation = Validation(checkpoint, valid.text, recipe.threads or 1)
    state = resumed[1] if resumed else None
    synthetic = augment(checkpoint, train.ids)
    trainer = Trainer(checkpoint, train.ids, valid.ids, output, validation, state, recipe.threads or 1, synthetic)

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


def _run(trainer: Trainer, log_file: str | Path | None, resumed: bool) -> Generator[Event, None, Checkpoint]:
    """Run the loop; its reports go to the log and, with what the diagnostics find, to the caller."""
    checkpoint, output = trainer.checkpoint, trainer.files.output
    yield TrainingStarted(
        checkpoint.recipe,
        output,
        trainer.step,
        trainer.seconds,
        trainer.total_steps,
        max(checkpoint.measured("valid_bleu"), default=None),
        trainer.finished,
    )
    vocabulary = checkpoint.model.config.target_vocabulary
    by_loss = trainer.config.keep_best == "loss"
    diagnostics = Diagnostics(trainer.config.clip_norm, vocabulary, checkpoint.measured("valid_loss"), by_loss)
    best: ValidationReport | None = None
    trained = False
    try:
        with open_log(log_file, trainer.step if resumed else 0, checkpoint.history) as log:
            for report in trainer.run():
                trained = True
                if log is not None:
                    log.write(report)
                yield report
                if isinstance(report, StepReport):
                    yield from diagnostics.after_step(report)
                else:
                    best = report if report.improved else best
                    yield from diagnostics.after_validation(report)
    except GeneratorExit:  # the caller stopped iterating: save
        trainer.save()
        raise
    finally:
        trainer.parallel.workers.shut_down()
    kept = load_model(output)
    stopped_early = trainer.schedule.exhausted
    yield TrainingFinished(output, kept, trainer.step, trainer.seconds, best, stopped_early, trained)
    return kept


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


def _load_state(recipe: Recipe, output: Path) -> tuple[Checkpoint, TrainingState]:
    """Return the training to resume.

    Raises:
        UserError: if there is none, or if the recipe asks for what it did not start with.
    """
    path = state_path(output)
    if not path.exists():
        raise UserError("there is no training to resume", where=str(path), fix="train without --resume")
    checkpoint, state = load_state(path)
    for side, found in (("source", checkpoint.source_tokenizer), ("target", checkpoint.target_tokenizer)):
        file = getattr(recipe.corpora, f"{side}_tokenizer")
        if file is not None and load_tokenizer(Path(file)).to_json() != found.to_json():
            raise UserError(
                f"this {side} tokenizer is not the one that this training started with",
                where=str(file),
                fix=f"leave --{side}-tokenizer out, or train without --resume",
            )
    for name, stored, given in _differences(checkpoint.recipe, recipe):
        flag = flag_of(name)
        may_change = ", ".join(flag_of(each) for each in MAY_CHANGE_ON_RESUME)
        raise UserError(
            f"{flag} {given} is not what this training started with: {stored}",
            where=str(path),
            fix=f"leave {flag} out ({may_change} may change), or train without --resume",
        )
    return checkpoint, state


def _differences(stored: Recipe, recipe: Recipe) -> Iterator[tuple[str, object, object]]:
    """Yield the settings that were given, must not change, and differ; what files hold is compared elsewhere."""
    files = ("corpus", "valid", "source_tokenizer", "target_tokenizer", "threads")
    before, now = stored.settings(), recipe.settings()
    for name in sorted(recipe.given):
        if name not in (*MAY_CHANGE_ON_RESUME, *files) and before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _continued(stored: Recipe, recipe: Recipe) -> Recipe:
    """Return the stored recipe with what may change taken from the given one."""
    changes = {name: value for name, value in recipe.settings().items() if name in recipe.given}
    continued: Recipe = dataclasses.replace(stored.replace(**changes), model=stored.model)
    return continued
