"""Anything may be fed to the targets of ``tests/fuzz_targets.py``: a result that holds its promise, or a UserError."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq_cli.config import setting_types
from tests.fuzz_targets import (
    command_target,
    corpus_target,
    json_target,
    tokenizer_target,
    tokenizers,
    toml_target,
    training_target,
)

STRANGE = (
    "\x00\x1b\r\x0b\x0c\x85\xa0\u200b\u200d\u2028\u202e\ufeff\u0301\u0316\u0344\u0f73'’▁\\ \t\n\U0001f469\ud7ff가ᄀßİſ"
)
TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(STRANGE)), max_size=60)
FEW, MORE = settings(max_examples=40), settings(max_examples=150)


@given(st.one_of(TEXT.map(str.encode), st.binary(max_size=60)))
@MORE
def test_any_text_is_tokenized_and_comes_back(data):
    tokenizer_target(data)


@given(st.one_of(TEXT.map(str.encode), st.binary(max_size=60)))
@FEW
def test_a_tokenizer_can_be_trained_on_any_text(data):
    training_target(data)


@given(st.lists(st.one_of(TEXT.map(str.encode), st.binary(max_size=20), st.just(b"a\tb"))).map(b"\n".join))
@MORE
def test_any_bytes_are_a_corpus_or_an_explained_error(data):
    corpus_target(data)


KEYS = st.sampled_from([name.replace("_", "-") for name in setting_types()])
VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(["true", "false", "'x'", "[1]", "{}", "1_0", "nan", "inf", "1979-05-27", '"""', "0x1", "1" * 5000]),
)


@given(st.one_of(st.lists(st.tuples(KEYS, VALUES).map(" = ".join)).map("\n".join).map(str.encode), st.binary()))
@MORE
def test_any_bytes_are_settings_or_an_explained_error(data):
    toml_target(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)


@given(st.data())
@MORE
def test_any_json_is_a_tokenizer_or_an_explained_error(data):
    value = data.draw(st.sampled_from(tokenizers())).to_json()
    for _ in range(data.draw(st.integers(0, 2))):
        key = data.draw(st.sampled_from(sorted(value)))
        if isinstance(value[key], list) and data.draw(st.booleans()):
            place = data.draw(st.integers(0, len(value[key])))
            value[key] = [*value[key][:place], data.draw(JSON), *value[key][place + 1 :]]
        else:
            value[key] = data.draw(JSON)
    json_target(json.dumps(value).encode())
    json_target(data.draw(st.binary(max_size=40)))


WORDS = ["train", "translate", "eval", "evaluate", "inspect", "tokenizer", "encode", "decode", "x.tsv", "-", "--", "-m"]
WORDS += [f"--{name.replace('_', '-')}" for name in setting_types()] + ["--json", "-q", "--quiet", "--help", "-o", "-t"]
WORDS += [
    "0",
    "-1",
    "1e9",
    "nan",
    "inf",
    "1" * 400,
    "lstm",
    "bpe",
    "a.npz",
    "/dev/null",
    ".",
    "..",
    "é",
    "[bold]",
    "\x1b[2J",
    "",
]


@given(
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_characters="\0"), max_size=6)), max_size=7)
)
@MORE
def test_any_command_line_ends_with_an_explanation(words):
    command_target("\0".join(words).encode("utf-8", "surrogatepass"))
