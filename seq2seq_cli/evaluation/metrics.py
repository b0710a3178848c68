"""sacreBLEU's metrics, what they take as references, and the warnings that they log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

Streams = list[list[str | None]]
References = Sequence[str] | Sequence[Sequence[str | None]]
"""One reference for each sentence, or several lists of them; in these, None where a sentence has fewer."""


class Metric(NamedTuple):
    """One of sacreBLEU's metrics: its usual name, and a function that creates it.

    The function takes whether to ignore case, references to cache or None, and the tokenizer, which is only for BLEU.
    """

    title: str
    make: Callable[[bool, Streams | None, str], Any]


# sacreBLEU takes half a second to import, so it is imported only when something is scored.


def _bleu(lowercase: bool, references: Streams | None, tokenize: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(lowercase=lowercase, references=references, tokenize=tokenize)  # type: ignore[arg-type]


def _chrf(lowercase: bool, references: Streams | None, tokenize: str, word_order: int = 0) -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF(lowercase=lowercase, references=references, word_order=word_order)  # type: ignore[arg-type]


def _chrf_plus_plus(lowercase: bool, references: Streams | None, tokenize: str) -> Any:
    return _chrf(lowercase, references, tokenize, word_order=2)


def _ter(lowercase: bool, references: Streams | None, tokenize: str) -> Any:
    from sacrebleu.metrics.ter import TER

    return TER(references=references)  # type: ignore[arg-type]  # it always ignores case


METRICS = {
    "bleu": Metric("BLEU", _bleu),
    "chrf": Metric("chrF2", _chrf),
    "chrf++": Metric("chrF2++", _chrf_plus_plus),
    "ter": Metric("TER", _ter),
}
"""A new metric is one function and one entry: ``--metrics``, its help, completion and tables follow from it."""


def reference_streams(references: References) -> Streams:
    """Return references as sacreBLEU takes them: one list with the first reference of each sentence, and so on."""
    if not len(references) or isinstance(references[0], str):
        return [list(references)]  # type: ignore[arg-type]
    return [list(stream) for stream in references]


class _Collector(logging.Handler):
    """Collects the warnings of a logger."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "parameter" not in message:  # how to suppress the warning, by a parameter that this program does not have
            self.messages.append(message.removesuffix(".") + ".")


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect what sacreBLEU warns of, instead of letting it write to stderr."""
    logger, collector = logging.getLogger("sacrebleu"), _Collector()
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield collector.messages
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagates
