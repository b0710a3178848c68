"""Greedy search with the ONNX pair of seq2seq-cli. 'seq2seq export --format onnx' copies this file beside the graphs.

It needs only NumPy and onnxruntime. It reads and writes lines of token ids::

    seq2seq tokenizer encode -t model.npz --ids < in.txt > ids.txt
    python model_onnx.py < ids.txt | seq2seq tokenizer decode -t model.npz --ids

or in Python, in the folder of this file::

    from model_onnx import load
    network = load()
    network.translate([[17, 4, 33]])

The encoder reads ``source`` (batch, length), EOS last, and ``lengths`` (batch,), both int64. The decoder reads
``token`` (batch,) and all outputs of the encoder under their names. It returns ``log_probabilities`` (batch, V) of the
next token, and ``next_hidden`` (and ``next_cell``), which replace ``hidden`` (and ``cell``) for the next step. The
metadata of the graphs hold ``config`` and the tokenizers as JSON. The search is greedy and copies no unknown words, as
'seq2seq translate --beam 1 --no-copy-unknown'. A line is read as it is written: 'hello' is not read as 'Hello.'.

seq2seq-cli, Apache License 2.0.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

GRAPHS = ("model.encoder.onnx", "model.decoder.onnx")
UNKNOWN, BOS, EOS = 0, 1, 2
LONGEST_OUTPUT = 500


class Seq2Seq:
    """Encoder and decoder step.

    Args:
        encoder, decoder: sessions of the two graphs.
    """

    def __init__(self, encoder: Any, decoder: Any) -> None:
        self.encoder, self.decoder = encoder, decoder

    def translate(self, sentences: list[list[int]]) -> list[list[int]]:
        """Return the greedy translations of sentences: token ids without BOS and EOS, on both sides."""
        outputs: list[list[int]] = [[] for _ in sentences]
        limits = [min(2 * len(ids) + 10, LONGEST_OUTPUT) for ids in sentences]
        alive = [k for k, ids in enumerate(sentences) if ids]
        if not alive:
            return outputs
        # Encode all sentences, padded with EOS.
        lengths = np.array([len(ids) + 1 for ids in sentences])
        source = np.array([[*ids, *[EOS] * (lengths.max() - len(ids))] for ids in sentences])
        state = _run(self.encoder, {"source": source, "lengths": lengths})
        # Always take the most probable token; a sentence ends with EOS, or at its limit.
        last = np.full(len(sentences), BOS)
        while alive:
            after = _run(self.decoder, {"token": last, **state})
            log_probabilities = after.pop("log_probabilities")
            state |= {name.removeprefix("next_"): value for name, value in after.items()}
            log_probabilities[:, [UNKNOWN, BOS]] = -np.inf
            last = log_probabilities.argmax(axis=1)
            alive = [k for k in alive if last[k] != EOS and len(outputs[k]) < limits[k]]
            for k in alive:
                outputs[k].append(int(last[k]))
        return outputs


def _run(session: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    return dict(zip((output.name for output in session.get_outputs()), session.run(None, inputs)))


def load(folder: str | Path = Path(__file__).parent) -> Seq2Seq:
    """Return the network of an exported pair, ready to translate."""
    return Seq2Seq(*(onnxruntime.InferenceSession(str(Path(folder) / name)) for name in GRAPHS))


if __name__ == "__main__":
    trained = load()
    for line in sys.stdin:
        (output,) = trained.translate([[int(word) for word in line.split()]])
        sys.stdout.write(" ".join(map(str, output)) + "\n")
        sys.stdout.flush()
