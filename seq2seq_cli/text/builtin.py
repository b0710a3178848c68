"""The folder of the built-in corpus and the recipes: in an installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

from seq2seq_cli.errors import UserError

LANGUAGES = "en-fr"
BUILTIN = "built-in"
"""Name of the built-in corpus in model files."""
TEST_SETS = {"whole": "test", "everyday": "test_everyday", "long": "test_long"}
"""Name and split of the test sets that ``seq2seq eval`` reports; the everyday set is a part of the whole."""


def data_folder() -> Path:
    """Return the folder that holds the built-in data.

    Raises:
        UserError: if the installation lacks it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "data", package.parent / "data"):
        if (folder / LANGUAGES).is_dir():
            return folder
    raise UserError("the built-in corpus is missing", where=str(package / "data"), fix="reinstall seq2seq-cli")


def builtin_corpus(split: str) -> str:
    """Return the path of one split (``train``, ``valid``, or one of ``TEST_SETS``) of the built-in corpus."""
    return str(data_folder() / LANGUAGES / f"{split}.tsv")


def builtin_files() -> list[Path]:
    """Return the paths of all splits of the built-in corpus; none if the installation lacks it."""
    try:
        return sorted((data_folder() / LANGUAGES).glob("*.tsv"))
    except UserError:
        return []
