"""``python -m seq2seq_cli`` is the command ``seq2seq``."""

from seq2seq_cli.cli import main

main()
