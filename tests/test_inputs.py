import io
from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.text.inputs import read_bytes, standard_input, title


class Streams:
    """Standard input that holds these bytes."""

    def __init__(self, content):
        self.buffer = io.BytesIO(content)


def test_a_file_has_its_path_and_standard_input_its_name_as_title(tmp_path):
    assert title(tmp_path / "f") == str(tmp_path / "f")
    assert title("-") == "standard input"


def test_reading_is_limited(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_bytes(tmp_path / "f", 5) == b"12345"
    with pytest.raises(UserError, match="larger than"):
        read_bytes(tmp_path / "f", 4)


def test_reading_standard_input_is_limited_too(monkeypatch):
    monkeypatch.setattr("sys.stdin", Streams(b"12345"))
    assert read_bytes(Path("-"), 5) == b"12345"
    monkeypatch.setattr("sys.stdin", Streams(b"123456"))
    with pytest.raises(UserError, match="larger than") as caught:
        read_bytes(Path("-"), 5)
    assert caught.value.where == "standard input"


def test_closed_standard_input_is_explained(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UserError, match="closed"):
        standard_input()


def test_a_link_to_itself_is_no_traceback(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError):
        read_bytes(tmp_path / "loop", 10)
