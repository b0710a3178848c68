"""Reranking by a model of the reverse direction, which says how probable the source is, given the translation.

With ``P(x | y)`` of a whole second network, where ``reranking.py`` has a table of words::

    score(y) = log P(y | x) / |y|ᵅ + λ · log p(x | y) / |x| + ω · log P(x | y) / |x|

Lengths include EOS, and ``|x|`` of the last term counts the tokens of the reverse model, which has its own tokenizers:
the two models share only text. The second term is that of the table, if the model has one (``reverse_weight``); both
may be on. The table is cheap and knows nothing of order; the network reads the translation as a sentence.

Measured with one small network in each direction (English–Spanish, 10,000 pairs, two minutes of training each), BLEU /
chrF2 of 1,000 validation sentences, beam 5::

    weight of the table, of the model    0, 0           0.4, 0         0, 0.5         0.4, 0.3       0.4, 0.5
    English → Spanish                    16.4 / 36.1    18.1 / 41.2    17.9 / 41.6    17.9 / 41.6    17.9 / 41.7
    Spanish → English                    19.4 / 38.9    21.4 / 43.1    22.3 / 44.2    21.7 / 44.0    21.7 / 44.3

Only the best hypotheses of the first two terms are scored, twice as many as the beam: scoring all that are finished
takes twice the time and gains nothing beside the table.

Source: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models" (MMI-bidi); Yee,
Dauphin & Auli 2019, "Simple and Effective Noisy Channel Modeling for Neural Machine Translation".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.hypothesis import Hypothesis, best_of
from seq2seq_cli.inference.scoring import plan_batches, token_log_probabilities
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model
from seq2seq_cli.text.tokenizer import Tokenizer, source_ids

FEW_WORDS = 50
"""A vocabulary with fewer whole words says nothing about its language."""
SHORTEST_WORD = 3


class ReverseModel:
    """A model that translates from the target language back into the source language.

    Args:
        checkpoint: the model; its networks are averaged.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    @classmethod
    def load(cls, path: str | Path) -> ReverseModel:
        """Read a model file.

        Raises:
            UserError: if it is missing or not a model.
        """
        return cls(load_model(Path(path)))

    def per_token(self, translations: Sequence[str], sources: Sequence[str], max_source_length: int) -> list[float]:
        """Return ``log P(x | y) / |x|`` of each pair, in nats per token.

        Args:
            translations: ``y``, what this model reads.
            sources: ``x``, one for each.
            max_source_length: maximum tokens of either side; the rest is left out.
        """
        checkpoint, members = self.checkpoint, self.checkpoint.model.members
        reverse = checkpoint.model.config.reverse_source
        inputs = [source_ids(checkpoint.source_tokenizer, text, reverse, max_source_length) for text in translations]
        outputs = [checkpoint.target_tokenizer.encode(text, max_source_length) for text in sources]
        means = [0.0] * len(inputs)
        for batch in plan_batches([(len(x), len(y)) for y, x in zip(inputs, outputs)]):
            found = token_log_probabilities(members, [inputs[k] for k in batch], [outputs[k] for k in batch])
            for k, log_probabilities in zip(batch, found):
                means[k] = float(np.mean(log_probabilities))
        return means

    def rerank(
        self,
        sources: Sequence[str],
        hypotheses: Sequence[Sequence[Hypothesis]],
        tokenizer: Tokenizer,
        config: SearchConfig,
    ) -> list[list[Hypothesis]]:
        """Return the ``n_best`` best hypotheses of each sentence, with the weighted term of this model in the score.

        Args:
            sources: text of the sentences.
            hypotheses: of each sentence, all that a search has finished.
            tokenizer: of the hypotheses.
            config: holds ``rerank_weight``, ``n_best`` and ``max_source_length``.
        """
        texts = [tokenizer.decode(h.tokens) for found in hypotheses for h in found]
        repeated = [source for source, found in zip(sources, hypotheses) for _ in found]
        terms = iter(self.per_token(texts, repeated, config.max_source_length))
        scored = [
            [h._replace(score=h.score + config.rerank_weight * next(terms)) for h in found] for found in hypotheses
        ]
        return [best_of(found, config.n_best) for found in scored]

    def coverage(self, tokenizer: Tokenizer) -> float | None:
        """Return the share of a vocabulary's whole words that occur in this model's training sources.

        Args:
            tokenizer: the target tokenizer of the model whose hypotheses are reranked.

        Returns:
            From 0 to 1: near 0 for a model of another language. None if too few words are known to tell.
        """
        known = self.checkpoint.training_vocabulary.words
        entries = (token[1:] for token in tokenizer.vocabulary if token.startswith(" "))
        words = [entry for entry in entries if len(entry) >= SHORTEST_WORD and entry.isalpha()]
        if not known or len(words) < FEW_WORDS:
            return None
        return sum(word.casefold() in known for word in words) / len(words)
