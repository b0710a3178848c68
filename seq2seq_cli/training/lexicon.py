"""The lexical prior's tables of a training corpus: what stands between text and ``nn/ibm_model1.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.ibm_model1 import Side
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.text.tokenizer import SPECIALS, Tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences


def learn_lexicons(corpus: EncodedCorpus, source: Tokenizer, target: Tokenizer) -> tuple[Lexicon, Lexicon]:
    """Return a corpus's tables ``t(target token | source token)`` and ``t(source token | target token)``.

    EOS, which ends every sentence, is IBM model 1's NULL word on the side that is given, and generated like any other
    token on the other side. BOS is on neither side, because the decoder never predicts it.

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
    """Return, for each source token, the target token that is the same text; −1 where there is none.

    Example: names, numbers and punctuation marks where both languages share a script.
    """
    same = [target.ids.get(token, -1) for token in source.vocabulary]
    return np.array([-1 if k < len(SPECIALS) else token for k, token in enumerate(same)])


def _without_bos(sentences: Sentences) -> Side:
    """Return target sentences without the BOS at the start of each."""
    kept = np.ones(len(sentences.ids), dtype=bool)
    kept[sentences.starts[:-1]] = False
    return Side(sentences.ids[kept], sentences.lengths - 1)
