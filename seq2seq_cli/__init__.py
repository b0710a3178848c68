"""A command-line translator around a recurrent encoder–decoder without attention, in pure NumPy.

The three teaching functions are ``encoder_forward``, ``decoder_forward`` and ``seq2seq_loss``; ``Translator`` is the
Python way to a trained model. Nothing is imported until it is used, so that ``seq2seq --help`` starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq_cli.errors import UserError
    from seq2seq_cli.inference.translator import Translator
    from seq2seq_cli.nn.teaching import decoder_forward, encoder_forward, seq2seq_loss

__version__ = "0.1.0"
__all__ = ["Translator", "UserError", "__version__", "decoder_forward", "encoder_forward", "seq2seq_loss"]

_HOMES = {
    "UserError": "seq2seq_cli.errors",
    "decoder_forward": "seq2seq_cli.nn.teaching",
    "encoder_forward": "seq2seq_cli.nn.teaching",
    "seq2seq_loss": "seq2seq_cli.nn.teaching",
    "Translator": "seq2seq_cli.inference.translator",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
