"""The lexical prior's table of a training corpus: what stands between text and ``nn/ibm_model1.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.nn.ibm_model1 import Side
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.text.tokenizer import SPECIALS, Tokenizer
from seq2seq_cli.training.batches import EncodedCorpus, Sentences


def learn_lexicon(corpus: EncodedCorpus, source: Tokenizer, target: Tokenizer) -> Lexicon:
    """Return the table ``t(v|s)`` of a corpus.

    EOS, which ends every source sentence, is IBM model 1's NULL word. The target's EOS is generated like any other
    token; BOS is not, because the decoder never predicts it.

    Args:
        corpus: the training pairs.
        source, target: the tokenizers that encoded them.
    """
    sources = Side(corpus.source.ids, corpus.source.lengths)
    return Lexicon.learn(sources, _without_bos(corpus.target), len(source), len(target), copies(source, target))


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
