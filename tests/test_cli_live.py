"""Ctrl-Z and the background, in a shell with job control."""

import os
import re
import sys
import time

import pytest

from seq2seq_cli.cli.terminal import console
from tests.conftest import SMALL, environment, write_pairs
from tests.terminal import screen

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="job control")


@pytest.fixture
def shell(tmp_path):
    """A shell with job control, in a folder with ``p.tsv``; ``TRAIN`` is a training that never ends."""
    write_pairs(tmp_path / "p.tsv")
    flags = ("--max-steps", "1000000", "--patience", "1000000", "--threads", "2")
    train = f"{sys.executable} -m seq2seq_cli train p.tsv {' '.join((*flags, *SMALL))}"
    child = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        cwd=str(tmp_path),
        env=environment(TERM="xterm", PS1="SHELL> ", TRAIN=train, INPUTRC="/dev/null"),
        dimensions=(40, 100),
        encoding="utf-8",
        codec_errors="replace",
        echo=False,
        timeout=120,
    )
    child.expect("SHELL> ")
    child.sendline("bind 'set enable-bracketed-paste off' 2>/dev/null")
    child.expect("SHELL> ")
    yield child
    child.sendline("kill -9 $(jobs -p)")
    child.close(force=True)


def read_for(child, seconds):
    """Everything that is written during this time."""
    text, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            text += child.read_nonblocking(100000, timeout=0.1)
        except pexpect.TIMEOUT:
            continue
    return text


def test_ctrl_z_gives_terminal_and_cursor_back_and_the_picture_comes_again(shell):
    shell.sendline("$TRAIN")
    shell.expect("epoch [0-9]+  step [0-9]+")
    shell.expect("loss over time")
    text = shell.before + shell.after
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect("SHELL> ")
    text += read_for(shell, 0.5)
    assert text.rfind("\x1b[?25h") < 0 or "\x1b[?25l" not in text[text.rfind("\x1b[?25h") :]
    shell.sendline("jobs; echo free")
    shell.expect("free\r\nSHELL> ")
    shell.sendline("fg")
    shell.expect("\x1b\\[\\?25l")  # the cursor is hidden again: a new picture
    shell.expect("loss over time")
    shell.sendintr()
    shell.expect("continue with the same command and --resume")
    shell.expect("SHELL> ")


def test_nothing_is_left_of_the_picture_after_ctrl_z(shell):
    shell.sendline("$TRAIN")
    shell.expect("loss over time")
    text = shell.before + shell.after
    shell.send("\x1a")
    shell.expect("SHELL> ")
    text += shell.before
    shown = "\n".join(screen(text, 100)).partition("time: ")[2]
    assert "Stopped" in shown
    assert "loss over time" not in shown, shown
    assert "tokens/s" not in shown, shown


def test_in_the_background_nothing_is_drawn_over_the_line_of_the_shell(shell):
    shell.sendline("$TRAIN &")
    shell.expect("time: ")
    text = read_for(shell, 3)
    assert not re.search(r"\x1b\[[0-9;?]*[A-HJKhl]|loss over time", text), text
    shell.sendline("fg")
    time.sleep(1)
    shell.sendintr()
    shell.expect("continue with the same command and --resume")


def test_a_training_that_is_sent_to_the_background_stops_to_draw(shell):
    shell.sendline("$TRAIN")
    shell.expect("loss over time")
    shell.send("\x1a")
    shell.expect("SHELL> ")
    shell.sendline("bg")
    shell.expect("SHELL> ")
    text = read_for(shell, 3)
    assert not re.search(r"\x1b\[[0-9;?]*[A-HJKl]|loss over time", text), text
    shell.sendline("fg")
    shell.expect("loss over time")
    shell.sendintr()
    shell.expect("continue with the same command and --resume")


def test_a_stream_that_is_no_controlling_terminal_counts_as_the_foreground(monkeypatch):
    def fail(_):
        raise OSError

    monkeypatch.setattr(console.os, "tcgetpgrp", fail)
    assert console.in_foreground()
