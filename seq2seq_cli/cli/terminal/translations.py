"""How translations are presented, at the prompt and in the filter alike: lines, JSON objects, explanations."""

from __future__ import annotations

import dataclasses
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from seq2seq_cli.cli.commands.tokenizer import show_token
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.charts import bar
from seq2seq_cli.cli.terminal.tables import table, width_of
from seq2seq_cli.config import SearchConfig

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Source, Translation, Translator

BAR = 10
"""Columns of the bar of probability 1."""
ROOM_FOR_BARS = 60
"""Columns of a terminal below which an explanation keeps to the essential."""
RIVALS = (">rank", ">score", ">log-probability")
MOST_NAMED = 5
"""Words named in one warning."""


@dataclass(frozen=True)
class Style:
    """What is shown of a translation besides its text.

    Args:
        scores: its score before it.
        explain: the decoder's choices, the beam's rivals, and how the source was read.
        as_json: everything, as one JSON object per line of input.
    """

    scores: bool = False
    explain: bool = False
    as_json: bool = False


def answer(
    translator: Translator,
    config: SearchConfig,
    lines: Iterator[str],
    output: IO[bytes],
    style: Style,
    first: int = 1,
    several: bool = True,
) -> None:
    """Translate a stream of lines to a stream of lines, and report on stderr what the model never saw.

    Args:
        translator, config: as loaded and as set.
        lines: sentences.
        output: where the results go.
        style: what to show.
        first: the number of the first line.
        several: whether a warning has to say which line it means.
    """
    waiting: deque[tuple[str, Source]] = deque()
    news = News(translator.longest_trained_on)

    def watched() -> Iterator[str]:
        """Pass the lines on and take note of what was never seen."""
        for number, line in enumerate(lines, start=first):
            source = translator.read(line, config)
            news.add(number, source, cut=translator.too_long(line, config))
            waiting.append((line, source))
            yield line

    # An explanation names all that the beam found, of which only the first are results.
    search = dataclasses.replace(config, n_best=config.beam) if style.explain else config
    for number, found in enumerate(translator.translate_n_best(watched(), search), start=first):
        line, source = waiting.popleft()
        if style.as_json:
            results = [_json_line(translator, config, number, line, source, found, style.explain)]
        elif style.explain:
            results = _explained(translator, config, line, source, found, width_of(output))
        else:
            results = _plain(number, found, config.n_best, style.scores)
        for result in results:
            console.write_line(output, result)
        if config.batch_size == 1:
            with console.end_quietly_without_reader():
                output.flush()
    with console.end_quietly_without_reader():
        output.flush()
    news.report(several)
    report_cut(news.cut, config, several)


class News:
    """What in the source was never seen in training, with the first line of each.

    Args:
        longest: tokens of the longest training source, or 0 if that is not known.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.unknown: dict[str, int] = {}
        self.new_words: dict[str, int] = {}
        self.cut: list[int] = []
        self.too_long = 0
        self.first_too_long = (0, 0)

    def add(self, number: int, source: Source, cut: bool) -> None:
        """Take note of a sentence, of which the end may not have been read."""
        for part in source.unknown:
            self.unknown.setdefault(part, number)
        for word in source.new_words:
            self.new_words.setdefault(word, number)
        tokens = len(source.tokens) - 1
        if cut:
            self.cut.append(number)
        elif 0 < self.longest < tokens:
            self.too_long += 1
            if self.too_long == 1:
                self.first_too_long = (number, tokens)

    def report(self, several: bool) -> None:
        """Say it on stderr."""
        if self.unknown:
            console.warn(f"never seen in training, read as <unk>: {_named(self.unknown, several)}")
        if self.new_words:
            console.say(f"note: never seen in training, read in pieces: {_named(self.new_words, several)}", indent=2)
        if self.too_long:
            number, tokens = self.first_too_long
            what = f"this sentence has {tokens} tokens"
            if several:
                count = "1 sentence is" if self.too_long == 1 else f"{self.too_long:,} sentences are"
                what = f"{count} longer than any in training, the first in line {number} with {tokens} tokens"
            console.say(
                f"note: {what}; the longest in training had {self.longest}: expect the end to be lost", indent=2
            )


def report_too_long(translator: Translator, texts: list[str], config: SearchConfig) -> None:
    """Warn of texts whose end was not translated."""
    report_cut([k for k, text in enumerate(texts, start=1) if translator.too_long(text, config)], config)


def report_cut(lines: list[int], config: SearchConfig, several: bool = True) -> None:
    """Warn of lines whose end was not read; ``several``: whether to say which."""
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
    line: str,
    source: Source,
    found: list[Translation],
    explain: bool,
) -> str:
    result: dict[str, Any] = {
        "line": number,
        "source": line,
        "source_tokens": source.tokens,
        "unknown": source.unknown,
        "new_words": source.new_words,
        "translations": [dataclasses.asdict(translation) for translation in found[: config.n_best]],
    }
    if explain:
        result["steps"] = [
            {
                "token": step.token,
                "probability": step.probability,
                "runners_up": [{"token": token, "probability": p} for token, p in step.runners_up],
            }
            for step in translator.explain(line, found[0], config)
        ]
        result["rivals"] = [dataclasses.asdict(translation) for translation in found[1:]]
    return json.dumps(result, ensure_ascii=False)


def _explained(
    translator: Translator, config: SearchConfig, line: str, source: Source, found: list[Translation], width: int
) -> list[str]:
    """Return the explanation of one translation, with an empty line at its end; of a blank line, only that."""
    steps = translator.explain(line, found[0], config)
    if not steps:
        return [""]
    facts = [["source", line], ["read as", _tokens(source.tokens)]]
    if source.unknown:
        facts.append(["never seen, <unk>", ", ".join(source.unknown)])
    if source.new_words:
        facts.append(["never seen, in pieces", ", ".join(source.new_words)])
    facts.append(["translation", found[0].text])
    choices = [
        [
            str(number),
            show_token(step.token),
            _short(step.probability),
            bar(step.probability, BAR),
            "  ".join(f"{show_token(token)} {_short(p)}" for token, p in step.runners_up),
        ]
        for number, step in enumerate(steps, start=1)
    ]
    rivals = [
        [str(rank), f"{rival.score:.4f}", f"{rival.log_probability:.4f}", rival.text]
        for rank, rival in enumerate(found, start=1)
    ]
    headers, rival_headers = [">step", "token", ">probability", "", "runners-up"], [*RIVALS, "the beam's rivals"]
    if width < ROOM_FOR_BARS:  # the essential columns alone
        headers, choices = ["token", ">prob.", "runners-up"], [[row[1], row[2], row[4]] for row in choices]
        rival_headers, rivals = [">score", "the beam's rivals"], [[row[1], row[3]] for row in rivals]
    return [
        *table(["", ""], facts, width),
        "",
        *table(headers, choices, width),
        "",
        *table(rival_headers, rivals, width),
        "",
    ]


def _tokens(tokens: tuple[str, ...]) -> str:
    return " ".join(show_token(token) for token in tokens)


def _short(probability: float) -> str:
    return f"{probability:.3f}"
