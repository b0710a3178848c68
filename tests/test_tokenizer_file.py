import copy
import json

import pytest

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.tokenizer_file import load_tokenizer, save_tokenizer, tokenizer_from_json, train_tokenizer

LINES = ["The cats see the world.", "L'été, c'est l'heure\u00a0!"]


@pytest.mark.parametrize("kind", ["bpe", "word", "char"])
def test_saved_tokenizer_is_readable_json_and_loads_the_same(kind, tmp_path):
    tokenizer = train_tokenizer(TokenizerConfig(kind, 60, lowercase=True), LINES)
    path = tmp_path / "tok.json"
    with path.open("wb") as file:
        save_tokenizer(tokenizer, file)
    text = path.read_text(encoding="utf-8")
    assert '\n  " the"' in text if kind != "char" else '\n  "é"' in text
    assert json.loads(text)["version"] == 2
    loaded = load_tokenizer(path)
    assert loaded.to_json() == tokenizer.to_json()
    assert [loaded.encode(line) for line in LINES] == [tokenizer.encode(line) for line in LINES]


GOOD = train_tokenizer(TokenizerConfig("bpe", 60), LINES).to_json()


def broken(**changes):
    data = copy.deepcopy(GOOD)
    data.update(changes)
    return data


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        broken(format="other"),
        broken(version=3),
        broken(version=None),
        broken(kind="sentencepiece"),
        broken(kind=["bpe"]),
        broken(lowercase="yes"),
        broken(vocabulary="abc"),
        broken(vocabulary=[]),
        broken(vocabulary=[*GOOD["vocabulary"], GOOD["vocabulary"][3]]),
        broken(vocabulary=[*GOOD["vocabulary"], 7]),
        broken(vocabulary=[*GOOD["vocabulary"], ""]),
        broken(vocabulary=[*GOOD["vocabulary"], "\ud800"]),
        broken(vocabulary=GOOD["vocabulary"][::-1]),
        broken(merges=None),
        broken(merges=[["a"]]),
        broken(merges=[["a", 1]]),
        broken(merges=[["zzz", "y"]]),
    ],
)
def test_anything_else_is_refused_with_the_file_named(data):
    with pytest.raises(UserError) as caught:
        tokenizer_from_json(data, "tok.json")
    assert caught.value.where == "tok.json"
    assert caught.value.fix


def test_newer_version_asks_for_a_newer_program():
    with pytest.raises(UserError, match="version 9") as caught:
        tokenizer_from_json(broken(version=9), "tok.json")
    assert "newer" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_not_json_is_refused(content, tmp_path):
    path = tmp_path / "tok.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not JSON"):
        load_tokenizer(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_tokenizer(tmp_path / "nothing.json")
