"""Translating text with a trained model, or with several at once."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.explanation import forced_decoding, lexical_prior
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.inference.prepared_decoder import prepare_decoder
from seq2seq_cli.inference.search import search
from seq2seq_cli.inference.step_decoder import StepDecoder
from seq2seq_cli.inference.workers import WorkerPool, usable_cores
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN, Tokenizer, finish_source

SMALLEST_BATCH = 8
"""Minimum number of sentences for a worker of its own."""
BATCHES_AT_A_TIME = 20
"""Batches whose sentences are sorted by length together, when a stream is translated."""


@dataclass(frozen=True)
class Source:
    """A source sentence as text and as token ids.

    ``ids`` are its tokens in the order in which the encoder reads them, EOS last. If the sentence has more than
    ``max_source_length`` tokens, ``truncated`` is true, and its end is not translated.
    """

    text: str
    ids: tuple[int, ...]
    truncated: bool = False

    @property
    def blank(self) -> bool:
        """Whether there is nothing to translate."""
        return len(self.ids) == 1


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
    with a reverse lexical table, the weighted reverse log-probability (see ``reranking``). ``tokens`` are the target
    tokens as text, each with the space before it, and ``ids`` are the same tokens as numbers.
    """

    text: str
    log_probability: float
    score: float
    tokens: tuple[str, ...]
    ids: tuple[int, ...] = ()


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


class Translator:
    """A trained model ready to translate, or an ensemble whose distributions are averaged at every step.

    Args:
        checkpoints: one model, or several with the same tokenizers.
        names: names of the models in error messages.
        threads: number of workers, each of which translates one batch at a time; by default one per core.
        processes: whether the workers are processes, where a fork is safe, instead of threads.

    Raises:
        UserError: if the models' vocabularies differ.

    Example::

        from seq2seq_cli import Translator

        translator = Translator.load("model.npz")
        translator.translate(["good morning"])
    """

    def __init__(
        self,
        checkpoints: Sequence[Checkpoint],
        names: Sequence[str] = (),
        *,
        threads: int | None = None,
        processes: bool = False,
    ) -> None:
        first = checkpoints[0]
        self.workers = WorkerPool(weakref.proxy(self), threads or usable_cores(), processes)
        self.models: list[Seq2Seq] = [member for checkpoint in checkpoints for member in checkpoint.model.members]
        reverse = [model.tables.reverse_lexicon for model in self.models if model.tables.reverse_lexicon is not None]
        self._reverse_lexicon = reverse[0] if reverse else None  # of the first model that has one
        self._decoders: list[StepDecoder] = []
        self._preparing = threading.Lock()
        self.source_tokenizer: Tokenizer = first.source_tokenizer
        self.target_tokenizer: Tokenizer = first.target_tokenizer
        self.reverse_source = first.model.config.reverse_source
        self.corpora = [checkpoint.trained_on for checkpoint in checkpoints]
        self.origins = [checkpoint.origin for checkpoint in checkpoints]
        self._vocabularies = [checkpoint.training_vocabulary for checkpoint in checkpoints]
        names = names or [f"model {k}" for k in range(1, len(checkpoints) + 1)]
        for checkpoint, name in zip(checkpoints[1:], names[1:]):
            for side in ("source", "target"):
                tokenizer: Tokenizer = getattr(checkpoint, f"{side}_tokenizer")
                if tokenizer.to_json() != getattr(first, f"{side}_tokenizer").to_json():
                    raise UserError(
                        f"the models' {side} vocabularies differ, so their distributions cannot be averaged",
                        where=f"{names[0]} and {name}",
                        fix="train the models of an ensemble with the same --source-tokenizer and --target-tokenizer",
                    )
            if checkpoint.model.config.reverse_source != self.reverse_source:
                raise UserError(
                    "one of the models reads the source in reverse order, the other does not",
                    where=f"{names[0]} and {name}",
                    fix="train all models of an ensemble with --reverse-source, or all without it",
                )

    @classmethod
    def load(cls, *paths: str | Path, threads: int | None = None, processes: bool = False) -> Translator:
        """Read one model file, or several for an ensemble.

        Args:
            paths: model files.
            threads, processes: as for the class.

        Raises:
            UserError: if a file is missing or not a model, or the models do not form an ensemble.
        """
        return cls(
            [load_model(Path(path)) for path in paths],
            [str(path) for path in paths],
            threads=threads,
            processes=processes,
        )

    def translate(self, texts: Iterable[str], config: SearchConfig | None = None) -> list[str]:
        """Return the best translation of each text, in order; that of a blank text is the empty string.

        Args:
            texts: sentences.
            config: beam size, length penalty, and so on; the defaults if None.
        """
        return [n_best[0].text for n_best in self.translate_n_best(texts, config)]

    def translate_n_best(self, texts: Iterable[str], config: SearchConfig | None = None) -> Iterator[list[Translation]]:
        """Yield up to ``n_best`` translations of each text, best first, in order; arguments as for ``translate``."""
        if isinstance(texts, str):
            raise TypeError("texts must be a list or another iterable of strings, not a string")
        config = config or SearchConfig()
        sources = (self.read(text, config) for text in texts)
        return (n_best for _, n_best in self.translate_sources(sources, config))

    def reranks(self, config: SearchConfig) -> bool:
        """Return whether a search with these settings reranks its hypotheses (see ``reranking``)."""
        return self._reverse_lexicon is not None and config.beam > 1 and config.reverse_weight > 0

    def read(self, text: str, config: SearchConfig | None = None) -> Source:
        """Encode a sentence; one with more than ``max_source_length`` tokens is truncated."""
        limit = (config or SearchConfig()).max_source_length
        ids = self.source_tokenizer.encode(text, limit + 1)
        truncated = len(ids) > limit
        return Source(text, tuple(finish_source(ids[:limit], self.reverse_source)), truncated)

    def translate_sources(
        self, sources: Iterable[Source], config: SearchConfig
    ) -> Iterator[tuple[Source, list[Translation]]]:
        """Yield each sentence with its translations, in order.

        A few batches of sentences are read at a time, so a stream can have any length. A translation does not depend on
        the other sentences (its score may differ in the sixth digit with the size of the matrix products).

        Args:
            sources: sentences, as ``read`` returned them.
            config: settings of the search.
        """
        # With a batch size of one, each line is translated before the next is read, for interactive programs.
        size = config.batch_size * BATCHES_AT_A_TIME if config.batch_size > 1 else 1
        stream = iter(sources)
        while chunk := list(islice(stream, size)):
            results: list[list[Translation]] = [[]] * len(chunk)
            for batch in self.translate_batches(chunk, config):
                for k, n_best in batch:
                    results[k] = n_best
            yield from zip(chunk, results)

    def translate_batches(
        self, sources: Sequence[Source], config: SearchConfig
    ) -> Iterator[list[tuple[int, list[Translation]]]]:
        """Yield the translations of each batch as soon as it is finished, every sentence with its position.

        Blank sentences come first, then the longest; arguments as for ``translate_sources``.
        """
        blank = [(k, [Translation("", 0.0, 0.0, ())]) for k, source in enumerate(sources) if source.blank]
        if blank:
            yield blank
        work = sorted((k for k, source in enumerate(sources) if not source.blank), key=lambda k: -len(sources[k].ids))
        while work:
            fitting = max(1, config.max_tokens_per_batch // len(sources[work[0]].ids))
            size = min(config.batch_size * self.workers.size, fitting)
            chosen, work = work[:size], work[size:]
            count = min(self.workers.size, math.ceil(len(chosen) / SMALLEST_BATCH))
            shards = [chosen[k::count] for k in range(count)]  # every worker gets sentences of all lengths
            found = self.workers.call("_search", [([sources[k].ids for k in shard], config) for shard in shards])
            yield [
                (k, [self._translation(hypothesis) for hypothesis in hypotheses])
                for shard, results in zip(shards, found)
                for k, hypotheses in zip(shard, results)
            ]

    def notes(self, source: Source) -> SourceNotes:
        """Return how the model reads a sentence: its tokens, and what is out of vocabulary."""
        unknown = self.source_tokenizer.unknown(source.text) if UNKNOWN in source.ids else []
        first, *others = [vocabulary.oov_words(source.text) for vocabulary in self._vocabularies]
        oov = [word for word in first if word not in unknown and all(word in words for words in others)]
        entries = self.source_tokenizer.vocabulary
        return SourceNotes(tuple(entries[k] for k in source.ids), tuple(unknown), tuple(oov))

    @property
    def longest_trained_on(self) -> int:
        """Number of tokens of the longest training source, or 0 if it is unknown."""
        return max(vocabulary.longest for vocabulary in self._vocabularies)

    def explain(self, source: Source | str, translation: Translation, alternatives: int = 3) -> list[Step]:
        """Return each token of a translation with its probability and alternatives, ``</s>`` last.

        The product of the probabilities is that of the translation. A blank text has no tokens.

        Args:
            source: the sentence, as text or as ``read`` returned it.
            translation: its translation by this translator.
            alternatives: number of other tokens to return for each step.
        """
        source = self.read(source) if isinstance(source, str) else source
        if source.blank:
            return []
        vocabulary = self.target_tokenizer.vocabulary
        return [
            Step(
                vocabulary[choice.token],
                choice.probability,
                tuple((vocabulary[k], probability) for k, probability in choice.alternatives),
                choice.prior,
                choice.gate,
                choice.bigram_prior,
                choice.bigram_gate,
            )
            for choice in forced_decoding(self.models, source.ids, [*translation.ids, EOS], BOS, alternatives)
        ]

    def explain_prior(self, source: Source, tokens: int = 8) -> list[tuple[str, float]]:
        """Return the most probable tokens of the lexical prior alone, highest first.

        Args:
            source: the sentence, as ``read`` returned it.
            tokens: number of tokens to return.

        Returns:
            Tokens with their probabilities ``p(v|x)``; an empty list if no model has a prior, or the text is blank.
        """
        prior = None if source.blank else lexical_prior(self.models, source.ids)
        if prior is None:
            return []
        vocabulary = self.target_tokenizer.vocabulary
        return [(vocabulary[k], float(prior[k])) for k in np.argsort(-prior, kind="stable")[:tokens] if prior[k] > 0]

    def _search(self, sources: Sequence[Sequence[int]], config: SearchConfig) -> list[list[Hypothesis]]:
        with self._preparing:  # at the first sentence, in the process that translates it, once for all threads
            if not self._decoders:
                self._decoders = [prepare_decoder(model) for model in self.models]
        suppressed = () if config.allow_unknown else (UNKNOWN,)
        return search(self._decoders, sources, config, BOS, EOS, suppressed, self._reverse_lexicon)

    def _translation(self, hypothesis: Hypothesis) -> Translation:
        return Translation(
            self.target_tokenizer.decode(hypothesis.tokens),
            hypothesis.log_probability,
            hypothesis.score,
            tuple(self.target_tokenizer.vocabulary[token] for token in hypothesis.tokens),
            hypothesis.tokens,
        )
