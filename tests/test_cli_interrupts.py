"""Ctrl-C at the prompt: no key is lost and none is late."""

import os
import signal
import sys

import pytest

from seq2seq_cli.cli.terminal.interrupts import CANCELLED, catch_interrupts
from tests.conftest import environment

pexpect = pytest.importorskip("pexpect")

PROMPT = """
import sys
from types import SimpleNamespace
from seq2seq_cli.cli.terminal.prompt import Prompt
from seq2seq_cli.cli.terminal.translations import Style
from seq2seq_cli.config import SearchConfig

class Echo(Prompt):
    def handle(self, line):
        print(f"read {line!r}", flush=True)

Echo(SimpleNamespace(origins=[], corpora=[]), SearchConfig(), Style(), sys.stdout.buffer).run()
"""


@pytest.fixture
def spawn(tmp_path):
    """Open a prompt that shows each line in place of translating it."""

    def start(**changes):
        child = pexpect.spawn(
            sys.executable,
            ["-c", PROMPT],
            env=environment(**{"TERM": "dumb", "XDG_STATE_HOME": str(tmp_path), **changes}),
            encoding="utf-8",
            timeout=120,
            echo=False,
        )
        child.delaybeforesend = None  # keys in quick succession
        child.expect("> ")
        return child

    return start


def leave(child):
    child.sendline("the end")
    child.expect("read 'the end'")
    child.expect("> ")  # a Ctrl-D that comes before readline has the terminal is no key, and is lost
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_at_any_instant_cancels_the_line(spawn):
    pytest.importorskip("readline")
    child = spawn()
    for keys in ("blue bird which will never be", "", "x") * 40:
        child.send(keys)
        child.sendintr()
        child.expect("read ''")
        child.expect("> ")
    leave(child)


def test_ctrl_c_cancels_the_line_in_either_mode_of_vi_too(spawn, tmp_path):
    pytest.importorskip("readline")
    (tmp_path / "inputrc").write_text("set editing-mode vi\n")
    child = spawn(INPUTRC=str(tmp_path / "inputrc"))
    for keys in ("blue bird", "blue bird\x1bh"):
        child.send(keys)
        child.sendintr()
        child.expect("read ''")
        child.expect("> ")
    leave(child)


def test_a_cancelled_line_is_not_in_the_history(spawn, tmp_path):
    pytest.importorskip("readline")
    child = spawn()
    child.send("blue bird")
    child.sendintr()
    child.expect("read ''")
    child.expect("> ")
    leave(child)
    history = (tmp_path / "seq2seq" / "history").read_text()
    assert "the end" in history
    assert "blue bird" not in history
    assert CANCELLED not in history


def test_one_interrupt_is_raised_each_time_they_are_armed():
    with catch_interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)  # not armed
        interrupts.arm()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        interrupts.arm()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
