"""``seq2seq score``: log-probabilities and perplexities of given translations."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from seq2seq_cli.cli.flags import with_flags
from seq2seq_cli.cli.search_flags import SHOWN, Models, Swap, Threads, load_translator
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.translations import SourceReport, report_truncated
from seq2seq_cli.config import SearchConfig, settings_in
from seq2seq_cli.errors import UserError, usage_error
from seq2seq_cli.inference.workers import check_threads
from seq2seq_cli.text.corpus import read_pairs, shorten
from seq2seq_cli.text.inputs import STDIO, title
from seq2seq_cli.text.lines import Lines
from seq2seq_cli.text.tokenizer import UNKNOWN

if TYPE_CHECKING:
    from seq2seq_cli.inference.scoring import Pair, PairScore, Scorer

LEFT_OUT = settings_in(SearchConfig).keys() - {"max_source_length"}
MAX_NAMED = 5


class Item(NamedTuple):
    """A translation to score, with its line and, in an n-best list, its rank and its tokens."""

    line: int
    source: str
    target: str
    rank: int = 0
    tokens: tuple[str, ...] | None = None


@with_flags(SearchConfig, leave_out=LEFT_OUT)
def score_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS",
            help="Sources with their translations, named as for 'train'.",
            show_default="the built-in test set",
        ),
    ] = None,
    model: Models = None,
    translations: Annotated[
        str | None,
        typer.Option(
            "--translations",
            metavar="FILE",
            help="Score what 'translate --json' printed, by its own tokens, instead of CORPUS (- for stdin).",
            rich_help_panel="Files",
        ),
    ] = None,
    output_file: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the scores to this file (- for stdout).",
            rich_help_panel="Files",
        ),
    ] = None,
    threads: Threads = None,
    swap: Swap = None,
    total: Annotated[
        bool, typer.Option("--total", help="Print one line for all pairs together.", rich_help_panel=SHOWN)
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object per pair, with the score of every token; with --total, only one object.",
            rich_help_panel=SHOWN,
        ),
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
    **search: Any,
) -> None:
    """Score given translations: their log-probability and perplexity.

    One line is printed for each pair, in order, with tabs between four columns:
    the log-probability in nats, the number of target tokens with the end of the sentence,
    the log-probability per token, and the perplexity.
    With --translations, the line and the rank of each translation come first.
    Several models are averaged token by token, as in a search.

    Examples:
    seq2seq score test.de,test.en -m de-en.npz --total
    seq2seq score pairs.tsv -m mine.npz | paste - pairs.tsv | sort -g -k3,3 | head -20
    seq2seq translate --n-best 5 --json < letter.txt | seq2seq score -m other.npz --translations -
    """
    if corpus is not None and translations is not None:
        raise usage_error(
            "give CORPUS or --translations, not both", where="--translations", fix="leave one of them out"
        )
    if swap is not None and translations is not None:
        raise usage_error(
            "--translations has its own sources, so no sides change places", where="--swap", fix="leave it out"
        )
    config = SearchConfig(**search)
    console.check_inputs(corpus, translations)
    if output_file is not None:
        console.check_output(output_file)
    from seq2seq_cli.inference.scoring import Scorer

    scorer = Scorer(load_translator(model, threads), check_threads(threads), processes=True)
    items = _from_json(translations) if translations is not None else _from_corpus(corpus, scorer, swap)
    report = _Report(scorer, config)
    pairs = (report.read(item) for item in items)
    with console.output_to(output_file or STDIO) as output:
        for item, pair, score in report.scored(pairs):
            if not total:
                console.write_line(output, _json(item, pair, score, scorer) if as_json else _columns(item, score))
        whole = report.whole()
        if total:
            line = json.dumps(whole) if as_json else _row(*(whole[name] for name in _NAMES))
            console.write_line(output, line)
    report.show()


_NAMES = ("log_probability", "tokens", "per_token", "perplexity")


def _from_corpus(name: str | None, scorer: Scorer, swap: bool | None) -> Iterator[Item]:
    """Return the pairs of a corpus, those with an empty side included; it is read before the first is scored."""
    from seq2seq_cli.evaluation.evaluation import is_swapped, read_test_corpus

    if swap is None and (swap := is_swapped(scorer.translator.corpora)):
        console.say("note: the two sides change places, as in the training (--no-swap: they do not)", indent=2)
    if name is None:
        test = read_test_corpus(None, scorer.translator.corpora, swap)
        sources, targets = test.sources, test.targets
    else:
        sources, targets = Lines(), Lines()
        for source, target in read_pairs(name):
            sources.append(target if swap else source)
            targets.append(source if swap else target)
    return (Item(line, *pair) for line, pair in enumerate(zip(sources, targets), start=1))


def _from_json(path: str) -> Iterator[Item]:
    """Return the translations that ``translate --json`` printed; all are read before the first is scored."""
    lines = Lines(line for line in console.read_input(path))
    for _ in chain.from_iterable(_items(line, number, path) for number, line in enumerate(lines, start=1)):
        pass  # checked
    return chain.from_iterable(_items(line, number, path) for number, line in enumerate(lines, start=1))


def _items(line: str, number: int, path: str) -> list[Item]:
    try:
        record = json.loads(line)
        source, found = record["source"], record["translations"]
        items = [
            Item(int(record["line"]), source, each["text"], rank, tuple(each["tokens"]))
            for rank, each in enumerate(found, start=1)
        ]
        texts = [source, *(text for item in items for text in (item.target, *(item.tokens or ())))]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a text is not a string")
        return items
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            f"this line is not from 'seq2seq translate --json': {shorten(line)}",
            where=f"{title(path)}, line {number}",
            fix="write the file with: seq2seq translate --json --n-best 5",
        ) from None


class _Report:
    """Reads pairs, adds up their scores, and says on stderr what is out of the ordinary."""

    def __init__(self, scorer: Scorer, config: SearchConfig) -> None:
        self.scorer, self.config = scorer, config
        self.sources = SourceReport(scorer.translator.longest_trained_on)
        self.items: list[tuple[Item, Pair]] = []
        self.empty: list[int] = []
        self.unknown: dict[str, int] = {}
        self.split_anew: list[int] = []
        self.too_long: list[int] = []
        self.pairs = self.tokens = 0
        self.log_probability = 0.0

    def read(self, item: Item) -> tuple[Item, Pair]:
        """Encode a translation: by its own tokens if it has some, and the models know them."""
        translator = self.scorer.translator
        pair = self.scorer.read(item.source, item.target, self.config)
        if item.tokens is not None:
            known = translator.target_tokenizer.ids
            if all(token in known for token in item.tokens):
                pair = pair._replace(target=tuple(known[token] for token in item.tokens))
            else:
                self.split_anew.append(item.line)
        if pair.source.blank != (not pair.target):
            self.empty.append(item.line)
        if UNKNOWN in pair.target:
            for part in translator.target_tokenizer.unknown(item.target):
                self.unknown.setdefault(part, item.line)
        self.sources.add(item.line, pair.source, translator.notes(pair.source))
        return item, pair

    def scored(self, pairs: Iterator[tuple[Item, Pair]]) -> Iterator[tuple[Item, Pair, PairScore]]:
        """Yield every translation with its score, and add them up."""
        waiting: list[tuple[Item, Pair]] = []

        def tokens() -> Iterator[Pair]:
            """Yield the pairs alone, and keep them until their scores come."""
            for item, pair in pairs:
                waiting.append((item, pair))
                yield pair

        for score in self.scorer.score(tokens()):
            item, pair = waiting.pop(0)
            self.pairs += 1
            if math.isnan(score.log_probability):
                self.too_long.append(item.line)
            else:
                self.tokens += score.tokens
                self.log_probability += score.log_probability
            yield item, pair, score

    def whole(self) -> dict[str, Any]:
        """Return the score of all translations together."""
        from seq2seq_cli.nn.functional import perplexity

        mean = self.log_probability / max(1, self.tokens)
        values = (self.log_probability, self.tokens, mean, perplexity(-mean))
        return {**dict(zip(_NAMES, values)), "pairs": self.pairs - len(self.too_long)}

    def show(self) -> None:
        """Write the report to stderr."""
        self.sources.show(several=True)
        report_truncated(self.sources.truncated, self.config, rest="the rest of it was not read")
        if self.unknown:
            shown = ", ".join(f"{part} (line {line})" for part, line in list(self.unknown.items())[:MAX_NAMED])
            more = f" and {len(self.unknown) - MAX_NAMED} more" if len(self.unknown) > MAX_NAMED else ""
            console.warn(f"out of the target vocabulary, scored as <unk>: {shown}{more}")
        _warn_of(self.empty, "has an empty side", "have an empty side")
        _warn_of(self.too_long, "was not scored: its target is too long", "were not scored: their targets are too long")
        if self.split_anew:
            count = len(self.split_anew)
            which = "1 translation has" if count == 1 else f"{count:,} translations have"
            what = "tokens that these models do not have; the text was split into tokens anew"
            console.say(f"note: {which} {what}", indent=2)
        whole = self.whole()
        console.say(
            f"{whole['pairs']:,} pairs, {self.tokens:,} target tokens: log-probability {self.log_probability:.4f}, "
            f"{whole['per_token']:.4f} per token, perplexity {whole['perplexity']:.4f}",
            indent=2,
        )


def _warn_of(lines: Sequence[int], one: str, several: str) -> None:
    if lines:
        what = f"1 pair {one}" if len(lines) == 1 else f"{len(lines):,} pairs {several}"
        console.warn(f"{what}, the first on line {lines[0]}")


def _columns(item: Item, score: PairScore) -> str:
    prefix = f"{item.line}\t{item.rank}\t" if item.rank else ""
    return prefix + _row(*(getattr(score, name) for name in _NAMES))


def _row(log_probability: float, tokens: int, per_token: float, perplexity: float) -> str:
    return f"{log_probability:.4f}\t{tokens}\t{per_token:.4f}\t{perplexity:.4f}"


def _json(item: Item, pair: Pair, score: PairScore, scorer: Scorer) -> str:
    vocabulary = scorer.translator.target_tokenizer.vocabulary
    values: dict[str, Any] = {"line": item.line}
    if item.rank:
        values["rank"] = item.rank
    values |= {"source": item.source, "target": item.target}
    values |= {name: _number(getattr(score, name)) for name in _NAMES}
    values["target_tokens"] = [vocabulary[token] for token in pair.target]
    values["token_log_probabilities"] = [_number(value) for value in score.token_log_probabilities]
    return json.dumps(values, ensure_ascii=False)


def _number(value: float) -> float | None:
    """Return a number as JSON can hold it: None if it is not finite."""
    return value if math.isfinite(value) else None
