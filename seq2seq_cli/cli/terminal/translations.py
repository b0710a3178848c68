"""Print translations, at the prompt and elsewhere: as lines, JSON objects or explanations."""

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
from seq2seq_cli.text.characters import visible

if TYPE_CHECKING:
    from seq2seq_cli.inference.translation import Source, SourceNotes, Translation
    from seq2seq_cli.inference.translator import Translator

BAR = 10
"""Width of the bar of probability 1."""
ROOM_FOR_ALTERNATIVES = 120
"""On a narrower terminal, an explanation has one alternative a line."""
ROOM_FOR_BARS = 90
"""On a still narrower one, it has no bars."""
ROOM_FOR_PRIORS = 72
"""On one below that, it has only its most important columns."""
PRIOR_COLUMNS = {"prior": ">prior", "gate": ">gate", "bigram_prior": ">bigram", "bigram_gate": ">gate"}
"""Columns of an explanation for the priors of a model: the name in a ``Step``, and the heading in the table."""
N_BEST = (">rank", ">score", ">log-probability")
MAX_NAMED = 5
"""Maximum number of words in one warning."""
MAX_SHOWN = 3
"""Maximum number of lines that are shown as they are read."""


@dataclass(frozen=True)
class Style:
    """What to print for a translation besides its text.

    Args:
        scores: whether to print its score before it.
        explain: whether to show the source tokens, the decoder's choices and the n-best list.
        as_json: whether to print one JSON object per line of input.
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
    number_lines: bool = True,
) -> None:
    """Translate a stream of lines, and report on stderr what is out of vocabulary or too long.

    Args:
        translator: the loaded models.
        config: settings of the search.
        lines: sentences.
        output: stream for the translations.
        style: what to print.
        first: number of the first line.
        several: whether warnings name the line.
        number_lines: whether each line of an n-best list starts with the number of the source line.
    """
    report = SourceReport(translator.longest_trained_on)
    count_sentences = translator.single_sentences and not config.split_sentences
    # An explanation shows the whole n-best list.
    search = dataclasses.replace(config, n_best=max(config.n_best, config.beam)) if style.explain else config
    for number, (sentences, n_best) in enumerate(translator.translate_lines(lines, search), start=first):
        noted = [(source, translator.notes(source), found) for source, found in sentences]
        for source, notes, found in noted:
            report.add(number, source, notes, found[0].copied)
            if count_sentences and len(translator.sentences(source.text)) > 1:
                report.several_sentences.append(number)
        if style.as_json:
            objects = [_json(translator, config, number, *each, style.explain) for each in noted]
            results = [_json_line(objects, n_best[: config.n_best])]
        elif style.explain:
            width = width_of(output)
            results = [line for each in noted for line in _explained(translator, *each, width)]
        else:
            results = _plain(number if number_lines else None, n_best, style.scores, ranked=config.n_best > 1)
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
    """Collects what is out of vocabulary or too long in the source, with the line where it first occurs.

    Args:
        longest: number of tokens of the longest training source, or 0 if it is unknown.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.unknown: dict[str, int] = {}
        self.oov_words: dict[str, int] = {}
        self.copied: dict[str, int] = {}
        self.left_out: dict[str, int] = {}
        self.respelled: list[tuple[int, str]] = []
        self.several_sentences: list[int] = []
        self.truncated: list[int] = []
        self.too_long = 0
        self.first_too_long = (0, 0)

    def add(self, number: int, source: Source, notes: SourceNotes, copied: Sequence[str] = ()) -> None:
        """Add a sentence; ``copied`` are the words that were copied into its translation."""
        for part in notes.unknown:
            self.unknown.setdefault(part, number)
        for word in copied:
            self.copied.setdefault(word, number)
        for word in notes.oov_words:
            if word not in copied:
                self.oov_words.setdefault(word, number)
        for character in notes.left_out:
            self.left_out.setdefault(character, number)
        if source.reading.respelled:
            self.respelled.append((number, source.reading.text))
        tokens = len(source.ids) - 1
        if source.truncated:
            self.truncated.append(number)
        elif 0 < self.longest < tokens:
            self.too_long += 1
            if self.too_long == 1:
                self.first_too_long = (number, tokens)

    def show(self, several: bool) -> None:
        """Write the report to stderr."""
        if self.unknown:
            console.warn(f"out of vocabulary, read as <unk>: {_named(self.unknown, several)}")
        if self.left_out:
            console.say(f"note: out of vocabulary, left out: {_named(self.left_out, several)}", indent=2)
        for line, text in self.respelled[:MAX_SHOWN]:
            console.say(f"note: {f'line {line} is ' if several else ''}read as: {visible(text)}", indent=2)
        if len(self.respelled) > MAX_SHOWN:
            more = len(self.respelled) - MAX_SHOWN
            console.say(f"note: {more:,} more lines are not read as they are written (--json shows how)", indent=2)
        if self.several_sentences:
            what = "this line has several sentences"
            if several:
                lines = len(self.several_sentences)
                what = "1 line has" if lines == 1 else f"{lines:,} lines have"
                what = f"{what} several sentences, the first is line {self.several_sentences[0]}"
            console.say(f"note: {what}; the model was trained on single ones (see --split-sentences)", indent=2)
        if self.oov_words:
            console.say(f"note: not in the training vocabulary: {_named(self.oov_words, several)}", indent=2)
        if self.copied:
            console.say(f"note: not in training, copied into the translation: {_named(self.copied, several)}", indent=2)
        if self.too_long:
            number, tokens = self.first_too_long
            what = f"this sentence has {tokens} tokens"
            if several:
                count = "1 sentence is" if self.too_long == 1 else f"{self.too_long:,} sentences are"
                what = f"{count} longer than any in training, the first on line {number} with {tokens} tokens"
            console.say(f"note: {what}; the longest in training had {self.longest}, so the end may be lost", indent=2)


def report_truncated(
    lines: Sequence[int], config: SearchConfig, several: bool = True, rest: str = "the rest of it was not translated"
) -> None:
    """Warn of truncated lines; ``several`` says whether to name the first, ``rest`` what that means."""
    if lines:
        what = "this line is longer than"
        if several:
            what = "1 line is longer than" if len(lines) == 1 else f"{len(lines):,} lines are longer than"
        where = f", the first is line {lines[0]}" if several else ""
        console.warn(f"{what} {config.max_source_length:,} tokens{where}: {rest} (--max-source-length)")


def _named(parts: dict[str, int], several: bool) -> str:
    first = [(visible(part), line) for part, line in list(parts.items())[:MAX_NAMED]]
    shown = [f"{part} (line {line})" if several else part for part, line in first]
    more = f" and {len(parts) - MAX_NAMED} more" if len(parts) > MAX_NAMED else ""
    return ", ".join(shown) + more


def _plain(number: int | None, n_best: list[Translation], scores: bool, ranked: bool) -> list[str]:
    lines = []
    for rank, translation in enumerate(n_best, start=1):
        position = [str(rank)] if number is None else [str(number), str(rank)]
        prefix = "".join(f"{part}\t" for part in position) if ranked else ""
        score = f"{translation.score:.4f}\t" if scores else ""
        lines.append(prefix + score + translation.text)
    return lines


def _json_line(sentences: list[dict[str, Any]], n_best: list[Translation]) -> str:
    """Return the JSON object of a line; that of a line with several sentences holds one object for each of them."""
    if len(sentences) == 1:
        return json.dumps(sentences[0], ensure_ascii=False)
    translations = [_translation_json(translation) for translation in n_best]
    line = {"line": sentences[0].pop("line"), "source": " ".join(each["source"] for each in sentences)}
    for each in sentences[1:]:
        del each["line"]
    return json.dumps({**line, "translations": translations, "sentences": sentences}, ensure_ascii=False)


def _json(
    translator: Translator,
    config: SearchConfig,
    number: int,
    source: Source,
    notes: SourceNotes,
    n_best: list[Translation],
    explain: bool,
) -> dict[str, Any]:
    """Return the JSON object of a sentence."""
    result: dict[str, Any] = {
        "line": number,
        "source": source.text,
        "read_as": source.reading.text,
        "source_tokens": notes.tokens,
        "unknown": notes.unknown,
        "left_out": notes.left_out,
        "new_words": notes.oov_words,
        "translations": [_translation_json(translation) for translation in n_best[: config.n_best]],
    }
    if explain:
        result["steps"] = [
            {
                "token": step.token,
                "probability": step.probability,
                "alternatives": [{"token": token, "probability": p} for token, p in step.alternatives],
                **{name: value for name in PRIOR_COLUMNS if (value := getattr(step, name)) is not None},
            }
            for step in translator.explain(source, n_best[0])
        ]
        prior = translator.explain_prior(source, n_best[0])
        if prior:
            result["prior"] = [{"token": token, "probability": p} for token, p in prior]
        result["n_best"] = [_translation_json(translation) for translation in n_best]
    return result


def _translation_json(translation: Translation) -> dict[str, Any]:
    """Return a translation as a JSON object, without token ids, which depend on the model; copied words if any."""
    values = dataclasses.asdict(translation)
    del values["ids"]
    if not translation.copied:
        del values["copied"]
    return values


def _explained(
    translator: Translator, source: Source, notes: SourceNotes, n_best: list[Translation], width: int
) -> list[str]:
    """Return the explanation of a translation, followed by an empty line; for a blank line, only the empty line."""
    steps = translator.explain(source, n_best[0])
    if not steps:
        return [""]
    facts = [["source", source.text]]
    if source.reading.respelled:
        facts.append(["read as", source.reading.text])
    facts += [["tokens", _tokens(notes.tokens)]]
    if notes.unknown:
        facts.append(["out of vocabulary", ", ".join(map(visible, notes.unknown))])
    if notes.oov_words:
        facts.append(["not in training", ", ".join(map(visible, notes.oov_words))])
    if notes.left_out:
        facts.append(["left out", ", ".join(map(visible, notes.left_out))])
    if source.substitution and n_best[0].copied:
        facts.append(["read in place of it", source.substitution.text])
        facts.append(["copied", ", ".join(n_best[0].copied)])
    prior = translator.explain_prior(source, n_best[0])
    if prior:
        facts.append(["lexical prior", _with_probabilities(prior)])
    facts.append(["translation", n_best[0].text])
    by_prior = [name for name in PRIOR_COLUMNS if getattr(steps[0], name) is not None]
    separator = "  " if width >= ROOM_FOR_ALTERNATIVES else "\n"
    choices = [
        [
            str(number),
            show_token(step.token),
            _short(step.probability),
            bar(step.probability, BAR),
            *(_optional(getattr(step, name)) for name in by_prior),
            _with_probabilities(step.alternatives, separator),
        ]
        for number, step in enumerate(steps, start=1)
    ]
    n_best_rows = [
        [str(rank), f"{translation.score:.4f}", f"{translation.log_probability:.4f}", translation.text]
        for rank, translation in enumerate(n_best, start=1)
    ]
    headers = [">step", "token", ">probability", "", *(PRIOR_COLUMNS[name] for name in by_prior), "alternatives"]
    n_best_headers = [*N_BEST, "n-best list"]
    if width < ROOM_FOR_BARS:
        headers = [">step", "token", ">prob.", *headers[4:]]
        choices = [[*row[:3], *row[4:]] for row in choices]
    if width < ROOM_FOR_PRIORS:
        headers, choices = ["token", ">prob.", "alternatives"], [[row[1], row[2], row[-1]] for row in choices]
        n_best_headers, n_best_rows = [">score", "n-best list"], [[row[1], row[3]] for row in n_best_rows]
    return [
        *table(["", ""], facts, width),
        "",
        *table(headers, choices, width),
        "",
        *table(n_best_headers, n_best_rows, width),
        "",
    ]


def _tokens(tokens: tuple[str, ...]) -> str:
    return " ".join(show_token(token) for token in tokens)


def _with_probabilities(tokens: Sequence[tuple[str, float]], separator: str = "  ") -> str:
    return separator.join(f"{show_token(token)} {_short(p)}" for token, p in tokens)


def _optional(value: float | None) -> str:
    return "" if value is None else _short(value)


def _short(value: float) -> str:
    return f"{value:.3f}"
