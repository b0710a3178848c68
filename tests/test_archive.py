import zipfile
from pathlib import Path

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.archive import LARGEST_TEXT, Archive, json_member, write_archive

SETTINGS = {"cell": "gru", "corpus": "été 𝄞"}
WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.npz"
    write_archive(path, {"config": json_member(SETTINGS), "weight": WEIGHT})
    return path


def read(path):
    with Archive(path) as archive:
        archive.check_names({"config", "weight"})
        return archive.json("config"), archive.array("weight", (2, 3))


def members(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def refused(path, match, exit_code=1):
    with pytest.raises(UserError, match=match) as caught:
        read(path)
    assert caught.value.where
    assert caught.value.fix
    assert caught.value.exit_code == exit_code


def test_a_written_archive_is_read_again_and_numpy_reads_it_too(saved):
    settings, weight = read(saved)
    assert settings == SETTINGS
    assert weight.dtype == np.float32
    assert np.array_equal(weight, WEIGHT)
    assert np.array_equal(members(saved)["weight"], WEIGHT)
    with Archive(saved) as archive:
        assert archive.names == {"config", "weight"}
        assert archive.size == saved.stat().st_size


def test_checksums_may_be_missing_but_not_wrong(saved):
    content = members(saved)
    np.savez(saved, **{**content, "weight": WEIGHT + 1})
    refused(saved, "the content of 'weight' does not match its checksum")
    np.savez(saved, **{**content, "checksums": json_member({"config": 1})})
    refused(saved, "'weight' has no checksum, or is missing")
    np.savez(saved, **{**content, "checksums": json_member([])})
    refused(saved, "'checksums' is not a JSON object")
    del content["checksums"]
    np.savez(saved, **content)
    assert read(saved)[0] == SETTINGS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"other": WEIGHT}, "unknown members: 'other'"),
        ({"weight": WEIGHT.T.copy()}, r"has shape \(3, 2\)"),
        ({"weight": np.asfortranarray(WEIGHT)}, "'weight' has shape"),
        ({"weight": WEIGHT.astype(np.int32)}, "int32, not float32"),
        ({"weight": np.full((2, 3), np.nan, np.float32)}, "not finite"),
        ({"weight": np.zeros(1 << 16, np.float32)}, "declares 262272 bytes where about 24 were expected"),
        ({"config": np.zeros(())}, "'config' is not text"),
        ({"config": np.array("{")}, "'config' is not JSON"),
        ({"config": np.array("[" * 100_000)}, "'config' is not JSON"),
        ({"config": np.array(["{}", "{}"])}, r"'config' has shape \(2,\)"),
        ({"config": np.array(" " * LARGEST_TEXT)}, "'config' declares"),
    ],
)
def test_a_member_of_another_shape_or_type_is_refused(changes, message, saved):
    content = {**members(saved), **changes}
    del content["checksums"]
    np.savez(saved, **content)
    refused(saved, message)


def test_a_missing_member_is_named(saved):
    content = members(saved)
    del content["weight"], content["checksums"]
    np.savez(saved, **content)
    refused(saved, "it has no member 'weight'")
    with Archive(saved) as archive:
        for ask in (archive.json, lambda name: archive.array(name, ()), lambda name: archive.check_size(name, 0)):
            with pytest.raises(UserError, match="it has no member 'weight'"):
                ask("weight")


def test_a_pickle_is_never_loaded(saved, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for name in ("config", "weight"):
        content = members(saved)
        del content["checksums"]
        content[name] = np.array([Trap()], dtype=object)
        np.savez(tmp_path / "trap.npz", **content)
        refused(tmp_path / "trap.npz", f"'{name}'")
    assert not (tmp_path / "sprung").exists()


def test_a_member_that_declares_too_much_is_refused_before_it_is_read(saved, tmp_path):
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(bomb, "w") as new:
        for member in old.infolist():
            if member.filename != "weight.npy":
                new.writestr(member.filename, old.read(member))
        new.writestr("weight.npy", b"\0" * (64 << 20))
    refused(bomb, "declares 67108864 bytes")


def test_compressed_members_are_refused(saved, tmp_path):
    np.savez_compressed(tmp_path / "c.npz", **members(saved))
    refused(tmp_path / "c.npz", "is compressed")


def test_a_repeated_member_is_refused(saved):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(saved, "a") as file:
        file.writestr("config.npy", b"x")
    refused(saved, "same name")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 100])
def test_a_file_that_is_not_an_archive_is_refused(content, tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    refused(path, "not a model file, or it is damaged")


def test_a_device_is_refused_before_it_is_read():
    refused(Path("/dev/zero"), "device or a pipe")


def test_a_missing_file_and_a_folder(tmp_path):
    refused(tmp_path / "nothing.npz", "no such file")
    refused(tmp_path, "folder")


def test_a_model_is_not_read_from_standard_input():
    refused(Path("-"), "cannot be read from standard input", exit_code=2)
