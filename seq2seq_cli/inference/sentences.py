"""What goes through a translator: a source sentence, its translations, and what explains them."""

from __future__ import annotations

from dataclasses import dataclass

from seq2seq_cli.inference.copying import Substitution


@dataclass(frozen=True)
class Source:
    """A source sentence as text and as token ids.

    ``ids`` are its tokens in the order in which the encoder reads them, EOS last. If the sentence has more than
    ``max_source_length`` tokens, ``truncated`` is true, and its end is not translated. ``substitution`` is the sentence
    with its unknown words replaced by names (see ``copying``), and ``substituted_ids`` are its tokens; None and empty
    if there are none.
    """

    text: str
    ids: tuple[int, ...]
    truncated: bool = False
    substitution: Substitution | None = None
    substituted_ids: tuple[int, ...] = ()

    @property
    def blank(self) -> bool:
        """Whether there is nothing to translate."""
        return len(self.ids) == 1

    def text_for(self, ids: tuple[int, ...]) -> str:
        """Return the text whose tokens these are: the sentence, or the one with names in place of unknown words."""
        return self.text if self.substitution is None or ids is self.ids else self.substitution.text

    def read_for(self, translation: Translation | None) -> tuple[int, ...]:
        """Return the tokens that the encoder read for one of its translations."""
        return self.substituted_ids if translation and translation.copied else self.ids


@dataclass(frozen=True)
class SourceNotes:
    """How the model reads a sentence.

    ``tokens`` are its tokens as text, each with the space before it; ``unknown`` are the parts that became ``<unk>``;
    ``oov_words`` are the other words that are out of the training vocabulary; they are split into subwords.
    """

    tokens: tuple[str, ...]
    unknown: tuple[str, ...]
    oov_words: tuple[str, ...]


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
