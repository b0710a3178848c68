"""``seq2seq gradcheck``: compare the hand-derived gradients with numeric ones."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from seq2seq_cli.cli.flags import choices_of, listed
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.config import ModelConfig
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.nn.gradcheck import TOLERANCE, GradientCheck, check_gradients, random_batch, random_model

# The shape of a small model; all sizes are different, so that no two of them can be confused.
_SMALL = ModelConfig(7, 6, embedding_size=3, hidden_size=4, dropout=0.0)
_MAX_LAYERS = 4


def gradcheck_command(
    cell: Annotated[
        str, typer.Option("--cell", help=f"{listed(choices_of('cell'))}.", rich_help_panel="Model")
    ] = _SMALL.cell,
    context: Annotated[
        str, typer.Option("--context", help="initial (Sutskever) or every-step (Cho).", rich_help_panel="Model")
    ] = _SMALL.context,
    pooled_context: Annotated[
        bool,
        typer.Option(
            "--pooled-context/--no-pooled-context",
            help="Whether the context of every step also holds the mean of the encoder's outputs.",
            rich_help_panel="Model",
        ),
    ] = _SMALL.pooled_context,
    layers: Annotated[
        int,
        typer.Option(
            "--layers",
            help="Recurrent layers on each side, at most four.",
            rich_help_panel="Model",
        ),
    ] = _SMALL.layers,
    bidirectional: Annotated[
        bool,
        typer.Option(
            "--bidirectional/--no-bidirectional",
            help="Whether the encoder also reads the source backward.",
            rich_help_panel="Model",
        ),
    ] = _SMALL.bidirectional,
    lexical_prior: Annotated[
        bool,
        typer.Option(
            "--lexical-prior",
            help="Also check the gate of a lexical prior, with a random table.",
            rich_help_panel="Model",
        ),
    ] = _SMALL.lexical_prior,
    bigram_prior: Annotated[
        bool,
        typer.Option(
            "--bigram-prior",
            help="Also check the gate of a bigram prior, with a random table.",
            rich_help_panel="Model",
        ),
    ] = _SMALL.bigram_prior,
    seed: Annotated[
        int, typer.Option("--seed", help="Random seed of weights and sentences.", rich_help_panel="Model")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel="Model")] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Check the hand-derived gradients of a small random model against finite differences.

    For each parameter, it shows the largest relative error of a value, and both gradients there.
    It takes a few seconds and needs no model file. The exit code is 1 if a gradient is wrong.

    Examples: seq2seq gradcheck · seq2seq gradcheck --cell gru --context initial --no-bidirectional
    """
    config = dataclasses.replace(
        _SMALL,
        cell=cell,
        context=context,
        pooled_context=pooled_context,
        layers=layers,
        bidirectional=bidirectional,
        tie_embeddings=None,
        lexical_prior=lexical_prior,
        bigram_prior=bigram_prior,
    )
    if layers > _MAX_LAYERS:
        raise usage_error(
            f"--layers must be from 1 to {_MAX_LAYERS}, not {layers}: more would take minutes and check nothing else",
            where="--layers",
            fix=f"give a value from 1 to {_MAX_LAYERS}",
        )
    if seed < 0:
        raise usage_error(f"--seed must be 0 or more, not {seed}", where="--seed", fix="give a value of 0 or more")
    model = random_model(config, seed)
    console.say(_title(config, len(model.parameters.flat), seed))
    checks = list(check_gradients(model, random_batch(config.source_vocabulary, config.target_vocabulary, seed)))
    if as_json:
        result = {
            "model": dataclasses.asdict(config),
            "seed": seed,
            "tolerance": TOLERANCE,
            "passed": all(check.passed for check in checks),
            "parameters": [dataclasses.asdict(check) for check in checks],
        }
        console.write_results([json.dumps(result)])
    else:
        console.write_results(_table(checks, TOLERANCE))
    wrong = [check for check in checks if not check.passed]
    if wrong:
        names = ", ".join(check.name for check in wrong)
        raise UserError(
            f"{len(wrong)} of {len(checks)} hand-derived gradients differ from the numeric ones",
            where=names,
            fix="check the backward function that computes the gradient of the first of them",
        )


def _title(config: ModelConfig, size: int, seed: int) -> str:
    layers = f"{config.layers} layer{'s' * (config.layers > 1)}"
    directions = "both directions" if config.bidirectional else "one direction"
    pooled = ", pooled" * config.pooled_context
    prior = ", lexical prior" * config.lexical_prior + ", bigram prior" * config.bigram_prior
    shape = f"{config.cell}, {layers}, {directions}, context {config.context}{pooled}{prior}"
    return f"{shape}: {size:,} values in float64, seed {seed}"


def _table(checks: list[GradientCheck], tolerance: float) -> list[str]:
    width = max(len(check.name) for check in checks)
    lines = [f"{'parameter':<{width}}   shape    error     derived     numeric"]
    for check in checks:
        shape = " × ".join(map(str, check.shape))
        mark = "" if check.passed else "  WRONG"
        lines.append(
            f"{check.name:<{width}} {shape:>7} {check.worst:8.1e} {check.derived:11.3e} {check.numeric:11.3e}{mark}"
        )
    worst = max(checks, key=lambda check: check.worst)
    passed = sum(check.passed for check in checks)
    values = "all" if passed == len(checks) else f"{passed} of"
    lines.append(
        f"{values} {len(checks)} gradients agree within {tolerance:.0e}; worst: {worst.worst:.1e} in {worst.name}"
    )
    return lines
