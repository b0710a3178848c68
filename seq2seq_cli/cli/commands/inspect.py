"""``seq2seq inspect``: show the content of a model file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli.search_flags import DEFAULT_MODEL
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.tokens import show_token
from seq2seq_cli.config import to_toml
from seq2seq_cli.errors import usage_error

if TYPE_CHECKING:
    from seq2seq_cli.storage.checkpoint import Checkpoint
    from seq2seq_cli.text.tokenizer import Tokenizer

WIDEST_SPARKLINE = 60
SHOWN_ENTRIES = 4
"""Entries of the lexical table to show."""


def inspect_command(
    model: Annotated[Path, typer.Argument(help="Model file, or the training state beside it.")] = DEFAULT_MODEL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel="Output")] = False,
    as_toml: Annotated[
        bool,
        typer.Option(
            "--toml",
            help="Print only the settings, as a file for 'seq2seq train --config'.",
            rich_help_panel="Output",
        ),
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
) -> None:
    """Show the settings, tokenizers, parameters and training history in a model file.

    Examples:
      seq2seq inspect model.npz
      seq2seq inspect model.npz --toml > again.toml
      seq2seq train --config again.toml -o again.npz
    """
    if as_json and as_toml:
        raise usage_error("give --json or --toml, not both", where="--toml", fix="leave one of them out")
    from seq2seq_cli.storage.checkpoint import load_either

    checkpoint, kind, size = load_either(model)
    if as_json:
        lines = [json.dumps(as_object(checkpoint, kind, size, model), ensure_ascii=False)]
    elif as_toml:
        lines = toml_lines(checkpoint, model)
    else:
        lines = as_text(checkpoint, kind, size, model)
    console.write_results(lines)


def toml_lines(checkpoint: Checkpoint, path: Path) -> list[str]:
    """Return a TOML file that trains the model again, with notes in comments."""
    recipe = checkpoint.recipe
    head = [f"# The settings of {console.printable(path.name)}. To train it again: seq2seq train --config THIS_FILE"]
    if recipe.corpora.corpus is None:
        head.append("# The corpus is the built-in one.")
    if recipe.training.max_minutes is not None:
        head.append("# max-minutes depends on the clock: another run or another machine gives other weights.")
    return [*head, *to_toml(recipe.settings())]


def as_object(checkpoint: Checkpoint, kind: str, size: int, path: Path) -> dict[str, Any]:
    """Return everything but weights and vocabularies as a JSON object."""
    parameters = checkpoint.model.parameters
    return {
        "file": str(path),
        "format": kind,
        "bytes": size,
        "corpus": checkpoint.corpus,
        "origin": dataclasses.asdict(checkpoint.origin),
        "best_bleu": max(checkpoint.measured("valid_bleu"), default=None),
        "settings": {name.replace("_", "-"): value for name, value in checkpoint.recipe.settings().items()},
        "model": dataclasses.asdict(checkpoint.model.config),
        "training": dataclasses.asdict(checkpoint.recipe.training),
        "tokenizers": {
            side: {"kind": tokenizer.kind, "entries": len(tokenizer), "lowercase": tokenizer.lowercase}
            for side, tokenizer in _tokenizers(checkpoint)
        },
        "parameters": {name: list(array.shape) for name, array in parameters.items()},
        "size": len(parameters.flat),
        "lexical_prior": lexical_prior_as_object(checkpoint),
        "bigram_prior": bigram_prior_as_object(checkpoint),
        "history": checkpoint.history,
    }


def as_text(checkpoint: Checkpoint, kind: str, size: int, path: Path) -> list[str]:
    """Return the content of the file as lines of text."""
    return [
        f"{path}: a {kind}, {size:,} bytes, trained on {checkpoint.trained_on or 'an unknown corpus'}",
        *origin_lines(checkpoint),
        "",
        "settings (--toml prints them as a file that trains the model again)",
        *(f"  {line}" for line in to_toml(checkpoint.recipe.settings())),
        "",
        "tokenizers",
        *(line for side, tokenizer in _tokenizers(checkpoint) for line in tokenizer_lines(side, tokenizer)),
        "",
        *parameter_lines(checkpoint),
        *lexical_prior_lines(checkpoint),
        *bigram_prior_lines(checkpoint),
        "",
        *history_lines(checkpoint),
    ]


def origin_lines(checkpoint: Checkpoint) -> list[str]:
    """Return lines with the date, the program's version, the number of pairs, and the best BLEU, where known."""
    from seq2seq_cli.storage.checkpoint import is_number

    origin, lines = checkpoint.origin, []
    if origin.version:
        date = origin.date.replace("T", " ").replace("Z", " UTC")
        lines.append(f"written {date} by seq2seq-cli {origin.version}; {origin.pairs:,} training pairs")
    scored = [record for record in checkpoint.history if is_number(record.get("valid_bleu"))]
    if scored:
        best = max(scored, key=lambda record: float(record["valid_bleu"]))
        lines.append(f"best BLEU in validation: {_cell(best['valid_bleu'], '.1f')}, in epoch {best.get('epoch')}")
    return [console.printable(line) for line in lines]


def _tokenizers(checkpoint: Checkpoint) -> tuple[tuple[str, Tokenizer], ...]:
    return ("source", checkpoint.source_tokenizer), ("target", checkpoint.target_tokenizer)


def tokenizer_lines(side: str, tokenizer: Tokenizer) -> list[str]:
    """Return lines with the kind and size of a tokenizer, and its longest entries."""
    case = ", lower case" if tokenizer.lowercase else ""
    longest = sorted(tokenizer.vocabulary, key=lambda entry: (-len(entry), entry))[:4]
    shown = " ".join(entry.replace(" ", "▁") for entry in longest)
    return [f"  {side:<8} {tokenizer.kind}, {len(tokenizer):,} entries{case}", f"{'':11}longest entries: {shown}"]


def parameter_lines(checkpoint: Checkpoint) -> list[str]:
    """Return a table of the parameters: name, shape, number of values, and their share of all."""
    parameters = checkpoint.model.parameters
    total = len(parameters.flat)
    width = max(map(len, parameters))
    lines = [f"{'parameters':<{width + 2}} {'shape':>13} {'values':>10} {'bytes':>12}"]
    for name, array in parameters.items():
        shape = " × ".join(map(str, array.shape))
        lines.append(f"  {name:<{width}} {shape:>13} {array.size:>10,} {array.nbytes:>12,}")
    lines.append(f"  {'all':<{width}} {'':>13} {total:>10,} {parameters.flat.nbytes:>12,}")
    if checkpoint.model.config.tie_embeddings:
        lines.append("  decoder.fc_out.weight is decoder.embedding.weight (--tie-embeddings)")
    return lines


def lexical_prior_as_object(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the sizes of the lexical tables and the bias of the gate; None if the model has no lexical prior."""
    from seq2seq_cli.nn.lexical_prior import LEXICAL_GATE

    lexicon, reverse = checkpoint.model.tables.lexicon, checkpoint.model.tables.reverse_lexicon
    if lexicon is None:
        return None
    return {
        "source_tokens": len(lexicon.indices),
        "entries_per_token": lexicon.indices.shape[1],
        "reverse_table": reverse is not None,
        "bytes": sum(table.indices.nbytes + table.values.nbytes for table in (lexicon, reverse) if table is not None),
        "gate_bias": checkpoint.model.gate(LEXICAL_GATE).bias.item(),
    }


def lexical_prior_lines(checkpoint: Checkpoint) -> list[str]:
    """Return lines with the size of the lexical prior and some entries; none if the model has no prior."""
    size, lexicon = lexical_prior_as_object(checkpoint), checkpoint.model.tables.lexicon
    if size is None or lexicon is None:
        return []
    source, target = (tokenizer.vocabulary for _, tokenizer in _tokenizers(checkpoint))
    longest = sorted(range(len(source)), key=lambda k: (-len(source[k]), source[k]))[:SHOWN_ENTRIES]
    examples = [(source[k], target[lexicon.indices[k, 0]], lexicon.values[k, 0]) for k in longest]
    tables = f"{size['source_tokens']:,} source tokens × {size['entries_per_token']} target tokens"
    tables += " and a reverse table" * size["reverse_table"]
    return [
        "",
        f"lexical prior: {tables}",
        f"  {size['bytes']:,} bytes; bias of the gate {size['gate_bias']:.2f}",
        *(f"  {show_token(s)} → {show_token(v)} {probability:.2f}" for s, v, probability in examples),
    ]


def bigram_prior_as_object(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the size of the bigram table and the bias of its gate; None if the model has no bigram prior."""
    from seq2seq_cli.nn.bigram_prior import BIGRAM_GATE

    table = checkpoint.model.tables.bigrams
    if table is None:
        return None
    return {
        "triples": len(table.triples),
        "bytes": table.triples.nbytes + table.counts.nbytes,
        "gate_bias": checkpoint.model.gate(BIGRAM_GATE).bias.item(),
    }


def bigram_prior_lines(checkpoint: Checkpoint) -> list[str]:
    """Return lines with the size of the bigram prior and its most frequent entries; none if the model has no prior."""
    size, table = bigram_prior_as_object(checkpoint), checkpoint.model.tables.bigrams
    if size is None or table is None:
        return []
    source, target = (tokenizer.vocabulary for _, tokenizer in _tokenizers(checkpoint))
    most_frequent = (-table.counts).argsort(kind="stable")[:SHOWN_ENTRIES]
    examples = [
        (source[s], target[u], target[v], table.counts[k]) for k in most_frequent for s, u, v in [table.triples[k]]
    ]
    return [
        "",
        f"bigram prior: {size['triples']:,} triples of source token, previous and next target token",
        f"  {size['bytes']:,} bytes; bias of the gate {size['gate_bias']:.2f}",
        *(f"  {show_token(s)}: {show_token(u)} → {show_token(v)} {count:,} times" for s, u, v, count in examples),
    ]


def history_lines(checkpoint: Checkpoint) -> list[str]:
    """Return a table of the validations, and sparklines of loss and BLEU."""
    from seq2seq_cli.cli.terminal.charts import sparkline

    if not checkpoint.history:
        return ["history: no validation yet"]
    columns = [
        ("epoch", "epoch", 7, "d"),
        ("step", "step", 9, "d"),
        ("seconds", "seconds", 9, ".0f"),
        ("learning_rate", "rate", 9, ".2g"),
        ("valid_loss", "loss", 8, ".3f"),
        ("valid_perplexity", "perplexity", 12, ".2f"),
        ("valid_bleu", "BLEU", 7, ".1f"),
        ("valid_chrf", "chrF2", 7, ".1f"),
    ]
    if not checkpoint.measured("valid_chrf"):  # a model of an earlier version
        del columns[-1]
    lines = ["history of validations", "".join(f"{title:>{width}}" for _, title, width, _ in columns)]
    for record in checkpoint.history:
        cells = [f"{_cell(record.get(key), form):>{width}}" for key, _, width, form in columns]
        lines.append("".join(cells) + ("  best" if record.get("improved") else ""))
    for key, name in (("valid_loss", "loss"), ("valid_bleu", "BLEU")):
        values = checkpoint.measured(key)
        if values:
            ends = f"{_cell(values[0], '.4g')} → {_cell(values[-1], '.4g')}"
            lines.append(f"  {name}  {sparkline(values, WIDEST_SPARKLINE)}  {ends}")
    return lines


def _cell(value: Any, form: str) -> str:
    """Return a number as text; any other value, which an edited file may have, as it is."""
    try:
        return format(value, form)
    except (TypeError, ValueError, OverflowError):
        return str(value)[:10]
