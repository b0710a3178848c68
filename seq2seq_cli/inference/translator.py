"""Translating text with a trained model, or with several at once."""

from __future__ import annotations

import math
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.communicator import communicator_of
from seq2seq_cli.inference.copying import Copier
from seq2seq_cli.inference.ensemble import check_ensemble
from seq2seq_cli.inference.explanation import forced_decoding, lexical_prior
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.inference.prepared_decoder import prepare_decoder
from seq2seq_cli.inference.reverse_model import ReverseModel
from seq2seq_cli.inference.search import search
from seq2seq_cli.inference.shared_search import BATCHES_AT_A_TIME, share_batches
from seq2seq_cli.inference.step_decoder import StepDecoder
from seq2seq_cli.inference.translation import Source, SourceNotes, Step, Translation, join_n_best, translations_of
from seq2seq_cli.inference.workers import WorkerPool, usable_cores
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.text.reading import SourceReader
from seq2seq_cli.text.sentences import split_sentences
from seq2seq_cli.text.source_style import SINGLE_SENTENCES
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN, Tokenizer, finish_source

__all__ = ["Source", "SourceNotes", "Step", "Translation", "Translator"]

SMALLEST_BATCH = 8
"""Minimum number of sentences for a worker of its own."""


class Translator:
    """A trained model ready to translate, or an ensemble whose distributions are averaged at every step.

    Args:
        checkpoints: one model, or several with the same tokenizers.
        names: names of the models in error messages.
        threads: number of workers, each of which translates one batch at a time; by default one per core.
        processes: whether the workers are processes, where a fork is safe, instead of threads.
        communicator: of mpi4py, for several processes that share the sentences: all call the same methods with the same
            texts, and all get every translation (for one process that leads the others, see ``LeadingTranslator``).

    Raises:
        UserError: if the models' vocabularies differ.

    Example::

        translator = Translator.load("model.npz")
        translator.translate(["good morning"])
        await asyncio.to_thread(translator.translate, [text])  # in a web handler: it does not block the event loop

    Threads may share a translator.
    """

    def __init__(
        self,
        checkpoints: Sequence[Checkpoint],
        names: Sequence[str] = (),
        *,
        threads: int | None = None,
        processes: bool = False,
        communicator: Any = None,
    ) -> None:
        first = checkpoints[0]
        self.communicator = communicator_of(communicator)
        self.workers = WorkerPool(weakref.proxy(self), threads or usable_cores(), processes)
        self.models: list[Seq2Seq] = [member for checkpoint in checkpoints for member in checkpoint.model.members]
        reverse = [model.tables.reverse_lexicon for model in self.models if model.tables.reverse_lexicon is not None]
        self._reverse_lexicon = reverse[0] if reverse else None  # of the first model that has one
        self._copier = Copier(
            first.source_tokenizer,
            first.target_tokenizer,
            self.models[0].tables.lexicon,
            [checkpoint.training_vocabulary for checkpoint in checkpoints],
        )
        self._decoders: list[StepDecoder] = []
        self._reverse_models: dict[str, ReverseModel] = {}
        self._preparing = threading.Lock()
        self.source_tokenizer: Tokenizer = first.source_tokenizer
        self.target_tokenizer: Tokenizer = first.target_tokenizer
        self._style = first.training_vocabulary.style
        self._reader = SourceReader(first.source_tokenizer, first.training_vocabulary)
        self.reverse_source = first.model.config.reverse_source
        self.corpora = [checkpoint.trained_on for checkpoint in checkpoints]
        self.bleu_tokenizers = [checkpoint.recipe.training.tokenize for checkpoint in checkpoints]
        self.origins = [checkpoint.origin for checkpoint in checkpoints]
        self._vocabularies = [checkpoint.training_vocabulary for checkpoint in checkpoints]
        check_ensemble(checkpoints, names or [f"model {k}" for k in range(1, len(checkpoints) + 1)])

    @classmethod
    def load(
        cls, *paths: str | Path, threads: int | None = None, processes: bool = False, communicator: Any = None
    ) -> Translator:
        """Read one model file, or several for an ensemble.

        Args:
            paths: model files.
            threads, processes, communicator: as for the class; every process reads the files.

        Raises:
            UserError: if a file is missing or not a model, or the models do not form an ensemble.
        """
        return cls(
            [load_model(Path(path)) for path in paths],
            [str(path) for path in paths],
            threads=threads,
            processes=processes,
            communicator=communicator,
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
        return (n_best for _, n_best in self.translate_lines(texts, config))

    def translate_lines(
        self, lines: Iterable[str], config: SearchConfig
    ) -> Iterator[tuple[list[tuple[Source, list[Translation]]], list[Translation]]]:
        """Yield for each line its sentences with their translations, and the translations of the line, in order.

        A line is one sentence, unless ``split_sentences`` is set.

        Args:
            lines: lines of text.
            config: settings of the search.
        """
        sizes: deque[int] = deque()

        def sources() -> Iterator[Source]:
            """Yield the sentences of all lines, and note how many each line has."""
            for line in lines:
                sentences = self.sentences(line) if config.split_sentences else [line]
                sizes.append(len(sentences))
                yield from (self.read(sentence, config) for sentence in sentences)

        translated = self.translate_sources(sources(), config)
        for first in translated:
            sentences = [first, *islice(translated, sizes.popleft() - 1)]
            yield sentences, join_n_best([n_best for _, n_best in sentences], config.n_best, config.sample)

    def sentences(self, line: str) -> list[str]:
        """Return the sentences of a line (see ``text.sentences``)."""
        return split_sentences(line, self._style.abbreviations)

    @property
    def single_sentences(self) -> bool:
        """Whether nearly every training source is a single sentence, as far as is known."""
        return self._style.several < SINGLE_SENTENCES

    def reverse_model(self, config: SearchConfig) -> ReverseModel:
        """Return the model of ``config.rerank``, loaded when it is first asked for.

        Raises:
            UserError: if the file is missing or not a model.
        """
        path = str(config.rerank)
        with self._preparing:
            if path not in self._reverse_models:
                self._reverse_models[path] = ReverseModel.load(path)
        return self._reverse_models[path]

    def reranks(self, config: SearchConfig) -> bool:
        """Return whether a search with these settings reranks by the reverse lexical table (see ``reranking``)."""
        by_table = self._reverse_lexicon is not None and config.reverse_weight > 0
        return by_table and config.beam > 1 and not config.sample

    def read(self, text: str, config: SearchConfig | None = None) -> Source:
        """Encode a sentence as the model reads it; one with more than ``max_source_length`` tokens is truncated."""
        config = config or SearchConfig()
        reading = self._reader.read(text)
        ids, truncated = self._encoded(reading.text, config)
        copying = config.copy_unknown and not config.sample and not truncated
        substitution = self._copier.substitute(self._reader.with_apostrophes(text)) if copying else None
        if substitution is None:
            return Source(text, ids, truncated, reading)
        substitution = substitution._replace(text=self._reader.read(substitution.text).text)
        return Source(text, ids, False, reading, substitution, self._encoded(substitution.text, config)[0])

    def _encoded(self, text: str, config: SearchConfig) -> tuple[tuple[int, ...], bool]:
        """Return what the encoder reads, and whether it is truncated."""
        limit = config.max_source_length
        ids = self.source_tokenizer.encode(text, limit + 1)
        return tuple(finish_source(ids[:limit], self.reverse_source)), len(ids) > limit

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
        size = config.batch_size * BATCHES_AT_A_TIME * self.communicator.size if config.batch_size > 1 else 1
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
        if self.communicator.size > 1:
            yield from share_batches(self, sources, config)
        else:
            yield from self.translate_alone(sources, config)

    def translate_alone(
        self, sources: Sequence[Source], config: SearchConfig
    ) -> Iterator[list[tuple[int, list[Translation]]]]:
        """Yield the translations of each batch, as ``translate_batches``, in this process alone."""
        blank = [(k, [Translation("", 0.0, 0.0, ())]) for k, source in enumerate(sources) if source.blank]
        if blank:
            yield blank
        ids = {k: source.substituted_ids or source.ids for k, source in enumerate(sources) if not source.blank}
        work = sorted(ids, key=lambda k: -len(ids[k]))
        vocabulary = self.target_tokenizer.vocabulary
        again: list[int] = []  # sentences whose substituted names are not in the translation
        while work:
            fitting = max(1, config.max_tokens_per_batch // len(ids[work[0]]))
            size = min(config.batch_size * self.workers.size, fitting)
            chosen, work = work[:size], work[size:]
            count = min(self.workers.size, math.ceil(len(chosen) / SMALLEST_BATCH))
            shards = [chosen[k::count] for k in range(count)]  # every worker gets sentences of all lengths
            found = self.workers.call("_search", [([ids[k] for k in shard], config) for shard in shards])
            if config.rerank is not None:
                texts = [[sources[k].text_for(ids[k]) for k in shard] for shard in shards]
                found = self.workers.call("_rerank", [(*each, config) for each in zip(texts, found)])
            batch = []
            for k, hypotheses in zip(chain(*shards), chain(*found)):
                substitution = sources[k].substitution if ids[k] is not sources[k].ids else None
                if substitution and not substitution.complete(hypotheses[0].tokens, vocabulary):
                    ids[k] = sources[k].ids
                    again.append(k)
                else:
                    batch.append((k, translations_of(hypotheses, self.target_tokenizer, substitution)))
            if batch:
                yield batch
            if not work:
                work, again = sorted(again, key=lambda k: -len(ids[k])), []

    def notes(self, source: Source) -> SourceNotes:
        """Return how the model reads a sentence: its tokens, and what is out of vocabulary."""
        text = source.reading.text
        unknown = self.source_tokenizer.unknown(text) if UNKNOWN in source.ids else []
        first, *others = [vocabulary.oov_words(text) for vocabulary in self._vocabularies]
        oov = [word for word in first if word not in unknown and all(word in words for words in others)]
        entries = self.source_tokenizer.vocabulary
        return SourceNotes(tuple(entries[k] for k in source.ids), tuple(unknown), tuple(oov), source.reading.left_out)

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
            for choice in forced_decoding(
                self.models, source.read_for(translation), [*translation.ids, EOS], BOS, alternatives
            )
        ]

    def explain_prior(
        self, source: Source, translation: Translation | None = None, tokens: int = 8
    ) -> list[tuple[str, float]]:
        """Return the most probable tokens of the lexical prior alone, highest first.

        Args:
            source: the sentence, as ``read`` returned it.
            translation: its translation, if words were copied into it: the names in their place are read then.
            tokens: number of tokens to return.

        Returns:
            Tokens with their probabilities ``p(v|x)``; an empty list if no model has a prior, or the text is blank.
        """
        prior = None if source.blank else lexical_prior(self.models, source.read_for(translation))
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

    def _rerank(
        self, texts: Sequence[str], found: Sequence[Sequence[Hypothesis]], config: SearchConfig
    ) -> list[list[Hypothesis]]:
        return self.reverse_model(config).rerank(texts, found, self.target_tokenizer, config)
