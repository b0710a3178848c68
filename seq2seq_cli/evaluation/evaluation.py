"""Score systems on a test corpus: a model or an ensemble, several systems side by side, or any translations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER, SearchConfig
from seq2seq_cli.errors import usage_error
from seq2seq_cli.evaluation.metrics import References, reference_streams
from seq2seq_cli.evaluation.scores import BucketScore, Scores, corpus_scores, scores_by_length, sentence_scores
from seq2seq_cli.evaluation.scores import compare as compare_systems
from seq2seq_cli.evaluation.tokenization import tokenizer_for
from seq2seq_cli.text.builtin import BUILTIN, SWAPPED, TEST_SETS, builtin_corpus
from seq2seq_cli.text.corpus import Corpus, read_corpus


class Translates(Protocol):
    """The interface of a translator for ``evaluate``; ``Translator`` has it."""

    corpora: list[str]

    def translate(self, texts: Iterable[str], config: SearchConfig | None = None) -> list[str]:
        """Return the best translation of each text."""


@dataclass(frozen=True)
class System:
    """The name of a system, and its translations of the test set."""

    name: str
    outputs: list[str]


@dataclass
class Evaluation:
    """The scores of one or several systems, with details that explain them.

    Args:
        data: name of the test set.
        sources: source sentences; empty if they are not known.
        references: one for each sentence, or several lists of them.
        systems: one system, or several to compare.
        settings: other settings that the scores depend on, for the last line of the report.
        metrics: names in ``scores.METRICS``.
        lowercase: whether to ignore case.
        tokenize: sacreBLEU's tokenizer for BLEU.
    """

    data: str
    sources: list[str]
    references: References
    systems: list[System]
    settings: dict[str, Any]
    metrics: list[str]
    lowercase: bool = False
    tokenize: str = DEFAULT_BLEU_TOKENIZER
    scores: list[Scores] = field(default_factory=list)
    sets: dict[str, Scores] = field(default_factory=dict)
    baselines: list[tuple[System, Scores]] = field(default_factory=list)
    lengths: list[list[BucketScore]] = field(default_factory=list)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def score(self, confidence: bool) -> None:
        """Score the only system."""
        self.scores = [self._score(self.systems[0].outputs, self.references, confidence)]

    def _score(self, outputs: Sequence[str], references: References, confidence: bool = False) -> Scores:
        return corpus_scores(outputs, references, self.metrics, confidence, self.lowercase, self.tokenize)

    def add_sets(self, sets: dict[str, Corpus], translations: dict[str, str], confidence: bool) -> None:
        """Score the only system on several test sets; ``translations`` maps each source to its translation."""
        for name, part in sets.items():
            outputs = [translations[source] for source in part.sources]
            self.sets[name] = self._score(outputs, list(part.targets), confidence)

    def compare(self) -> None:
        """Score every system, and test whether it differs from the first."""
        outputs = [system.outputs for system in self.systems]
        self.scores = compare_systems(outputs, self.references, self.metrics, self.lowercase, self.tokenize)

    def add_baselines(self, systems: list[System]) -> None:
        """Score baselines, which need no model."""
        self.baselines = [(system, self._score(system.outputs, self.references)) for system in systems]

    def add_lengths(self) -> None:
        """Score every system by the length of the source."""
        self.lengths = [
            scores_by_length(self.sources, s.outputs, self.references, None, self.lowercase, self.tokenize)
            for s in self.systems
        ]

    def add_examples(self, count: int) -> None:
        """Select the best and the worst sentences of the first system by chrF2; no sentence is in both lists."""
        outputs, references = self.systems[0].outputs, list(zip(*reference_streams(self.references)))
        scores = sentence_scores(outputs, self.references, self.lowercase)
        ranked = sorted(range(len(outputs)), key=lambda k: (-scores[k], k))
        best = ranked[:count]
        worst = ranked[::-1][: min(count, len(ranked) - len(best))]
        for name, chosen in (("best", best), ("worst", worst)):
            self.examples[name] = [
                {
                    "sentence": k + 1,
                    "chrf": scores[k],
                    **({"source": self.sources[k]} if self.sources else {}),
                    **_reference_json([text for text in references[k] if text is not None]),
                    "translation": outputs[k],
                }
                for k in chosen
            ]

    def to_json(self) -> dict[str, Any]:
        """Return everything as one JSON object."""
        first = self.scores[0]
        result: dict[str, Any] = {
            "signatures": first.signatures,
            "sentences": first.sentences,
            "corpus": self.data,
            **self.settings,
        }
        if len(self.systems) == 1:
            result = {**_score_json(first), **result}
            if first.brevity_penalty is not None:
                result["brevity_penalty"] = first.brevity_penalty
                result |= {"precisions": list(first.precisions), "length_ratio": first.length_ratio}
            if self.lengths:
                result["by_length"] = _lengths_json(self.lengths[0])
        else:
            result["systems"] = [
                {
                    "name": system.name,
                    **_score_json(scores),
                    **({"by_length": _lengths_json(self.lengths[k])} if self.lengths else {}),
                }
                for k, (system, scores) in enumerate(zip(self.systems, self.scores))
            ]
        if self.sets:
            result["sets"] = {
                name: {**_score_json(scores), "sentences": scores.sentences} for name, scores in self.sets.items()
            }
        if self.baselines:
            result["baselines"] = [{"name": system.name, **scores.values} for system, scores in self.baselines]
        if self.examples:
            result["examples"] = self.examples
        return result


def evaluate(
    translator: Translates,
    corpus: str | Corpus | None = None,
    config: SearchConfig | None = None,
    *,
    metrics: Sequence[str] = ("bleu", "chrf"),
    lowercase: bool = False,
    confidence: bool = False,
    by_length: bool = False,
    tokenize: str | None = None,
) -> Evaluation:
    """Translate a test corpus and score the translations.

    Args:
        translator: a ``Translator``, of one model or an ensemble.
        corpus: its name, as for ``train``, or the corpus itself; None: the built-in test set, which is only for models
            that were trained on the built-in corpus.
        config: settings of the search.
        metrics: names in ``evaluation.scores.METRICS``.
        lowercase: ignore case.
        confidence: also estimate 95 % confidence intervals.
        by_length: also score by the length of the source.
        tokenize: sacreBLEU's tokenizer for BLEU, a name in ``config.BLEU_TOKENIZERS``; None: the one that the model was
            trained with, or one that suits the script of the references.

    Returns:
        Scores in ``scores[0]``, with sacreBLEU's signatures, and the translations in ``systems[0].outputs``.

    Raises:
        UserError: for a corpus that cannot be read, or is not for this model.

    Example::

        from seq2seq_cli import Translator, evaluate

        evaluation = evaluate(Translator.load("model.npz"), "test.tsv")
        evaluation.scores[0].values["bleu"]
    """
    test = corpus if isinstance(corpus, Corpus) else read_test_corpus(corpus, translator.corpora)
    tokenizer = tokenizer_for(tokenize, getattr(translator, "bleu_tokenizers", ()), test.targets).name
    outputs = translator.translate(test.sources, config)
    beam = (config or SearchConfig()).beam
    system = System(", ".join(translator.corpora), outputs)
    evaluation = Evaluation(
        test.name, list(test.sources), list(test.targets), [system], {"beam": beam}, list(metrics), lowercase, tokenizer
    )
    evaluation.score(confidence)
    if by_length:
        evaluation.add_lengths()
    return evaluation


def read_test_corpus(name: str | None, trained_on: Sequence[str], swap: bool | None = None) -> Corpus:
    """Return the test corpus; the built-in one is only for models that were trained on the built-in corpus.

    Args:
        name: as for ``train``; None: the built-in test set.
        trained_on: the corpora of the models.
        swap: whether the sides of the corpus change places; None: if they did when the models were trained.

    Raises:
        UserError: if the models translate in different directions, if a model was not trained on the built-in corpus,
            or as for ``read_corpus``.
    """
    if swap is None:
        swap = is_swapped(trained_on)
    if name is None and any(corpus.removesuffix(SWAPPED) != BUILTIN for corpus in trained_on):
        raise usage_error(
            "this model was not trained on the built-in corpus, so the built-in test set says nothing about it",
            where=", ".join(trained_on),
            fix="name a test corpus: seq2seq eval test.tsv",
        )
    corpus = read_corpus(name or builtin_corpus("test"))
    return corpus.swapped() if swap else corpus


def read_builtin_sets(swap: bool = False) -> dict[str, Corpus]:
    """Return the test sets of the built-in corpus by name, the whole set first; ``swap``: in the other direction."""
    sets = {name: read_corpus(builtin_corpus(split)) for name, split in TEST_SETS.items()}
    return {name: corpus.swapped() if swap else corpus for name, corpus in sets.items()}


def is_swapped(trained_on: Sequence[str]) -> bool:
    """Whether the models were trained with the sides of their corpora swapped.

    Raises:
        UserError: if only some of them were.
    """
    found = {corpus.endswith(SWAPPED) for corpus in trained_on}
    if len(found) > 1:
        raise usage_error(
            "some of these models were trained with --swap and others without: they translate in different directions",
            where="; ".join(trained_on),
            fix="score them one by one",
        )
    return found == {True}


def _score_json(scores: Scores) -> dict[str, Any]:
    result: dict[str, Any] = dict(scores.values)
    if scores.intervals:
        result["confidence"], result["bootstrap_mean"] = scores.intervals, scores.means
    if scores.p_values:
        result["p_values"] = scores.p_values
    return result


def _lengths_json(buckets: list[BucketScore]) -> list[dict[str, Any]]:
    parts = ("low", "high", "sentences", "bleu")
    return [{bucket.unit: bucket.label, **{part: getattr(bucket, part) for part in parts}} for bucket in buckets]


def _reference_json(references: list[str]) -> dict[str, Any]:
    """Return the only reference of a sentence, or all of them."""
    return {"reference": references[0]} if len(references) == 1 else {"references": references}
