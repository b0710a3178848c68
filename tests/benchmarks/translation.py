"""Translation speed: sentences per second, greedy and with a beam of 5, in batches of 1 and 64, beside PyTorch.

Both sides load the same model file and translate the same sentences of the built-in test set (or any, with
``--corpus``) from text to text. PyTorch's step is taken in the fastest of its forms (see ``torch_translation``), found
anew for each row. Both must find the same translations; a few may differ where two hypotheses are equal to the last
bit. Blocks alternate, each side in a process of its own::

    python -m tests.benchmarks.translation [--quick] [--json FILE] [--model model.npz] [--corpus CORPUS]
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import read_corpus
from tests.benchmarks.measure import (
    ONE_BLAS_THREAD,
    Spread,
    Worker,
    alternate,
    cores,
    has_torch,
    parser,
    ratios,
    report,
)
from tests.benchmarks.models import add_model_flag, model_file

CASES = ((1, 1, 48), (1, 64, 512), (5, 1, 24), (5, 64, 256))
"""Beam, batch size, and sentences of a block."""
LEAST_AGREEMENT = 0.98


class OurSide:
    """The program's translator; lives in a worker."""

    def __init__(self, path: str) -> None:
        self.translator = Translator.load(path, processes=True)

    def translations(self, texts: Sequence[str], beam: int, batch_size: int) -> list[str]:
        return self.translator.translate(texts, SearchConfig(beam=beam, batch_size=batch_size))

    def block(self, texts: Sequence[str], beam: int, batch_size: int) -> float:
        """Seconds of translating these texts."""
        start = time.perf_counter()
        self.translations(texts, beam, batch_size)
        return time.perf_counter() - start


def measure(
    ours: Worker, theirs: Worker | None, texts: list[str], case: tuple[int, int], rounds: int
) -> dict[str, Any]:
    """One row of the table."""
    mine = ours.call("translations", texts, *case)
    sides: dict[str, Any] = {"ours": lambda _: ours.call("block", texts, *case)}
    row: dict[str, Any] = {"search": "greedy" if case[0] == 1 else f"beam {case[0]}", "batch": case[1]}
    if theirs is not None:
        from tests.benchmarks.torch_translation import STEPS

        times = {form: min(theirs.call("block", texts, *case, form) for _ in range(2)) for form in STEPS}
        best = min(times, key=lambda form: times[form])
        found = theirs.call("translations", texts, *case, best)
        same = sum(a == b for a, b in zip(mine, found)) / len(texts)
        assert same >= LEAST_AGREEMENT, f"only {same:.1%} of the translations are the same"
        sides["torch"] = lambda _: theirs.call("block", texts, *case, best)
    results = alternate(sides, rounds)
    row["sentences/s"] = len(texts) / Spread.of(results["ours"]).median
    if theirs is not None:
        row |= {
            "PyTorch": len(texts) / Spread.of(results["torch"]).median,
            "ours / PyTorch": ratios(results["torch"], results["ours"]),
            "PyTorch's step": best,
            "same": f"{same:.1%}",
        }
    return row


def main() -> None:
    flags = parser(__doc__)
    add_model_flag(flags)
    flags.add_argument("--corpus", default=None, help="the built-in test set if none is given")
    given = flags.parse_args()
    sources = read_corpus(given.corpus or builtin_corpus("test")).sources
    with tempfile.TemporaryDirectory() as folder:
        path = str(model_file(given.model, Path(folder)))
        with Worker(OurSide, path, environment=ONE_BLAS_THREAD) as ours:
            theirs = None
            if has_torch():
                from tests.benchmarks.torch_translation import TorchTranslator

                theirs = Worker(TorchTranslator, path, cores())
            rounds, share = (3, 4) if given.quick else (7, 1)
            rows = [
                measure(ours, theirs, sources[: count // share], (beam, size), rounds) for beam, size, count in CASES
            ]
            if theirs is not None:
                theirs.__exit__()
    report("translation: sentences per second", rows, given)


if __name__ == "__main__":
    main()
