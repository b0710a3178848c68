"""The folder of the built-in corpus and the recipes: in an installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

from seq2seq_cli.errors import UserError, choice_error

LANGUAGES = "en-fr"
BUILTIN = "built-in"
"""Name of the built-in corpus in model files."""
BUILTIN_PREFIX = "builtin:"
"""What a user writes before the name of a built-in corpus or recipe, instead of a path."""
SWAPPED = ", swapped"
"""Ending of a corpus's name in ``Checkpoint.trained_on`` if its sides have changed places (``--swap``)."""
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
    """Return the path of one split (``train``, ``valid``, or one of ``TEST_SETS``) of the built-in corpus.

    Raises:
        UserError: for another name.
    """
    splits = ("train", "valid", *TEST_SETS.values())
    if split not in splits:
        raise choice_error("a built-in corpus", split, [f"{BUILTIN_PREFIX}{name}" for name in splits])
    return str(data_folder() / LANGUAGES / f"{split}.tsv")


def builtin_files() -> list[Path]:
    """Return the paths of all splits of the built-in corpus; none if the installation lacks it."""
    try:
        return sorted((data_folder() / LANGUAGES).glob("*.tsv"))
    except UserError:
        return []


def recipe_file(name: str) -> Path:
    """Return the path of a file of settings: ``builtin:NAME`` is a recipe of the program, anything else a path.

    Raises:
        UserError: if there is no such recipe.
    """
    if not name.startswith(BUILTIN_PREFIX):
        return Path(name)
    folder = data_folder() / "recipes"
    path = folder / f"{name.removeprefix(BUILTIN_PREFIX)}.toml"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if path.stem not in known or path.parent != folder:
        raise choice_error("--config", name, [f"{BUILTIN_PREFIX}{stem}" for stem in known])
    return path
