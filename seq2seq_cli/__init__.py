"""A command-line translator around a recurrent encoder–decoder without attention, in NumPy.

For Python: ``train`` a ``Recipe`` into a model file, load it with ``Translator``, score it with ``evaluate``; bad input
is a ``UserError``. The three teaching functions are ``encoder_forward``, ``decoder_forward`` and ``seq2seq_loss``.
Nothing is imported until it is used, so that ``seq2seq --help`` starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq_cli.config import Recipe, SearchConfig
    from seq2seq_cli.errors import UserError
    from seq2seq_cli.evaluation.evaluation import evaluate
    from seq2seq_cli.inference.translator import Translator
    from seq2seq_cli.nn.teaching import decoder_forward, encoder_forward, seq2seq_loss
    from seq2seq_cli.training.run import train

__version__ = "0.1.0"
__all__ = [
    "Recipe",
    "SearchConfig",
    "Translator",
    "UserError",
    "__version__",
    "decoder_forward",
    "encoder_forward",
    "evaluate",
    "seq2seq_loss",
    "train",
]

_MODULES = {
    "Recipe": "seq2seq_cli.config",
    "SearchConfig": "seq2seq_cli.config",
    "Translator": "seq2seq_cli.inference.translator",
    "UserError": "seq2seq_cli.errors",
    "decoder_forward": "seq2seq_cli.nn.teaching",
    "encoder_forward": "seq2seq_cli.nn.teaching",
    "evaluate": "seq2seq_cli.evaluation.evaluation",
    "seq2seq_loss": "seq2seq_cli.nn.teaching",
    "train": "seq2seq_cli.training.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List what the package offers, and nothing else."""
    return sorted(__all__)
