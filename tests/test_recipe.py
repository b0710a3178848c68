import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_cli.config import (
    UNLIMITED_EPOCHS,
    CorpusConfig,
    ModelConfig,
    Recipe,
    TokenizerConfig,
    TrainingConfig,
    check_settings,
    parse_toml,
    setting_types,
    settings_in,
    to_toml,
)
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.builtin import data_folder

KNOWN = {"cell": str, "kind": str, "hidden_size": int, "dropout": float, "bidirectional": bool}
TEXT = """
# a recipe
cell = "lstm"          # the cell
kind = 'b#p\\e'        # a literal text
hidden-size = 1_024
dropout = 0.25

bidirectional = true
"""

EVERYTHING = {
    "corpus": "pairs.tsv",
    "valid": "valid.tsv",
    "source_tokenizer": "s.json",
    "target_tokenizer": "t.json",
    "start_from": "m.npz",
    "swap": True,
    "test": 0.05,
    "tokenizer": "word",
    "vocab_size": 77,
    "lowercase": True,
    "text_normalization": "none",
    "cell": "gru",
    "embedding_size": 12,
    "hidden_size": 34,
    "layers": 2,
    "bidirectional": False,
    "context": "initial",
    "pooled_context": False,  # its default, because an initial context cannot be pooled
    "reverse_source": True,
    "dropout": 0.25,
    "word_dropout": 0.1,
    "context_dropout": 0.2,
    "weight_dropout": 0.3,
    "tie_embeddings": False,
    "members": 2,
    "lexical_prior": True,
    "bigram_prior": True,
    "halve_on_plateau": False,
    "augmentation": 0.5,
    "keep_best": "chrf",
    "tokenize": "zh",
    "epochs": 9,
    "max_steps": 1234,
    "max_minutes": 1.5,
    "batch_size": 7,
    "max_tokens_per_batch": 999,
    "max_source_length": 55,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "cool_down": 0.3,
    "clip_norm": 2.0,
    "label_smoothing": 0.2,
    "valid_every": 100,
    "patience": 4,
    "seed": 8,
    "threads": 3,
}


def test_every_setting_of_a_recipe_is_in_the_list_of_this_test_and_none_has_its_default():
    assert EVERYTHING.keys() == setting_types().keys()
    assert EVERYTHING.items() & Recipe().settings().items() == {("pooled_context", False)}


def test_a_recipe_is_made_of_settings_by_name_and_gives_them_back():
    recipe = Recipe.of(**EVERYTHING)
    assert recipe.settings() == EVERYTHING
    assert recipe.given == frozenset(EVERYTHING)
    assert Recipe.of(**recipe.settings()) == recipe
    assert recipe.corpora == CorpusConfig("pairs.tsv", "valid.tsv", 0.05, "s.json", "t.json", "m.npz", True)
    assert recipe.tokenizers == TokenizerConfig("word", 77, True, "none")
    assert (recipe.model.cell, recipe.model.hidden_size, recipe.training.batch_size) == ("gru", 34, 7)
    assert recipe.threads == 3


@pytest.mark.parametrize(("name", "value"), (EVERYTHING | {"pooled_context": True}).items())
def test_one_setting_that_is_given_changes_that_one_and_is_named(name, value):
    recipe = Recipe.of(**{name: value})
    changed = {key: value for key, value in recipe.settings().items() if Recipe().settings().get(key) != value}
    assert changed == {name: value} or (name, changed["tie_embeddings"]) == ("context", False)
    assert recipe.given == {name}


def test_a_setting_that_is_none_is_not_given():
    assert Recipe.of(max_steps=None, corpus=None, threads=None) == Recipe()


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"hiden_size": 3}, "there is no setting 'hiden_size'"),
        ({"kind": "bpe"}, "there is no setting 'kind'"),
        ({"beam": 3}, "there is no setting 'beam'"),
        ({"hidden_size": "3"}, "hidden_size must be a whole number, not '3'"),
        ({"hidden_size": True}, "must be a whole number"),
        ({"lowercase": 1}, "must be true or false"),
        ({"dropout": 2}, "--dropout must be from 0 to below 1"),
        ({"context": "attention"}, "--context must be one of"),
    ],
)
def test_a_recipe_that_cannot_be_is_wrong_usage(settings, what):
    with pytest.raises(UserError) as caught:
        Recipe.of(**settings)
    assert what in caught.value.what
    assert caught.value.exit_code == 2


def test_a_change_keeps_what_it_does_not_name():
    first = Recipe.of(hidden_size=64, epochs=3, corpus="a.tsv")
    second = first.replace(epochs=5, lowercase=True)
    assert second.settings() == {**first.settings(), "epochs": 5, "lowercase": True}
    assert second.given == {"hidden_size", "epochs", "corpus", "lowercase"}
    assert first.training.epochs == 3
    assert first.replace() == first
    assert Recipe.of(threads=2).replace(epochs=1).threads == 2
    assert Recipe.of(threads=2).replace(threads=None).threads is None


def test_whether_embeddings_are_tied_is_decided_anew_unless_it_was_given():
    first = Recipe.of(hidden_size=64, embedding_size=64)
    assert first.model.tie_embeddings
    assert not first.replace(context="initial", hidden_size=65).model.tie_embeddings
    assert not Recipe.of(context="initial").model.tie_embeddings
    assert Recipe.of(context="initial").replace(context="every-step").model.tie_embeddings
    given = Recipe.of(tie_embeddings=False)
    assert not given.replace(hidden_size=128).model.tie_embeddings
    with pytest.raises(UserError, match="equal sizes"):
        Recipe.of(tie_embeddings=True).replace(context="initial")


def test_no_limit_of_epochs_is_no_setting():
    unlimited = dataclasses.replace(Recipe(), training=TrainingConfig(epochs=UNLIMITED_EPOCHS))
    assert "epochs" not in unlimited.settings()
    assert not {"max_steps", "max_minutes", "corpus", "valid", "threads"} & Recipe().settings().keys()


def test_every_setting_has_the_type_of_its_section():
    types = setting_types()
    assert (types["corpus"], types["threads"], types["tokenizer"], types["max_minutes"]) == (str, int, str, float)
    assert types["tie_embeddings"] is bool
    sections = (CorpusConfig, TokenizerConfig, ModelConfig, TrainingConfig)
    names = [name for section in sections for name in settings_in(section)]
    assert sorted([*names, "corpus", "threads"]) == sorted(types)
    assert {name: type(value) for name, value in EVERYTHING.items()} == types


def test_settings_are_checked_by_the_name_of_their_flag():
    expected = {"hidden_size": 3, "dropout": 0.5}
    assert check_settings({"hidden-size": 3, "dropout": 0.5}, "here", KNOWN) == expected
    assert check_settings(expected, "here", KNOWN) == expected
    found = check_settings({"dropout": 1}, "here", KNOWN)
    assert (found, type(found["dropout"])) == ({"dropout": 1.0}, float)
    assert check_settings({"cell": None}, "here", KNOWN) == {"cell": None}
    assert check_settings({"dropout": 10**400}, "here", KNOWN) == {"dropout": float("inf")}


def test_toml_is_read_by_flag_name():
    expected = {"cell": "lstm", "kind": "b#p\\e", "hidden_size": 1024, "dropout": 0.25, "bidirectional": True}
    assert parse_toml(TEXT, "c.toml", KNOWN) == expected
    found = parse_toml("dropout = 0\n", "c.toml", KNOWN)
    assert (found, type(found["dropout"])) == ({"dropout": 0.0}, float)
    assert parse_toml("", "c.toml", KNOWN) == {}


@pytest.mark.parametrize(
    "line", ["cell", "cell =", "= 3", "cell = lstm", "cell = 3 4", "cell = 'x", "cell = 'a'\ncell = 'b'"]
)
def test_lines_that_are_not_toml_are_refused_with_their_number(line):
    with pytest.raises(UserError, match=r"not TOML: .*(line [23]|end of document)") as caught:
        parse_toml(f"\n{line}\n", "c.toml", KNOWN)
    assert caught.value.where == "c.toml"


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("hiden-size = 3", "hiden-size", "hidden-size"),
        ("zzz = 3", "zzz", "--help"),
        ("hidden-size = 2.5", "a whole number", "hidden-size"),
        ("hidden-size = true", "a whole number", "hidden-size = 3"),
        ("hidden-size = [3]", "a whole number", "hidden-size = 3"),
        ("bidirectional = 1", "true or false", "bidirectional"),
        ("cell = 3", "text in quotes", "cell"),
        ("cell = [1]", "text in quotes", "cell"),
        ("dropout = 'x'", "a number", "dropout"),
        ("dropout = 1979-05-27", "a number", "dropout"),
        ("dropout == 1", "not TOML", "key = value"),
        ("[training]\nhidden-size = 3", "training", "--help"),
        ("a = " + "[" * 5000, "not TOML", "key = value"),
        ("hidden-size = " + "1" * 5000, "not TOML", "key = value"),
    ],
    ids=lambda text: text[:20],
)
def test_wrong_keys_and_values_are_refused_with_the_file_and_a_fix(text, what, fix):
    with pytest.raises(UserError) as caught:
        parse_toml(text, "c.toml", KNOWN)
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert caught.value.where == "c.toml"
    assert len(str(caught.value)) < 500


ODD = {"hidden_size": 32, "dropout": 1e-05, "bidirectional": False, "cell": 'a "b"\\c\x7f\té\n'}


def test_settings_written_as_toml_are_read_as_the_same():
    assert parse_toml("\n".join(to_toml(ODD)), "c.toml", KNOWN) == ODD


def test_a_recipe_written_as_toml_is_read_as_the_same():
    for recipe in (Recipe(), Recipe.of(**EVERYTHING)):
        lines = to_toml(recipe.settings())
        assert all(" = " in line and "_" not in line.partition(" = ")[0] for line in lines)
        settings = parse_toml("\n".join(lines), "c.toml", setting_types())
        assert settings == recipe.settings()
        again = Recipe.of(**settings)
        assert dataclasses.replace(again, given=recipe.given) == recipe


VALUES = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    int: st.integers(-(1 << 63), (1 << 63) - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}


@given(st.fixed_dictionaries({}, optional={name: VALUES[kind] for name, kind in setting_types().items()}))
def test_any_settings_survive_toml(settings):
    text = "\n".join(to_toml(settings))
    assert parse_toml(text, "c.toml", setting_types()) == settings


def test_the_built_in_recipe_is_the_defaults():
    text = (data_folder() / "recipes" / "builtin.toml").read_text(encoding="utf-8")
    assert parse_toml(text, "builtin.toml", setting_types()) == Recipe().settings()


def test_every_recipe_that_is_shipped_can_be_read():
    paths = sorted(data_folder().glob("recipes/*.toml"))
    assert len(paths) > 1
    for path in paths:
        assert Recipe.of(**parse_toml(path.read_text(encoding="utf-8"), path.name, setting_types()))


def test_settings_are_json():
    assert json.loads(json.dumps(Recipe.of(**EVERYTHING).settings())) == EVERYTHING
