from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.text import builtin
from seq2seq_cli.text.builtin import TEST_SETS, builtin_corpus, data_folder, recipe_file
from seq2seq_cli.text.corpus import files_of


@pytest.mark.parametrize("split", ["train", "valid", *TEST_SETS.values()])
def test_every_split_is_there(split):
    assert Path(builtin_corpus(split)).is_file()


def test_the_data_of_an_installed_package_come_before_those_beside_it(tmp_path, monkeypatch):
    package = tmp_path / "seq2seq_cli"
    monkeypatch.setattr(builtin, "__file__", str(package / "text" / "builtin.py"))
    with pytest.raises(UserError, match="built-in corpus is missing") as caught:
        data_folder()
    assert caught.value.where == str(package / "data")
    for folder in (tmp_path / "data", package / "data"):  # a checkout, then an installation
        (folder / "en-fr").mkdir(parents=True)
        assert data_folder() == folder


def test_recipes_and_corpora_are_found_by_name_and_paths_stay_paths():
    assert recipe_file("builtin:multi30k").name == "multi30k.toml"
    assert recipe_file("builtin:multi30k").is_file()
    assert recipe_file("my/recipe.toml") == Path("my/recipe.toml")
    assert files_of("builtin:test_long") == [builtin_corpus("test_long")]
    for name in ("builtin:", "builtin:../recipes/digits", "builtin:wings"):
        with pytest.raises(UserError, match="must be one of builtin:builtin"):
            recipe_file(name)
        with pytest.raises(UserError, match="must be one of builtin:train"):
            files_of(name)
