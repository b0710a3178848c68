"""The settings of the search: greedy or beam search, length limits, n-best lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from seq2seq_cli.config.sections import LONGEST_SOURCE, MAX_TOKENS_PER_BATCH
from seq2seq_cli.config.setting import Section, check_range, setting
from seq2seq_cli.errors import usage_error

NORMALIZATIONS = ("plain", "gnmt")
LONGEST_NUMBER = 30
"""Characters; Python parses a number in time quadratic in its length."""
MAX_BEAM = 1000


class LengthLimit(NamedTuple):
    """Maximum number of target tokens of a sentence: ``factor`` times the number of source tokens, plus ``tokens``."""

    factor: float
    tokens: int


@cache
def length_limit(text: str | int) -> LengthLimit:
    """Parse ``--max-length``: ``60`` tokens, or ``2x`` or ``1.5x+10``, relative to the number of source tokens.

    Example:
        >>> length_limit("1.5x+10")
        LengthLimit(factor=1.5, tokens=10)

    Raises:
        UserError: if it has neither form, or is outside the limits.
    """
    relative = re.fullmatch(r"(\d+\.?\d*|\.\d+)x(?:\+(\d+))?", str(text), re.ASCII)
    absolute = re.fullmatch(r"-?\d+", str(text), re.ASCII)
    if relative and len(str(text)) <= LONGEST_NUMBER:
        limit = LengthLimit(float(relative[1]), int(relative[2] or 0))
        check_range("--max-length: the number before x", limit.factor, 0.01, 1000)
        check_range("--max-length: the number after +", limit.tokens, 0, 1 << 20)
        return limit
    if absolute and len(str(text)) <= LONGEST_NUMBER:
        check_range("--max-length", int(text), 1, 1 << 20)
        return LengthLimit(0.0, int(text))
    raise usage_error(
        f"--max-length must be a number of tokens, or relative to the source length, not {str(text)[:30]!r}",
        where="--max-length",
        fix="write for example 60, 2x or 1.5x+10",
    )


@dataclass(frozen=True)
class SearchConfig(Section):
    """How the search for a translation works."""

    panel: ClassVar[str] = "Search"

    beam: int = setting(5, "Hypotheses kept per sentence; 1 is greedy search.", low=1, high=MAX_BEAM)
    length_penalty: float = setting(
        1.0, "Compare hypotheses by log-probability / length^A; 0 favors short ones.", "A", low=0, high=10
    )
    normalization: str = setting(
        "plain",
        "Divide the log-probability by length^A (plain), or by ((5 + length) / 6)^A (gnmt)",
        "FORM",
        choices=NORMALIZATIONS,
    )
    reverse_weight: float = setting(
        0.4,
        "Weight of the lexical prior's reverse table when hypotheses are ranked (only with --beam above 1).",
        "X",
        low=0,
        high=10,
    )
    rerank: str | None = setting(
        None,
        "Model of the reverse direction: how well it translates a hypothesis back counts in ranking, too.",
        "FILE",
        shown="none",
    )
    rerank_weight: float = setting(0.5, "Weight of the model of --rerank.", "X", low=0, high=10)
    no_repeat_ngram: int = setting(
        0, "Never generate the same n-gram of N tokens twice; 0: no limit.", low=0, high=1000
    )
    n_best: int = setting(
        1, "Translations per sentence; above 1, each line has number, rank and text, with tabs.", low=1, high=1000
    )
    sample: bool = setting(
        False, "Draw each token at random by its probability, instead of searching; --n-best N draws N samples.", ""
    )
    temperature: float = setting(
        1.0,
        "Divide the logits of --sample by this; below 1, probable tokens are drawn more often.",
        "X",
        low=0.01,
        high=100,
    )
    seed: int = setting(
        1, "Random seed of --sample; the same seed draws the same samples of a sentence.", low=0, high=(1 << 63) - 1
    )
    max_length: int | str = setting(
        "2x+10",
        "Maximum target tokens: a number, or relative to the source, as 2x or 1.5x+10 (then at most 500).",
        "LENGTH",
    )
    copy_unknown: bool = setting(
        True, "Copy out-of-vocabulary words into the translation, if the model copies names (see the lexical prior)."
    )
    allow_unknown: bool = setting(False, "Allow <unk> in a translation, where it is most probable.", "")
    split_sentences: bool = setting(
        False, "Translate the sentences of a line one by one, and join them with spaces.", ""
    )
    batch_size: int = setting(
        64, "Sentences translated at a time; 1 translates each line as it arrives.", low=1, high=1 << 16
    )
    max_tokens_per_batch: int = setting(
        MAX_TOKENS_PER_BATCH, "Maximum source tokens translated at a time; limits the memory.", low=8, high=1 << 30
    )
    max_source_length: int = setting(
        LONGEST_SOURCE, "Maximum source tokens; a longer line is truncated.", low=1, high=1 << 20
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample and self.rerank is not None:
            raise usage_error(
                "--sample draws translations at random, and --rerank ranks those of a search",
                where="--rerank",
                fix="use one of them",
            )
        if self.rerank is not None and self.beam == 1:
            raise usage_error(
                "--rerank chooses between hypotheses, and --beam 1 keeps only one",
                where="--rerank",
                fix="use --beam 2 or more",
            )
        if self.n_best > self.beam and not self.sample:
            raise usage_error(
                f"--n-best {self.n_best} is more than --beam {self.beam}",
                where="--n-best",
                fix=f"use --beam {self.n_best} or more",
            )
        length_limit(self.max_length)
