"""``train``: from a recipe to a model file, with everything that happens on the way as events."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from seq2seq_cli.config import Recipe
from seq2seq_cli.errors import usage_error
from seq2seq_cli.evaluation.tokenization import check_tokenizer
from seq2seq_cli.inference.communicator import Communicator, PeerError, communicator_of
from seq2seq_cli.inference.workers import check_threads
from seq2seq_cli.nn.cells import find_cell
from seq2seq_cli.nn.optimizers import find_optimizer
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.storage.files import check_writable, remove_leftovers
from seq2seq_cli.storage.locks import acquire_lock
from seq2seq_cli.storage.model_files import backup_path, check_model_path, state_path, test_set_path
from seq2seq_cli.storage.paths import Named, check_outputs, corpus_files, model_files
from seq2seq_cli.text.builtin import builtin_files
from seq2seq_cli.training.diagnostics import Diagnostics
from seq2seq_cli.training.events import (
    Event,
    ModelBackedUp,
    StepReport,
    TrainingFinished,
    TrainingStarted,
    ValidationReport,
)
from seq2seq_cli.training.metrics_log import open_log
from seq2seq_cli.training.preparation import prepare
from seq2seq_cli.training.trainer import Trainer


def train(
    recipe: Recipe | None = None,
    output: str | Path = "model.npz",
    *,
    resume: bool = False,
    dry_run: bool = False,
    log_file: str | Path | None = None,
    communicator: Any = None,
) -> Generator[Event, None, Checkpoint | None]:
    """Train a model and keep the best one in a file, yielding what happens as typed events.

    The caller may stop at any event: closing the generator saves the training, and ``resume`` continues it.

    Args:
        recipe: corpora and settings; by default, the built-in corpus and the default settings.
        output: the model's file; its training state is ``NAME.state.npz`` beside it.
        resume: continue the training whose state exists; ``recipe`` may change its limits.
        dry_run: stop before the first step, and write no file.
        log_file: also write the metrics there, as JSON Lines.
        communicator: of mpi4py, for a training that several processes share: each calls this function with the same
            arguments. Only the first one reads and writes files. By default, this process trains alone.

    Yields:
        The events of ``training.events``; the last one is ``TrainingFinished``.

    Returns:
        The kept model, also in the last event; None after a dry run. Of several processes, only the first one has them;
        the others return the latest model.

    Raises:
        UserError: for data, settings or files that are invalid, before any work and before any file is touched.

    Example::

        from seq2seq_cli import Recipe, train
        from seq2seq_cli.training.events import ValidationReport

        for event in train(Recipe.of(corpus="pairs.tsv", epochs=10), "mine.npz"):
            if isinstance(event, ValidationReport):
                print(event.epoch, event.valid_bleu)
    """
    processes = communicator_of(communicator)
    recipe, output = recipe or Recipe(), Path(output)
    with processes.together():
        return (yield from _train(recipe, output, resume, dry_run, log_file, processes))


def _train(
    recipe: Recipe, output: Path, resume: bool, dry_run: bool, log_file: str | Path | None, communicator: Communicator
) -> Generator[Event, None, Checkpoint | None]:
    """Train as one of the processes of a run; arguments as for ``train``."""
    outputs = _check_outputs(recipe, output, log_file, resume) if communicator.first else []
    find_cell(recipe.model.cell)
    find_optimizer(recipe.training.optimizer)
    if recipe.training.tokenize is not None:
        check_tokenizer(recipe.training.tokenize)
    recipe = dataclasses.replace(recipe, threads=_threads(recipe, communicator))
    with contextlib.ExitStack() as locks:
        if not dry_run:
            for path in outputs:
                if path != state_path(output):  # the model's lock is the state's too
                    locks.enter_context(acquire_lock(path))
            for path in outputs:
                remove_leftovers(path)
        trainer = yield from prepare(recipe, output, resume, dry_run, communicator)
        if dry_run:
            return None
        if communicator.first and output.exists() and not resume:
            yield ModelBackedUp(output, backup_path(output))
        return (yield from _run(trainer, log_file, resume))


def _check_outputs(recipe: Recipe, output: Path, log_file: str | Path | None, resume: bool) -> list[Path]:
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
    backups: list[Named] = [("the backup of --output", backup_path(output))] if output.exists() and not resume else []
    check_outputs(_inputs(recipe), [*model_files("--output", output), *backups, *logs, *tests])
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


def _threads(recipe: Recipe, communicator: Communicator) -> int:
    """Return the number of workers of each process: ``--threads``, or as many as the process with fewest cores has."""
    own = communicator.default_threads() if recipe.threads is None else check_threads(recipe.threads)
    return int(min(communicator.gather(own)))


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
        log_file = log_file if trainer.communicator.first else None
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
    except (GeneratorExit, PeerError):  # the caller stopped iterating, or another process ended: save
        trainer.save()
        raise
    finally:
        trainer.parallel.workers.shut_down()
    if not trainer.communicator.first:
        return checkpoint
    kept = load_model(output)
    stopped_early = trainer.schedule.exhausted
    yield TrainingFinished(output, kept, trainer.step, trainer.seconds, best, stopped_early, trained)
    return kept
