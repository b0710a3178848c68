import gc
import random
import resource
import tempfile
import tracemalloc

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.text import lines as module
from seq2seq_cli.text.lines import Lines

STRANGE = ["", "a", "\r", "x\u2028y\u0085", "\x0c", "é 谢谢 🎉", "long " * 30, " ", ""]


@pytest.fixture(params=[(1, 1), (40, 1), (40, 1 << 20), (1 << 15, 1 << 20)], ids=str)
def small_blocks(request, monkeypatch, tmp_path):
    """Sizes of a block, and of what needs no file."""
    monkeypatch.setattr(module, "BLOCK", request.param[0])
    monkeypatch.setattr(module, "IN_MEMORY", request.param[1])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("expected", [[], [""], STRANGE, STRANGE * 20], ids=len)
def test_lines_come_back_as_they_were_in_any_order(expected, small_blocks):
    lines = Lines(expected)
    assert len(lines) == len(expected)
    assert list(lines) == list(lines) == expected
    order = random.Random(0).sample(range(-len(expected), len(expected)), 2 * len(expected))
    assert [lines[k] for k in order] == [expected[k] for k in order]
    for part in (slice(5), slice(-3, None), slice(2, 100, 7), slice(None, None, -1), slice(9, 3)):
        assert lines[part] == expected[part]
    for beyond in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            lines[beyond]


def test_lines_can_be_read_twice_at_a_time_and_grow_afterwards(small_blocks):
    lines = Lines(STRANGE)
    assert list(zip(lines, lines[1:], lines)) == list(zip(STRANGE, STRANGE[1:], STRANGE))
    for line in STRANGE:
        lines.append(line)
    assert list(lines) == STRANGE * 2


def test_the_file_has_no_name_and_is_closed_with_its_lines(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    lines = Lines(["a" * module.BLOCK])
    assert list(tmp_path.iterdir()) == []
    file = lines._file
    assert not file.closed
    del lines
    gc.collect()
    assert file.closed


def test_a_hundred_thousand_lines_take_little_memory_and_no_more_than_ten_thousand():
    def held(count):
        tracemalloc.start()
        lines = Lines(f"this is line number {k} of all" * 4 for k in range(count))
        assert sum(map(len, lines)) > 100 * count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    few, many = held(60_000), held(120_000)
    assert many < 2 * module.IN_MEMORY + (2 << 20)
    assert many - few < 1 << 18


def test_no_folder_for_temporary_files_is_an_error_that_names_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "IN_MEMORY", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="temporary file") as caught:
        Lines(["a" * module.BLOCK])
    assert caught.value.where == str(tmp_path / "gone")
    assert "TMPDIR" in caught.value.fix


def test_a_full_disk_is_an_error_and_nothing_is_said_of_it_later(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(module, "IN_MEMORY", 1 << 16)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, hard))  # as if there was no more room
    try:
        with pytest.raises(UserError, match="temporary file") as caught:
            Lines("a" * 1000 for _ in range(1000))
        gc.collect()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.where == str(tmp_path)
    assert capfd.readouterr().err == ""
