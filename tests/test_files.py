import os
import stat
from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.files import keep_as, read_bytes, write_atomically


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


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomically(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    write_atomically(Path("/dev/null"), lambda file: file.write(b"new"))
    assert not Path("/dev/null").is_file()


def test_keeping_a_file_under_another_name(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    keep_as(a, b)
    assert names(tmp_path) == []
    a.write_bytes(b"1")
    b.write_bytes(b"older")
    keep_as(a, b)
    assert (a.read_bytes(), b.read_bytes()) == (b"1", b"1")
    write_atomically(a, lambda file: file.write(b"2"))
    assert b.read_bytes() == b"1"
    keep_as(a, b, move=True)
    assert names(tmp_path) == ["b"]


def test_reading_is_limited(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_bytes(tmp_path / "f", 5) == b"12345"
    with pytest.raises(UserError, match="larger than"):
        read_bytes(tmp_path / "f", 4)
