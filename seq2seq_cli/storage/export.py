"""Write a model for other programs: PyTorch, or any that runs ONNX. A script beside it shows how to run it.

========  ====================================================  ================================================
format    files of ``-o NAME``                                  needs
========  ====================================================  ================================================
torch     ``NAME.pt`` and ``NAME_torch.py``, the network        the package ``torch``
onnx      ``NAME.encoder.onnx``, ``NAME.decoder.onnx`` and      the package ``onnx``
          ``NAME_onnx.py``, a greedy search
========  ====================================================  ================================================

The scripts are modules of this package (``torch_network.py``, ``onnx_greedy.py``), which need nothing else of it.
"""

from __future__ import annotations

import io
import re
from contextlib import ExitStack
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq_cli.errors import UserError, choice_error, explain_os_errors, usage_error
from seq2seq_cli.nn.parameters import member_prefix
from seq2seq_cli.storage.bigram_entries import BigramEntries
from seq2seq_cli.storage.checkpoint import TIED_COPY, Checkpoint
from seq2seq_cli.storage.files import atomic_file, check_writable
from seq2seq_cli.storage.model_files import back_up_replaced
from seq2seq_cli.text.inputs import STDIO


class Format(NamedTuple):
    """A format to export to.

    Args:
        package: what it needs, and ``install``, how to get it.
        suffix: of the output that a user names.
        weights: suffixes of the files with the weights.
        script: the module that runs them, and ``script_suffix``, of its copy.
    """

    package: str
    install: str
    suffix: str
    weights: tuple[str, ...]
    script: str
    script_suffix: str


FORMATS = {
    "torch": Format("torch", "pip install torch", ".pt", (".pt",), "torch_network.py", "_torch.py"),
    "onnx": Format(
        "onnx",
        "pip install onnx onnxruntime",
        ".onnx",
        (".encoder.onnx", ".decoder.onnx"),
        "onnx_greedy.py",
        "_onnx.py",
    ),
}
CELLS = ("rnn", "lstm", "gru")
"""Cells that PyTorch and ONNX have, too."""
LARGEST_ONNX = (2 << 30) - (1 << 20)
"""Bytes of constants; a file of the format, a Protocol Buffer, has at most 2 GiB."""


class Export(NamedTuple):
    """The files of an export: those with the weights, and the script that runs them."""

    weights: tuple[Path, ...]
    script: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """All files."""
        return (*self.weights, self.script)


def plan_export(kind: str, output: Path, model: Path) -> Export:
    """Return the files that an export writes; raise before any work if it could not, or would destroy another file.

    Args:
        kind: one of ``FORMATS``.
        output: what the user named.
        model: the model file.

    Raises:
        UserError: for an unknown format, a missing package, an unsuitable name, a file that is not ours.
    """
    if kind not in FORMATS:
        raise choice_error("--format", kind, FORMATS)
    form = FORMATS[kind]
    if str(output) == STDIO or output.suffix != form.suffix or output.stem.startswith("."):
        raise usage_error(
            f"with --format {kind}, the output must be a file whose name ends in {form.suffix}, not {output.name!r}",
            where="--output",
            fix=f"write for example -o model{form.suffix}",
        )
    if find_spec(form.package) is None:
        raise UserError(
            f"--format {kind} needs the package {form.package!r}, which is not installed",
            where="--format",
            fix=form.install,
        )
    importable = re.sub(r"\W", "_", f"_{output.stem}" if output.stem[0].isdigit() else output.stem)
    export = Export(
        tuple(output.with_name(f"{output.stem}{suffix}") for suffix in form.weights),
        output.with_name(f"{importable}{form.script_suffix}"),
    )
    for path in export.files:
        check_writable(path)
        with explain_os_errors(path, "read"):
            if path.exists() and model.exists() and path.samefile(model):
                raise usage_error(
                    "this file is the model that is exported, and would be overwritten",
                    where=str(path),
                    fix="give --output another name",
                )
    with explain_os_errors(export.script, "read"):
        ours = not export.script.exists() or export.script.read_bytes().startswith(_first_line(kind))
    if not ours:
        raise UserError(
            "this file exists, and was not written by 'seq2seq export'",
            where=str(export.script),
            fix="move it away, or give --output another name",
        )
    return export


def write_export(kind: str, export: Export, checkpoint: Checkpoint) -> list[tuple[Path, Path]]:
    """Write the files of an export; each one is written atomically, and none if one cannot be made.

    Earlier files of weights are backed up; the earlier script is one of ours, which is written anew each time.

    Args:
        kind: one of ``FORMATS``.
        export: from ``plan_export``.
        checkpoint: the model.

    Returns:
        Each file that was backed up, with its backup.

    Raises:
        UserError: for a model that the format cannot hold, and for errors of the file system.
    """
    cell = checkpoint.model.config.cell
    if cell not in CELLS:
        raise UserError(
            f"a model with the cell {cell!r} cannot be exported: PyTorch and ONNX have no such cell",
            where="--cell",
            fix=f"train a model with one of {', '.join(CELLS)}",
        )
    contents = _torch_file(checkpoint) if kind == "torch" else _onnx_files(checkpoint, export)
    with ExitStack() as stack:  # no file is renamed before all are written
        files = [stack.enter_context(atomic_file(path)) for path in export.files]
        for file, content in zip(files, [*contents, _script(kind, export)]):
            file.write(content)
            file.flush()
        replaced = [(path, back_up_replaced(path, Path(file.name))) for path, file in zip(export.weights, files)]
    return [(path, backup) for path, backup in replaced if backup is not None]


def _torch_file(checkpoint: Checkpoint) -> list[bytes]:
    """Return the file that ``torch_network.load`` reads."""
    import torch

    model = checkpoint.model
    state = {name: torch.tensor(array) for name, array in model.parameters.items()}
    if model.config.tie_embeddings:
        for member in map(member_prefix, range(model.config.members)):
            state[f"{member}{TIED_COPY}"] = state[f"{member}{model.output_name}"]
    lexicon, bigrams = model.tables.lexicon, model.tables.bigrams
    if lexicon is not None:
        state["lexicon.indices"] = torch.tensor(lexicon.indices, dtype=torch.int64)  # as torch's scatter needs them
        state["lexicon.values"] = torch.tensor(lexicon.values)
    if bigrams is not None:
        entries = BigramEntries.of(bigrams)._asdict()
        state |= {f"bigrams.{name}": torch.tensor(array) for name, array in entries.items()}
    file = io.BytesIO()
    torch.save({"config": asdict(model.config), "state_dict": state, **_tokenizers(checkpoint)}, file)
    return [file.getvalue()]


def _onnx_files(checkpoint: Checkpoint, export: Export) -> list[bytes]:
    """Return the two graphs."""
    from seq2seq_cli.storage.onnx_network import decoder_graph, encoder_graph

    model = checkpoint.model
    metadata = {"config": asdict(model.config), **_tokenizers(checkpoint)}
    graphs = [encoder_graph(model), decoder_graph(model)]
    for graph, path in zip(graphs, export.weights):
        if graph.size > LARGEST_ONNX:
            raise UserError(
                f"this model is too large for ONNX: {graph.size:,} bytes, and one file holds at most 2 GiB",
                where=str(path),
                fix="use --format torch",
            )
    return [graph.build(metadata) for graph in graphs]


def _tokenizers(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "tokenizer.source": checkpoint.source_tokenizer.to_json(),
        "tokenizer.target": checkpoint.target_tokenizer.to_json(),
    }


def _script(kind: str, export: Export) -> bytes:
    """Return the script of a format, with the names of this export's files in it."""
    text = Path(__file__).with_name(FORMATS[kind].script).read_text(encoding="utf-8")
    names = {f'"model{suffix}"': ascii(path.name) for suffix, path in zip(FORMATS[kind].weights, export.weights)}
    for example, name in {**names, f"model_{kind}": export.script.stem}.items():
        text = text.replace(example, name)
    return text.encode()


def _first_line(kind: str) -> bytes:
    """Return the first line of a format's script, by which it is recognized."""
    with Path(__file__).with_name(FORMATS[kind].script).open("rb") as file:
        return file.readline().rstrip()
