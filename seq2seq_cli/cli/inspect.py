"""``seq2seq inspect``: what is in a model file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from seq2seq_cli.cli import console
from seq2seq_cli.cli.translate import DEFAULT_MODEL


def inspect_command(
    model: Annotated[Path, typer.Argument(help="Model file.")] = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Show a model's settings, vocabularies, parameters and training history.

    Example: seq2seq inspect model.npz
    """
    from seq2seq_cli.checkpoint import load_model

    checkpoint = load_model(model)
    parameters = checkpoint.model.parameters
    settings = {
        "corpus": checkpoint.corpus,
        "model": dataclasses.asdict(checkpoint.model.config),
        "training": dataclasses.asdict(checkpoint.training),
        "tokenizers": {
            side: {"kind": tokenizer.kind, "entries": len(tokenizer), "lowercase": tokenizer.lowercase}
            for side, tokenizer in (
                ("source", checkpoint.source_tokenizer),
                ("target", checkpoint.target_tokenizer),
            )
        },
    }
    shapes = {name: list(array.shape) for name, array in parameters.items()}
    if as_json:
        whole = {**settings, "parameters": shapes, "size": len(parameters.flat), "history": checkpoint.history}
        console.write_results([json.dumps(whole, ensure_ascii=False)])
        return
    lines = [f"{model}, trained on {checkpoint.corpus}"]
    for title in ("model", "training"):
        lines += ["", title, *(f"  {key:<20} {value}" for key, value in settings[title].items())]  # type: ignore[attr-defined]
    lines += ["", "tokenizers"]
    for side, tokenizer in (("source", checkpoint.source_tokenizer), ("target", checkpoint.target_tokenizer)):
        lines.append(f"  {side:<20} {tokenizer.kind}, {len(tokenizer):,} entries")
    lines += ["", f"parameters ({len(parameters.flat):,})"]
    lines += [f"  {name:<36} {' × '.join(map(str, shape)):>14}" for name, shape in shapes.items()]
    lines += ["", "validations", "  epoch     step  perplexity    BLEU"]
    for record in checkpoint.history:
        cells = [record.get(key) for key in ("epoch", "step", "valid_perplexity", "valid_bleu")]
        shown = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
        lines.append(f"  {shown[0]:>5} {shown[1]:>8} {shown[2]:>11} {shown[3]:>7}")
    console.write_results(lines)
