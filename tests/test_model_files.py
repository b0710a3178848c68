"""Names of the files of a model, and backups of files that an output replaces."""

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.files import atomic_file
from seq2seq_cli.storage.model_files import MARKED, back_up_replaced, backup_path, check_model_path, state_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_training_state_is_beside_its_model(tmp_path):
    assert state_path(tmp_path / "m.npz") == tmp_path / "m.state.npz"


@pytest.mark.parametrize("name", ["-", "m.txt", "m.state.npz"])
def test_a_name_that_is_no_models_is_wrong_usage(name, tmp_path):
    with pytest.raises(UserError) as caught:
        check_model_path(tmp_path / name if name != "-" else type(tmp_path)("-"))
    assert caught.value.exit_code == 2


def test_no_backup_overwrites_an_earlier_one(tmp_path):
    for expected in ("notes.previous.txt", "notes.previous-2.txt", "notes.previous-3.txt"):
        backup = backup_path(tmp_path / "notes.txt")
        assert backup.name == expected
        backup.touch()


def replace(path, content, mark=b""):
    with atomic_file(path) as file:
        file.write(content)
        file.flush()
        return back_up_replaced(path, type(path)(file.name), mark)


def test_a_file_with_another_content_is_backed_up_before_it_is_replaced(tmp_path):
    path = tmp_path / "notes.txt"
    assert replace(path, b"first") is None
    assert replace(path, b"first") is None  # nothing is lost
    assert replace(path, b"second") == tmp_path / "notes.previous.txt"
    assert (path.read_bytes(), (tmp_path / "notes.previous.txt").read_bytes()) == (b"second", b"first")
    assert names(tmp_path) == ["notes.previous.txt", "notes.txt"]


def test_an_empty_file_and_a_device_have_nothing_to_lose(tmp_path):
    (tmp_path / "empty").touch()
    assert replace(tmp_path / "empty", b"text") is None
    assert replace(type(tmp_path)("/dev/null"), b"text") is None


@pytest.mark.parametrize("content", [b"MARK", b"MARK" + bytes(9 * MARKED), bytes(9 * MARKED) + b"MARK"], ids=len)
def test_a_file_with_the_mark_is_replaced_without_a_backup(content, tmp_path):
    path = tmp_path / "p.png"
    path.write_bytes(content)
    assert replace(path, b"new", b"MARK") is None
    path.write_bytes(content.replace(b"MARK", b"mark"))
    assert replace(path, b"new", b"MARK") == tmp_path / "p.previous.png"


def test_a_link_stays_a_link_and_what_it_leads_to_is_backed_up(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    backup = replace(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "real").read_bytes(), backup.read_bytes()) == (b"new", b"old")
