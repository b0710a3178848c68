"""``python -m seq2seq_cli`` is the command ``seq2seq``."""

import contextlib
import gc
import os

for _library in ("OPENBLAS", "MKL", "OMP", "VECLIB"):  # before NumPy is loaded: see seq2seq_cli/inference/workers.py
    os.environ.setdefault(f"{_library}_{'MAXIMUM' if _library == 'VECLIB' else 'NUM'}_THREADS", "1")


def main() -> None:
    """Run the command line; Ctrl-C while its modules are being imported ends it without a traceback, too."""
    gc.set_threshold(100_000)  # importing creates very many objects, and hardly any are garbage
    try:
        from seq2seq_cli.cli import main as run
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt, OSError):
            os.write(2, b"\ninterrupted\n")
        os._exit(130)  # nothing needs to be cleaned up yet, and a further Ctrl-C shows no traceback
    run()


if __name__ == "__main__":
    main()
