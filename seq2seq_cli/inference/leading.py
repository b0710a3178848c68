"""Translate with several processes of which one leads: it alone reads texts and models, and writes translations.

The leader sends the others an order before each exchange: a model to load, or sentences to translate. They ``follow``
it until it ends them, so they need neither the files nor the settings of the command.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.communicator import Communicator
from seq2seq_cli.inference.shared_search import Batch
from seq2seq_cli.inference.translation import Source
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.storage.serialization import PackedCheckpoint, pack, unpack


class Load(NamedTuple):
    """The order to load a translator; ``number`` names it in later orders."""

    number: int
    checkpoints: list[PackedCheckpoint]
    threads: int | None
    processes: bool


class Translate(NamedTuple):
    """The order to translate a share of these sentences with a translator."""

    number: int
    sources: Sequence[Source]
    config: SearchConfig


class LeadingTranslator(Translator):
    """A translator that all processes of a run share, but only the first one calls; arguments as for ``Translator``."""

    _numbers = itertools.count()

    def __init__(self, checkpoints: Sequence[Checkpoint], names: Sequence[str] = (), **options: Any) -> None:
        super().__init__(checkpoints, names, **options)
        self._number = next(self._numbers)
        sent = [pack(checkpoint) for checkpoint in checkpoints]
        self.communicator.broadcast(Load(self._number, sent, options.get("threads"), bool(options.get("processes"))))

    def translate_batches(self, sources: Sequence[Source], config: SearchConfig) -> Iterator[Batch]:
        """Yield the translations of each batch (see ``Translator.translate_batches``)."""
        self.communicator.broadcast(Translate(self._number, sources, config))
        yield from super().translate_batches(sources, config)


def follow(communicator: Communicator) -> None:
    """Do what the first process orders, until it orders the end (see ``end_followers``)."""
    translators: dict[int, Translator] = {}
    while (order := communicator.broadcast(None)) is not None:
        if isinstance(order, Load):
            translators[order.number] = Translator(
                [unpack(checkpoint) for checkpoint in order.checkpoints],
                threads=order.threads,
                processes=order.processes,
                communicator=communicator,
            )
        else:
            for _ in translators[order.number].translate_batches(order.sources, order.config):
                pass


def end_followers(communicator: Communicator) -> None:
    """End the other processes, which ``follow`` this one."""
    communicator.broadcast(None)
