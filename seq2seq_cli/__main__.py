"""``python -m seq2seq_cli`` is the command ``seq2seq``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it quietly, too."""
    try:
        from seq2seq_cli.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
