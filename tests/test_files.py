import os
import stat

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.files import read_bytes, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writing_replaces_the_file_whole(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["f"]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left") as caught:
        write_atomically(path, fail)
    assert "space" in caught.value.fix
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "f", lambda file: file.write(b"x"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


def test_missing_folder_and_folder_in_the_way(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        write_atomically(tmp_path / "no" / "f", lambda file: None)
    with pytest.raises(UserError, match="folder, not a file"):
        write_atomically(tmp_path, lambda file: None)


def test_reading_is_limited(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_bytes(tmp_path / "f", 5) == b"12345"
    with pytest.raises(UserError, match="larger than"):
        read_bytes(tmp_path / "f", 4)
