"""``seq2seq export``: write a model for PyTorch or ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seq2seq_cli.cli.search_flags import DEFAULT_MODEL
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.storage.export import FORMATS, plan_export, write_export


def _complete(incomplete: str) -> list[str]:
    return [kind for kind in FORMATS if kind.startswith(incomplete)]


def export_command(
    kind: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"The format: {' or '.join(FORMATS)}.",
            rich_help_panel="Files",
            autocompletion=_complete,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="NAME.pt, or NAME.onnx for NAME.encoder.onnx and NAME.decoder.onnx.",
            rich_help_panel="Files",
        ),
    ],
    model: Annotated[Path, typer.Argument(help="Model file.")] = DEFAULT_MODEL,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Write a model for PyTorch or ONNX, with a script that runs it.

    The script, NAME_torch.py or NAME_onnx.py, needs no other file of this program.
    It reads and writes token ids; its search is greedy, as 'seq2seq translate --beam 1'.
    To run it from Python: from NAME_onnx import load; load().translate([[17, 4, 33]])

    Examples (they need: pip install torch, or: pip install onnx onnxruntime):
      seq2seq export --format torch -o model.pt
      seq2seq export --format onnx -o model.onnx
      seq2seq tokenizer encode -t model.npz --ids < in.txt > ids.txt
      python model_onnx.py < ids.txt | seq2seq tokenizer decode -t model.npz --ids
    """
    from seq2seq_cli.storage.checkpoint import load_model

    export = plan_export(kind, output, model)
    for path, backup in write_export(kind, export, load_model(model)):
        console.say_backed_up(path, backup)
    *weights, script = map(str, export.files)
    what = "it" if len(weights) == 1 else "them"
    console.say(f"wrote {' and '.join(weights)}; {script} loads and runs {what}", indent=2)
