import pytest

from seq2seq_cli.cli.settings import parse_toml, read_settings, to_toml
from seq2seq_cli.errors import UserError

KNOWN = {"cell": str, "kind": str, "hidden_size": int, "dropout": float, "bidirectional": bool}
TEXT = """
# a recipe
cell = "lstm"          # the cell
kind = 'b#p\\e'        # a literal text
hidden-size = 1_024
dropout = 0.25

bidirectional = true
"""


def test_settings_are_read_by_flag_name(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(TEXT)
    expected = {"cell": "lstm", "kind": "b#p\\e", "hidden_size": 1024, "dropout": 0.25, "bidirectional": True}
    assert read_settings(path, KNOWN) == expected
    path.write_text("dropout = 0\n")
    assert read_settings(path, KNOWN) == {"dropout": 0.0}


@pytest.mark.parametrize("line", ["cell", "cell =", "= 3", "cell = lstm", "cell = 3 4", "cell = 'x", "hidden-size = 1"])
def test_lines_that_are_not_toml_are_refused_with_their_number(line):
    with pytest.raises(UserError, match=r"not TOML: .* \(at line 2, ") as caught:
        parse_toml(f"hidden-size = 1\n{line}\nx = '2'", "c.toml")
    assert caught.value.where == "c.toml"


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("hiden-size = 3", "hiden-size", "hidden_size".replace("_", "-")),
        ("zzz = 3", "zzz", "--help"),
        ("hidden-size = 2.5", "a whole number", "hidden-size"),
        ("hidden-size = true", "a whole number", "hidden-size = 3"),
        ("hidden-size = [3]", "a whole number", "hidden-size = 3"),
        ("bidirectional = 1", "true or false", "bidirectional"),
        ("cell = 3", "a text in quotes", "cell"),
        ("dropout = 'x'", "a number", "dropout"),
        ("dropout == 1", "not TOML", "key = value"),
    ],
)
def test_wrong_keys_and_values_are_refused_with_the_file_and_a_fix(text, what, fix, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_settings(path, KNOWN)
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert str(path) in caught.value.where


def test_a_file_that_is_not_utf_8(tmp_path):
    path = tmp_path / "c.toml"
    path.write_bytes(b'cell = "rnn"\n# caf\xe9\n')
    with pytest.raises(UserError, match="not UTF-8") as caught:
        read_settings(path, KNOWN)
    assert "line 2" in caught.value.where


SETTINGS = {"hidden-size": 32, "dropout": 1e-05, "bidirectional": False, "cell": 'a "b"\\c\x7f\té\n'}


def test_settings_written_as_toml_are_read_as_the_same(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("\n".join(to_toml(SETTINGS)), encoding="utf-8")
    expected = {key.replace("-", "_"): value for key, value in SETTINGS.items()}
    assert read_settings(path, KNOWN) == expected
    assert parse_toml(path.read_text(encoding="utf-8"), "c.toml") == SETTINGS
