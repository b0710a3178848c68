"""Feed the targets of ``tests/fuzz_targets.py`` with inputs from a coverage-guided fuzzer.

It needs ``atheris``, which is no requirement of this project (``pip install atheris``). One target a process, for so
many seconds; the process ends with a report of the inputs tried, and with an error at the first exception that is not
a ``UserError``. Run from the top of the checkout::

    python -m tests.benchmarks.fuzz tokenizer 600
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["seq2seq_cli"]):
    from tests.fuzz_targets import TARGETS, tokenizers

from tests.benchmarks.corrupt import save_model, small_model


def seeds(name: str, folder: Path) -> None:
    """Write a few valid inputs to start with."""
    if name == "model":
        save_model(folder / "seed.npz", small_model())
    elif name == "json":
        for k, tokenizer in enumerate(tokenizers()):
            (folder / str(k)).write_text(json.dumps(tokenizer.to_json()))
    else:
        known = {
            "corpus": "a\tb\nc d\te f\tg\r\n",
            "toml": 'hidden-size = 3\ncell = "gru"\n',
            "command": "train\0x.tsv\0--cell\0gru\0--max-steps\0001",
        }
        (folder / "seed").write_text(known.get(name, "The cat's e\u0301t\u00e9 \u202f! \u6f22 12"))


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        seeds(name, Path(folder))
        flags = [
            f"-max_total_time={seconds}",
            "-print_final_stats=1",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-verbosity=0",
        ]
        atheris.Setup([sys.argv[0], *flags, folder], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
