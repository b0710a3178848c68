import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.files import atomic_file, back_up, check_writable, remove_leftovers
from seq2seq_cli.storage.locks import acquire_lock
from seq2seq_cli.text.inputs import read_bytes


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, content, then=None):
    with atomic_file(path) as file:
        file.write(content)
        if then:
            then()


def test_writing_replaces_the_file_whole(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["f"]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail():
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="No space left") as caught:
        write(path, b"half", fail)
    assert "space" in caught.value.fix
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "f", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@pytest.mark.parametrize("when", ["open", "write", "flush", "replace"])
def test_an_interruption_at_any_moment_leaves_the_old_file_and_no_other(when, tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    if when == "open":
        monkeypatch.setattr(os, "fsync", interrupt)
        monkeypatch.setattr(Path, "open", interrupt)
    elif when == "flush":
        monkeypatch.setattr(os, "fsync", interrupt)
    elif when == "replace":
        monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(path, b"new", interrupt if when == "write" else None)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 KiB; only an administrator may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
        ).returncode
    )
    if not made:
        pytest.skip("no permission to mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_explained_and_the_old_file_is_untouched(tiny_disk):
    path = tiny_disk / "f"
    path.write_bytes(b"old")
    with pytest.raises(UserError, match="No space left") as caught:
        write(path, bytes(1 << 20))
    assert "free some space" in caught.value.fix
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"old"
    assert names(tiny_disk) == ["f"]


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits")
def test_a_limit_on_the_size_of_files_is_explained_and_the_old_file_is_untouched(tmp_path):
    import resource

    path = tmp_path / "f"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(UserError, match="File too large"):
            write(path, bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of folders")
def test_a_read_only_folder_is_explained(read_only):
    for act in (
        check_writable,
        lambda path: write(path, b"new"),
        lambda path: acquire_lock(path).__enter__(),
    ):
        with pytest.raises(UserError, match=r"no permission|Read-only") as caught:
            act(read_only / "f")
        assert caught.value.where == str(read_only / "f")
    assert (read_only / "f").read_bytes() == b"old"
    assert names(read_only) == ["f"]


def test_what_could_not_be_written_later_is_refused_at_once_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    check_writable(tmp_path / "new")
    check_writable(tmp_path / "file")
    for path, what in (
        (tmp_path, "folder, not a file"),
        (tmp_path / "no" / "f", "no such folder"),
        (tmp_path / "file" / "f", "file, not a folder"),
        (tmp_path / ("n" * 300), "name too long"),
        (tmp_path / "a\0b", "not a valid path"),
    ):
        with pytest.raises(UserError, match=what):
            check_writable(path)
    assert names(tmp_path) == ["file", "loop"]


def test_a_link_to_itself_is_no_traceback(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError):
        read_bytes(tmp_path / "loop", 10)
    write(tmp_path / "loop", b"x")
    assert (tmp_path / "loop").read_bytes() == b"x"


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path):
    others = [".g.0123abcd.tmp", ".f.0123abcd.tmp.tmp", ".fx.0123abcd.tmp", ".f.lock", "f"]
    for name in [*others, ".f.0123abcd.tmp", ".f.ffffffff.tmp"]:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "f")
    assert names(tmp_path) == sorted(others)


def test_missing_folder_and_folder_in_the_way(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        write(tmp_path / "no" / "f", b"")
    with pytest.raises(UserError, match="folder, not a file"):
        write(tmp_path, b"")


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    write(Path("/dev/null"), b"new")
    assert not Path("/dev/null").is_file()


def test_backing_up_a_file(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    back_up(a, b)
    assert names(tmp_path) == []
    a.write_bytes(b"1")
    b.write_bytes(b"older")
    back_up(a, b)
    assert (a.read_bytes(), b.read_bytes()) == (b"1", b"1")
    write(a, b"2")
    assert b.read_bytes() == b"1"
    back_up(a, b, move=True)
    assert names(tmp_path) == ["b"]


def test_backing_up_works_without_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"1")
    back_up(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"1"
    assert names(tmp_path) == ["a", "b"]
