"""Learn the tables of the priors from a training corpus."""

from __future__ import annotations

from array import array
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.nn.ibm_model1 import Side
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.model import Tables
from seq2seq_cli.nn.phrases import align
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.tokenizer import EOS, SPECIALS, Tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences

MAX_BIGRAMS = 400_000
"""Triples that a bigram prior keeps, the most frequent: 6.4 MB of a model file."""


def learn_tables(checkpoint: Checkpoint, corpus: EncodedCorpus) -> Tables:
    """Return the tables that a model's priors need.

    Args:
        checkpoint: holds the model's settings and the tokenizers.
        corpus: the training pairs.
    """
    config = checkpoint.model.config
    if not (config.lexical_prior or config.bigram_prior):
        return Tables()
    tokenizers = checkpoint.source_tokenizer, checkpoint.target_tokenizer
    lexicons = learn_lexicons(corpus, *tokenizers, config.reverse_source)
    tables = Tables(*lexicons) if config.lexical_prior else Tables()
    if config.bigram_prior:
        bigrams = learn_bigrams(corpus, lexicons, config.target_vocabulary, config.reverse_source)
        tables = tables._replace(bigrams=bigrams)
    return tables


def learn_lexicons(
    corpus: EncodedCorpus, source: Tokenizer, target: Tokenizer, reverse_source: bool = False
) -> tuple[Lexicon, Lexicon]:
    """Return the tables ``t(target token | source token)`` and ``t(source token | target token)`` of a corpus.

    EOS ends every sentence. On the side that is given, it is the NULL word of IBM model 1; on the other side it is
    generated like any other token. BOS is on neither side, because the decoder never predicts it.

    Args:
        corpus: the training pairs.
        source, target: the tokenizers that encoded them.
        reverse_source: whether the sources are in reverse order.
    """
    sources, targets = _in_order(corpus.source, reverse_source), _without_bos(corpus.target)
    return (
        Lexicon.learn(sources, targets, len(source), len(target), copies(source, target)),
        Lexicon.learn(targets, sources, len(target), len(source), copies(target, source)),
    )


def learn_bigrams(
    corpus: EncodedCorpus, lexicons: tuple[Lexicon, Lexicon], target_vocabulary: int, reverse_source: bool = False
) -> BigramTable:
    """Return the counts ``c(s, u, v)`` of a corpus.

    A target token that is aligned with no source token counts as aligned with EOS, as EOS itself does.

    Args:
        corpus: the training pairs.
        lexicons: as ``learn_lexicons`` returns them; they align the pairs.
        target_vocabulary: V_target.
        reverse_source: whether the sources are in reverse order.
    """
    order = -1 if reverse_source else 1
    source, previous, target = array("i"), array("i"), array("i")
    sides = (pairwise(side.starts.tolist()) for side in (corpus.source, corpus.target))
    for (first_x, last_x), (first_y, last_y) in zip(*sides):
        x, y = corpus.source.ids[first_x : last_x - 1].tolist()[::order], corpus.target.ids[first_y:last_y].tolist()
        aligned: list[list[int]] = [[] for _ in y]
        if x and len(y) > 2:
            for i, j in align(*lexicons, x, y[1:-1]):
                aligned[j + 1].append(x[i])
        for (u, v), words in zip(pairwise(y), aligned[1:]):
            for s in words or [EOS]:
                source.append(s)
                previous.append(u)
                target.append(v)
    occurrences = [np.frombuffer(tokens, np.intc) for tokens in (source, previous, target)]
    return BigramTable.count(occurrences[0], occurrences[1], occurrences[2], target_vocabulary, MAX_BIGRAMS)


def copies(source: Tokenizer, target: Tokenizer) -> npt.NDArray[np.int64]:
    """Return, for each source token, the target token with the same text; −1 if there is none.

    For example, languages with the same script share names, numbers and punctuation marks.
    """
    same = [target.ids.get(token, -1) for token in source.vocabulary]
    return np.array([-1 if k < len(SPECIALS) else token for k, token in enumerate(same)])


def _in_order(sentences: Sentences, reverse: bool) -> Side:
    """Return source sentences in the order of the text; EOS is the last token in either order."""
    lengths = sentences.lengths
    if not reverse:
        return Side(sentences.ids, lengths)
    starts = np.repeat(sentences.starts[:-1].astype(np.int64), lengths)
    steps, words = np.arange(len(sentences.ids)) - starts, np.repeat(lengths - 1, lengths)
    return Side(sentences.ids[starts + np.where(steps < words, words - 1 - steps, steps)], lengths)


def _without_bos(sentences: Sentences) -> Side:
    """Return target sentences without the BOS at the start of each."""
    kept = np.ones(len(sentences.ids), dtype=bool)
    kept[sentences.starts[:-1]] = False
    return Side(sentences.ids[kept], sentences.lengths - 1)
