"""What a translator takes and returns: sources, translations, and the steps that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from seq2seq_cli.inference.copying import Substitution
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.text.reading import Reading
from seq2seq_cli.text.tokenizer import Tokenizer

NO_READING = Reading("")


@dataclass(frozen=True)
class Source:
    """A source sentence as text and as token ids.

    ``ids`` are its tokens in the order in which the encoder reads them, EOS last. If the sentence has more than
    ``max_source_length`` tokens, ``truncated`` is true, and its end is not translated. ``reading`` is the text that is
    encoded, which may be spelled differently (see ``text.reading``). ``substitution`` is that text with its unknown
    words replaced by names (see ``copying``), and ``substituted_ids`` are its tokens; None and empty if it has none.
    """

    text: str
    ids: tuple[int, ...]
    truncated: bool = False
    reading: Reading = NO_READING
    substitution: Substitution | None = None
    substituted_ids: tuple[int, ...] = ()

    @property
    def blank(self) -> bool:
        """Whether there is nothing to translate."""
        return len(self.ids) == 1

    def text_for(self, ids: tuple[int, ...]) -> str:
        """Return the text whose tokens these are, as it is read: the sentence, or the one with names in it."""
        return self.reading.text if self.substitution is None or ids is self.ids else self.substitution.text

    def read_for(self, translation: Translation | None) -> tuple[int, ...]:
        """Return the tokens that the encoder read for one of its translations."""
        return self.substituted_ids if translation and translation.copied else self.ids


@dataclass(frozen=True)
class SourceNotes:
    """How the model reads a sentence.

    ``tokens`` are its tokens as text, each with the space before it; ``unknown`` are the parts that became ``<unk>``;
    ``oov_words`` are the other words that are out of the training vocabulary; they are split into subwords.
    ``left_out`` are out-of-vocabulary symbols and marks that are not read at all.
    """

    tokens: tuple[str, ...]
    unknown: tuple[str, ...]
    oov_words: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    """One translation of one sentence.

    ``log_probability`` is in nats. Hypotheses are ranked by ``score``: the log-probability normalized by length, plus,
    with a reverse lexical table or a model of the reverse direction, the weighted reverse log-probability (see
    ``reranking`` and ``reverse_model``). ``tokens`` are the target tokens as text, each with the space before it, and
    ``ids`` are the same tokens as numbers. ``copied`` are the words of the source that were copied into it; their ids
    are those of the names in their place.
    """

    text: str
    log_probability: float
    score: float
    tokens: tuple[str, ...]
    ids: tuple[int, ...] = ()
    copied: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One token of a translation, and the decoder's alternatives.

    ``probability`` is from 0 to 1; ``alternatives`` are the most probable other tokens with their probabilities,
    highest first. ``prior`` is the token's probability in the lexical prior alone, and ``gate`` is the weight of the
    prior in the logits of this step; ``bigram_prior`` and ``bigram_gate`` are the same for the bigram prior. All are
    None for a model without that prior.
    """

    token: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    prior: float | None = None
    gate: float | None = None
    bigram_prior: float | None = None
    bigram_gate: float | None = None


def translations_of(
    hypotheses: Sequence[Hypothesis], tokenizer: Tokenizer, substitution: Substitution | None = None
) -> list[Translation]:
    """Return hypotheses as text; of a sentence with substituted names, those that contain them all."""
    copies = substitution.copies if substitution else {}
    vocabulary = tokenizer.vocabulary
    return [
        Translation(
            tokenizer.decode(hypothesis.tokens, copies),
            hypothesis.log_probability,
            hypothesis.score,
            tuple(copies.get(token, vocabulary[token]) for token in hypothesis.tokens),
            hypothesis.tokens,
            tuple(word[1:] for word in copies.values()),
        )
        for hypothesis in hypotheses
        if substitution is None or substitution.complete(hypothesis.tokens, vocabulary)
    ]


def join_n_best(n_bests: Sequence[list[Translation]], n: int, sampled: bool = False) -> list[Translation]:
    """Return the ``n`` best translations of a line from those of its sentences.

    A translation of the line is one of each sentence, with spaces between them; its log-probability and its score are
    the sums of theirs.

    Args:
        n_bests: for each sentence at least one translation, best first.
        n: maximum number of translations to return.
        sampled: whether they were drawn at random: then the first ones of all sentences are joined, the second ones,
            and so on. A blank sentence has only one.
    """
    if sampled:
        columns = ([each[min(k, len(each) - 1)] for each in n_bests] for k in range(max(map(len, n_bests))))
        return [reduce(_joined, column) for column in columns]
    joined, *others = n_bests
    for n_best in others:
        pairs = [_joined(left, right) for left in joined for right in n_best]
        joined = sorted(pairs, key=lambda translation: -translation.score)[:n]
    return joined


def _joined(left: Translation, right: Translation) -> Translation:
    text = " ".join(filter(None, (left.text, right.text)))
    return Translation(
        text,
        left.log_probability + right.log_probability,
        left.score + right.score,
        left.tokens + right.tokens,
        left.ids + right.ids,
        left.copied + right.copied,
    )
