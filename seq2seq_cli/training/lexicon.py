"""Learn the tables of the lexical prior from a training corpus, with ``nn/ibm_model1.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.ibm_model1 import Side
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.text.tokenizer import SPECIALS, Tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences


def learn_lexicons(corpus: EncodedCorpus, source: Tokenizer, target: Tokenizer) -> tuple[Lexicon, Lexicon]:
    """Return the tables ``t(target token | source token)`` and ``t(source token | target token)`` of a corpus.

    EOS ends every sentence. On the side that is given, it is the NULL word of IBM model 1; on the other side it is
    generated like any other token. BOS is on neither side, because the decoder never predicts it.

    Args:
        corpus: the training pairs.
        source, target: the tokenizers that encoded them.
    """
    sources, targets = Side(corpus.source.ids, corpus.source.lengths), _without_bos(corpus.target)
    return (
        Lexicon.learn(sources, targets, len(source), len(target), copies(source, target)),
        Lexicon.learn(targets, sources, len(target), len(source), copies(target, source)),
    )


def copies(source: Tokenizer, target: Tokenizer) -> npt.NDArray[np.int64]:
    """Return, for each source token, the target token with the same text; −1 if there is none.

    For example, languages with the same script share names, numbers and punctuation marks.
    """
    same = [target.ids.get(token, -1) for token in source.vocabulary]
    return np.array([-1 if k < len(SPECIALS) else token for k, token in enumerate(same)])


def _without_bos(sentences: Sentences) -> Side:
    """Return target sentences without the BOS at the start of each."""
    kept = np.ones(len(sentences.ids), dtype=bool)
    kept[sentences.starts[:-1]] = False
    return Side(sentences.ids[kept], sentences.lengths - 1)
