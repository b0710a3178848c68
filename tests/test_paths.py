"""An output never destroys an input, under whatever name."""

import os
from pathlib import Path

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage.paths import check_outputs, corpus_files, model_files


def refused(inputs, outputs):
    with pytest.raises(UserError) as caught:
        check_outputs(inputs, outputs)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Names of one file in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("x").write_text("text")
    Path("soft").symlink_to("x")
    Path("link to a link").symlink_to("soft")
    Path("hard").hardlink_to("x")
    return ["x", "./x", "sub/../x", str(tmp_path / "x"), "soft", "link to a link", "hard"]


def test_a_file_is_the_same_under_any_name(names):
    for a in names:
        for b in names:
            error = refused([("--input", a)], [("--output", Path(b))])
            assert error.what == "--output would overwrite --input, which this command reads"
            assert error.where == a
            assert refused([], [("--output", a), ("--log-file", b)]).what == "--output and --log-file are the same file"


def test_other_files_devices_and_standard_streams_are_not_refused(names):
    Path("y").write_text("text")
    check_outputs([("a", "x"), ("b", "-"), ("c", "missing")], [("d", "y"), ("e", "-"), ("f", "-"), ("g", "new")])
    check_outputs([("a", "/dev/null"), ("b", "sub")], [("c", "/dev/null"), ("d", "sub")])
    check_outputs([("a", "a\0b")], [("b", "a\0b")])


def test_two_outputs_that_do_not_exist_yet_are_compared_by_their_real_paths(names):
    Path("to new").symlink_to("new")
    assert refused([], [("a", "new"), ("b", "./new")])
    assert refused([], [("a", "new"), ("b", "to new")])


def test_both_files_of_a_corpus_count(names):
    Path("y").write_text("text")
    assert refused(corpus_files("CORPUS", "y,x"), [("--output", "hard")]).where == "x"
    Path("a,b").write_text("text")
    assert refused(corpus_files("CORPUS", "a,b"), [("--output", "a,b")])


@pytest.mark.parametrize("name", ["m.npz", "m.state.npz", ".m.npz.lock"])
def test_a_training_writes_three_files(name, tmp_path):
    (tmp_path / name).write_text("text")
    assert refused([("--valid", tmp_path / name)], model_files("--output", tmp_path / "m.npz"))


def test_an_open_descriptor_is_a_file_too(names):
    handle = os.open("x", os.O_RDONLY)
    try:
        assert refused([("standard input", handle)], [("--output", "hard")])
        assert refused([("--input", "soft")], [("standard output", handle)])
        check_outputs([], [("standard output", handle), ("--output", "x")])
    finally:
        os.close(handle)
