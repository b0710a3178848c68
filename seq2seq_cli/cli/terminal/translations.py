"""Translations on the screen, at the prompt and in the filter alike: lines, JSON objects, explanations."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.cli.terminal.tables import table, width_of
from seq2seq_cli.cli.terminal.tokens import show_token
from seq2seq_cli.config import SearchConfig

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Source, SourceNotes, Translation, Translator

BAR = 10
"""Columns of the bar of probability 1."""
ROOM_FOR_BARS = 60
"""Columns of a terminal below which an explanation keeps to the essential."""
PRIOR_COLUMNS = {"prior": ">prior", "gate": ">gate", "bigram_prior": ">bigram", "bigram_gate": ">gate"}
"""What an explanation says of a model's priors: the names in a ``Step`` and the headings of the table."""
N_BEST = (">rank", ">score", ">log-probability")
MOST_NAMED = 5
"""Words named in one warning."""


@dataclass(frozen=True)
class Style:
    """What is shown of a translation besides its text.

    Args:
        scores: its score before it.
        explain: the decoder's choices, the n-best list, and the source's tokens.
        as_json: everything, as one JSON object per line of input.
    """

    scores: bool = False
    explain: bool = False
    as_json: bool = False


def write_translations(
    translator: Translator,
    config: SearchConfig,
    lines: Iterable[str],
    output: IO[bytes],
    style: Style,
    first: int = 1,
    several: bool = True,
) -> None:
    """Translate a stream of lines to a stream of lines, and report on stderr what the model does not know.

    Args:
        translator, config: as loaded and as set.
        lines: sentences.
        output: where the results go.
        style: what to show.
        first: the number of the first line.
        several: whether a warning has to say which line it means.
    """
    report = SourceReport(translator.longest_trained_on)
    # An explanation shows the whole n-best list, of which only the first are results.
    search = dataclasses.replace(config, n_best=config.beam) if style.explain else config
    sources = (translator.read(line, config) for line in lines)
    for number, (source, found) in enumerate(translator.translate_sources(sources, search), start=first):
        notes = translator.notes(source)
        report.add(number, source, notes)
        if style.as_json:
            results = [_json_line(translator, config, number, source, notes, found, style.explain)]
        elif style.explain:
            results = _explained(translator, source, notes, found, width_of(output))
        else:
            results = _plain(number, found, config.n_best, style.scores)
        for result in results:
            console.write_line(output, result)
        if config.batch_size == 1:
            with console.end_quietly_without_reader():
                output.flush()
    with console.end_quietly_without_reader():
        output.flush()
    report.show(several)
    report_truncated(report.truncated, config, several)


class SourceReport:
    """What in the source is outside of the training corpus, with the first line of each.

    Args:
        longest: tokens of the longest training source, or 0 if that is not known.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.unknown: dict[str, int] = {}
        self.oov_words: dict[str, int] = {}
        self.truncated: list[int] = []
        self.too_long = 0
        self.first_too_long = (0, 0)

    def add(self, number: int, source: Source, notes: SourceNotes) -> None:
        """Take note of a sentence."""
        for part in notes.unknown:
            self.unknown.setdefault(part, number)
        for word in notes.oov_words:
            self.oov_words.setdefault(word, number)
        tokens = len(source.ids) - 1
        if source.truncated:
            self.truncated.append(number)
        elif 0 < self.longest < tokens:
            self.too_long += 1
            if self.too_long == 1:
                self.first_too_long = (number, tokens)

    def show(self, several: bool) -> None:
        """Write it to stderr."""
        if self.unknown:
            console.warn(f"out of vocabulary, read as <unk>: {_named(self.unknown, several)}")
        if self.oov_words:
            console.say(f"note: not in the training vocabulary: {_named(self.oov_words, several)}", indent=2)
        if self.too_long:
            number, tokens = self.first_too_long
            what = f"this sentence has {tokens} tokens"
            if several:
                count = "1 sentence is" if self.too_long == 1 else f"{self.too_long:,} sentences are"
                what = f"{count} longer than any in training, the first in line {number} with {tokens} tokens"
            console.say(
                f"note: {what}; the longest in training had {self.longest}: expect the end to be lost", indent=2
            )


def report_truncated(lines: Sequence[int], config: SearchConfig, several: bool = True) -> None:
    """Warn of truncated lines; ``several``: whether to say which."""
    if lines:
        what = "this line is longer than"
        if several:
            what = "1 line is longer than" if len(lines) == 1 else f"{len(lines):,} lines are longer than"
        where = f", the first is line {lines[0]}" if several else ""
        console.warn(
            f"{what} {config.max_source_length:,} tokens{where}: the rest of it was not translated "
            "(--max-source-length)"
        )


def _named(parts: dict[str, int], several: bool) -> str:
    shown = [f"{part} (line {line})" if several else part for part, line in list(parts.items())[:MOST_NAMED]]
    more = f" and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else ""
    return ", ".join(shown) + more


def _plain(number: int, found: list[Translation], n_best: int, scores: bool) -> list[str]:
    lines = []
    for rank, translation in enumerate(found, start=1):
        prefix = f"{number}\t{rank}\t" if n_best > 1 else ""
        score = f"{translation.score:.4f}\t" if scores else ""
        lines.append(prefix + score + translation.text)
    return lines


def _json_line(
    translator: Translator,
    config: SearchConfig,
    number: int,
    source: Source,
    notes: SourceNotes,
    found: list[Translation],
    explain: bool,
) -> str:
    result: dict[str, Any] = {
        "line": number,
        "source": source.text,
        "source_tokens": notes.tokens,
        "unknown": notes.unknown,
        "new_words": notes.oov_words,
        "translations": [_translation_json(each) for each in found[: config.n_best]],
    }
    if explain:
        result["steps"] = [
            {
                "token": step.token,
                "probability": step.probability,
                "alternatives": [{"token": token, "probability": p} for token, p in step.alternatives],
                **{name: value for name in PRIOR_COLUMNS if (value := getattr(step, name)) is not None},
            }
            for step in translator.explain(source, found[0])
        ]
        prior = translator.explain_prior(source)
        if prior:
            result["prior"] = [{"token": token, "probability": p} for token, p in prior]
        result["n_best"] = [_translation_json(each) for each in found]
    return json.dumps(result, ensure_ascii=False)


def _translation_json(translation: Translation) -> dict[str, Any]:
    """Return a translation for programs: its text and tokens, but not their numbers in this model's vocabulary."""
    found = dataclasses.asdict(translation)
    del found["ids"]
    return found


def _explained(
    translator: Translator, source: Source, notes: SourceNotes, found: list[Translation], width: int
) -> list[str]:
    """Return the explanation of one translation, with an empty line at its end; of a blank line, only that."""
    steps = translator.explain(source, found[0])
    if not steps:
        return [""]
    facts = [["source", source.text], ["tokens", _tokens(notes.tokens)]]
    if notes.unknown:
        facts.append(["out of vocabulary", ", ".join(notes.unknown)])
    if notes.oov_words:
        facts.append(["not in training", ", ".join(notes.oov_words)])
    prior = translator.explain_prior(source)
    if prior:
        facts.append(["lexical prior", _with_probabilities(prior)])
    facts.append(["translation", found[0].text])
    by_prior = [name for name in PRIOR_COLUMNS if getattr(steps[0], name) is not None]
    choices = [
        [
            str(number),
            show_token(step.token),
            _short(step.probability),
            bar(step.probability, BAR),
            *(_optional(getattr(step, name)) for name in by_prior),
            _with_probabilities(step.alternatives),
        ]
        for number, step in enumerate(steps, start=1)
    ]
    n_best = [
        [str(rank), f"{each.score:.4f}", f"{each.log_probability:.4f}", each.text]
        for rank, each in enumerate(found, start=1)
    ]
    headers = [">step", "token", ">probability", "", *(PRIOR_COLUMNS[name] for name in by_prior), "alternatives"]
    n_best_headers = [*N_BEST, "n-best list"]
    if width < ROOM_FOR_BARS:  # the essential columns alone
        headers, choices = ["token", ">prob.", "alternatives"], [[row[1], row[2], row[-1]] for row in choices]
        n_best_headers, n_best = [">score", "n-best list"], [[row[1], row[3]] for row in n_best]
    return [
        *table(["", ""], facts, width),
        "",
        *table(headers, choices, width),
        "",
        *table(n_best_headers, n_best, width),
        "",
    ]


def _tokens(tokens: tuple[str, ...]) -> str:
    return " ".join(show_token(token) for token in tokens)


def _with_probabilities(tokens: Sequence[tuple[str, float]]) -> str:
    return "  ".join(f"{show_token(token)} {_short(p)}" for token, p in tokens)


def _optional(value: float | None) -> str:
    return "" if value is None else _short(value)


def _short(value: float) -> str:
    return f"{value:.3f}"
