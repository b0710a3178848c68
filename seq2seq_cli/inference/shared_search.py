"""Share the sentences of a translation among the processes of a run.

Every process translates each n-th sentence of a block, and all get the translations of all. There are two ways:

- All processes run the same program, and call the same ``Translator`` with the same texts, as a training does when it
  validates.
- One process leads: it alone reads texts and writes translations, with a ``LeadingTranslator``. The others ``follow``
  it: they get the models and each block of sentences from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translation import Source, Translation

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator

BATCHES_AT_A_TIME = 20
"""Batches whose sentences are sorted by length together."""

Batch = list[tuple[int, list[Translation]]]
"""Translations with the positions of their sentences."""


def share_batches(translator: Translator, sources: Sequence[Source], config: SearchConfig) -> Iterator[Batch]:
    """Yield the translations of each block in each of the processes, which call this with the same arguments."""
    communicator = translator.communicator
    block = config.batch_size * BATCHES_AT_A_TIME * communicator.size
    for start in range(0, len(sources), block):
        positions = range(start, min(start + block, len(sources)))[communicator.rank :: communicator.size]
        own = [sources[k] for k in positions]
        found = [(positions[k], n_best) for batch in translator.translate_alone(own, config) for k, n_best in batch]
        yield list(itertools.chain(*communicator.gather(found)))
