"""``python -m seq2seq_cli`` is the command ``seq2seq``."""

import gc
import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it quietly, too."""
    gc.set_threshold(100_000)  # looking for garbage every 700 objects took a tenth of the start, and hardly found any
    try:
        from seq2seq_cli.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
