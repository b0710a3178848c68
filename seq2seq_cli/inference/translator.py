"""Translating text with a trained model, or with several at once."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.inference.prepared_decoder import prepare_decoder
from seq2seq_cli.inference.search import search
from seq2seq_cli.inference.step_decoder import StepDecoder
from seq2seq_cli.inference.workers import WorkerPool, usable_cores
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN, Tokenizer
from seq2seq_cli.training.batches import source_ids

SMALLEST_BATCH = 8
"""Sentences that are worth a thread of their own."""
BATCHES_AT_A_TIME = 20
"""Batches whose sentences are sorted by length together when translating a stream."""


@dataclass(frozen=True)
class Translation:
    """One translation of one sentence.

    ``log_probability`` is in nats; ``score`` is normalized by length and is what hypotheses are ranked by;
    ``tokens`` are the target tokens as text, each with the space before it.
    """

    text: str
    log_probability: float
    score: float
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One token of a translation as the decoder chose it.

    ``probability`` is from 0 to 1; ``runners_up`` are the most probable other tokens with theirs, highest first.
    """

    token: str
    probability: float
    runners_up: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Source:
    """How the model reads a sentence.

    ``tokens`` are as text, each with the space before it, in the order in which the encoder reads them, ``</s>`` last;
    ``unknown`` are the parts that became ``<unk>``; ``new_words`` are the other words that were in no training source,
    and so are read in pieces.
    """

    tokens: tuple[str, ...]
    unknown: tuple[str, ...]
    new_words: tuple[str, ...]


class Translator:
    """A trained model ready to translate, or an ensemble whose distributions are averaged at every step.

    Args:
        checkpoints: one or several models with the same tokenizers.
        names: what to call them in errors.
        threads: that translate a batch each at the same time; by default one for each core.

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
        self.team = WorkerPool(weakref.proxy(self), threads or usable_cores(), processes)
        self.models: list[Seq2Seq] = [checkpoint.model for checkpoint in checkpoints]
        self._decoders: list[StepDecoder] = []
        self._preparing = threading.Lock()
        self.source_tokenizer: Tokenizer = first.source_tokenizer
        self.target_tokenizer: Tokenizer = first.target_tokenizer
        self.reverse_source = first.model.config.reverse_source
        self.corpora = [checkpoint.corpus for checkpoint in checkpoints]
        self.seen = [checkpoint.training_vocabulary for checkpoint in checkpoints]
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
                    "one model reads the source reversed, the other does not",
                    where=f"{names[0]} and {name}",
                    fix="train the models of an ensemble with the same --reverse-source",
                )

    @classmethod
    def load(cls, *paths: str | Path, threads: int | None = None, processes: bool = False) -> Translator:
        """Read one model file, or several for an ensemble.

        Args:
            paths: model files.
            threads, processes: see above.

        Raises:
            UserError: if a file is not there, is not a model, or the models do not go together.
        """
        return cls(
            [load_model(Path(path)) for path in paths],
            [str(path) for path in paths],
            threads=threads,
            processes=processes,
        )

    def translate(
        self,
        texts: Iterable[str],
        config: SearchConfig | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> list[str]:
        """Return the best translation of each text, in order; of blank text, the empty string.

        Args:
            texts: sentences.
            config: beam, length penalty and so on; the defaults if None.
            progress: called with the number of sentences that have just been translated.
        """
        return [found[0].text for found in self.translate_n_best(texts, config, progress)]

    def translate_n_best(
        self,
        texts: Iterable[str],
        config: SearchConfig | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Iterator[list[Translation]]:
        """Yield up to ``n_best`` translations of each text, best first, in order.

        Texts are taken some at a time, so that a stream of any length can pass through; of a text that is longer than
        ``max_source_length`` tokens the first so many are translated (see ``too_long``). A sentence's translation does
        not depend on its neighbours (its score may differ in the sixth digit with the size of the matrix products).

        Args:
            texts: sentences.
            config, progress: as for ``translate``.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be several strings, such as a list, not one string")
        config = config or SearchConfig()
        # A batch of one answers each line before it asks for the next, for a program that talks line by line.
        size = config.batch_size * BATCHES_AT_A_TIME if config.batch_size > 1 else 1
        stream = (self._source_ids(text, config) for text in texts)
        while chunk := list(islice(stream, size)):
            yield from self._translate_chunk(chunk, config, progress)

    def read(self, text: str, config: SearchConfig | None = None) -> Source:
        """Return how the model reads a sentence, and what in it was never seen in training."""
        ids = self._source_ids(text, config or SearchConfig())
        unknown = self.unknown(text)
        known = [set(seen.oov_words(text)) for seen in self.seen]
        new = [word for word in self.seen[0].oov_words(text) if all(word in words for words in known)]
        new = [word for word in new if word not in unknown]
        return Source(tuple(self.source_tokenizer.vocabulary[k] for k in ids), tuple(unknown), tuple(new))

    def unknown(self, text: str) -> list[str]:
        """Return the parts of a source text that are read as ``<unk>``."""
        return self.source_tokenizer.unknown(text)

    @property
    def longest_trained_on(self) -> int:
        """Tokens of the longest training source, ``</s>`` not counted; 0 if the model does not know."""
        return max(seen.longest for seen in self.seen)

    def too_long(self, text: str, config: SearchConfig) -> bool:
        """Whether a text has more than ``max_source_length`` tokens, so that its end will not be translated."""
        return len(self.source_tokenizer.encode(text, config.max_source_length + 1)) > config.max_source_length

    def explain(
        self, text: str, translation: Translation, config: SearchConfig | None = None, runners_up: int = 3
    ) -> list[Step]:
        """Return the decoder's choices behind a translation, ``</s>`` last; none if the text is blank.

        The product of the probabilities is the translation's.

        Args:
            text: the sentence.
            translation: of it, by this translator.
            config: with which it was translated; the defaults if None.
            runners_up: how many other tokens to name at each step.
        """
        source = self._source_ids(text, config or SearchConfig())
        if len(source) == 1:
            return []
        vocabulary = self.target_tokenizer.vocabulary
        target = [*(self.target_tokenizer.ids[token] for token in translation.tokens), EOS]
        return [
            Step(
                vocabulary[choice.token],
                choice.probability,
                tuple((vocabulary[k], probability) for k, probability in choice.alternatives),
            )
            for choice in forced_decoding(self.models, source, target, BOS, runners_up)
        ]

    def _source_ids(self, text: str, config: SearchConfig) -> list[int]:
        return source_ids(self.source_tokenizer, text, self.reverse_source, config.max_source_length)

    def _translate_chunk(
        self, sources: list[list[int]], config: SearchConfig, progress: Callable[[int], object] | None
    ) -> list[list[Translation]]:
        results = [[Translation("", 0.0, 0.0, ())] for _ in sources]
        work = sorted((k for k in range(len(sources)) if len(sources[k]) > 1), key=lambda k: -len(sources[k]))
        while work:  # longest first
            fitting = max(1, config.max_tokens_per_batch // len(sources[work[0]]))
            size = min(config.batch_size * self.team.size, fitting)
            several, work = work[:size], work[size:]
            shares = min(self.team.size, math.ceil(len(several) / SMALLEST_BATCH))
            together = [several[k::shares] for k in range(shares)]  # to everyone as many long ones as short ones
            found = self.team.call("_search", [([sources[k] for k in batch], config) for batch in together])
            for batch, answers in zip(together, found):
                for k, hypotheses in zip(batch, answers):
                    results[k] = [self._translation(hypothesis) for hypothesis in hypotheses]
            if progress:
                progress(len(several))
        return results

    def _search(self, sources: Sequence[Sequence[int]], config: SearchConfig) -> list[list[Hypothesis]]:
        with self._preparing:  # when the first sentence comes, in the process that translates it, once for all threads
            if not self._decoders:
                self._decoders = [prepare_decoder(model) for model in self.models]
        forbidden = () if config.allow_unknown else (UNKNOWN,)
        return search(self._decoders, sources, config, BOS, EOS, forbidden)

    def _translation(self, hypothesis: Hypothesis) -> Translation:
        return Translation(
            self.target_tokenizer.decode(hypothesis.tokens),
            hypothesis.log_probability,
            hypothesis.score,
            tuple(self.target_tokenizer.vocabulary[token] for token in hypothesis.tokens),
        )
