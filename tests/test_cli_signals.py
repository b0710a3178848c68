import os
import re
import signal
import subprocess
import sys
import time

import pytest

from seq2seq_cli.cli.signals import StopSignal, catch_signals
from seq2seq_cli.storage.archive import json_member, write_archive
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.training.persistence import SavedStep
from tests.conftest import SMALL, environment, write_pairs
from tests.terminal import screen

ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)] + ([(signal.SIGHUP, 129)] if os.name == "posix" else [])


@pytest.mark.parametrize(("number", "code"), ENDINGS)
def test_a_signal_is_recorded_with_its_exit_code_and_reported_at_once(number, code, capfd):
    before = signal.getsignal(number)
    with catch_signals(in_place=False) as received:
        assert received.code is None
        os.kill(os.getpid(), number)
        assert received.code == code
    assert signal.getsignal(number) is before
    assert "stopping after this step" in capfd.readouterr().err


def test_a_second_interruption_leaves_at_once():
    before = signal.getsignal(signal.SIGINT)
    received = StopSignal(in_place=False)
    received.receive(signal.SIGINT, None)
    try:
        with pytest.raises(KeyboardInterrupt):
            received.receive(signal.SIGINT, None)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_termination_after_an_interruption_still_lets_the_step_finish():
    received = StopSignal(in_place=False)
    received.receive(signal.SIGINT, None)
    received.receive(signal.SIGTERM, None)
    assert received.code == 143


def keep_output(terminal):
    """Let the kernel keep at a Ctrl-C what has not been read yet: a terminal reads all the time, a test does not."""
    termios = pytest.importorskip("termios")
    settings = termios.tcgetattr(terminal)
    settings[3] |= termios.NOFLSH
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


def interrupt_twice(folder, seconds, gap, **options):
    """Start a training on a terminal, press Ctrl-C twice, and return the rest of the output, and the exit code."""
    pexpect = pytest.importorskip("pexpect")
    command = ["-m", "seq2seq_cli", "train", "p.tsv", "--max-steps", "1000000", "--patience", "1000000", *SMALL]
    child = pexpect.spawn(
        sys.executable,
        command,
        cwd=str(folder),
        env=environment(TERM="xterm"),
        encoding="utf-8",
        codec_errors="replace",
        dimensions=(40, 120),
        timeout=120,
        **options,
    )
    if seconds is None:
        child.expect("loss over time")
        time.sleep(0.3)
    else:
        child.expect("corpus: ")
        time.sleep(seconds)
    keep_output(child.child_fd)
    child.sendintr()
    ended = child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=gap)
    if not ended:
        child.sendintr()
    text = child.before if ended else child.read()
    child.close()
    return text, child.exitstatus


@pytest.mark.parametrize("gap", [0.0, 0.005, 0.05])
@pytest.mark.parametrize("seconds", [0.0, 0.2, None])
def test_ctrl_c_twice_shows_no_traceback_and_always_a_last_line(seconds, gap, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    text, code = interrupt_twice(tmp_path, seconds, gap)
    assert code == 130
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    last = [line for line in screen(text, 120) if line.strip("^C ")][-1]
    words = "interrupted|quit at step [0-9]+(: .*|, which is saved)|continue with the same command and --resume"
    assert re.search(rf"({words})$", last), text[-500:]


def test_ctrl_c_counts_while_training_prepares_in_a_program_that_started_with_it_ignored(tmp_path):
    write_pairs(tmp_path / "p.tsv")
    text, code = interrupt_twice(tmp_path, 0.0, 0.05, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert code == 130
    assert "Traceback" not in text


FINALIZER = """
import os, signal, sys, time
from seq2seq_cli.cli import exits
from seq2seq_cli.cli.signals import hide_interruptions

class Resource:
    def __del__(self):
        os.kill(os.getpid(), signal.{signal})
        time.sleep(0)

def command(standalone_mode):
    resource = Resource()
    del resource
    time.sleep(20)

hide_interruptions()
sys.exit(exits.run(command))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(("number", "code"), ENDINGS)
def test_a_signal_that_arrives_in_a_finalizer_still_ends_the_program(number, code):
    program = FINALIZER.format(signal=number.name)
    began = time.monotonic()
    result = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    assert time.monotonic() - began < 20
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_interruption_inside_of_exec_gives_the_exit_code_and_no_death_by_a_signal(tmp_path):
    program = "import seq2seq_cli.cli as c\n"
    program += "c.app = lambda **_: exec('import os, signal; os.kill(os.getpid(), signal.SIGINT)')\nc.main()\n"
    (tmp_path / "program.py").write_text(program)
    result = subprocess.run(
        [sys.executable, "-m", "program"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert result.returncode == 130, result
    assert result.stderr == "interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_error_that_comes_of_an_interruption_is_no_bug_and_a_thread_does_not_keep_the_program(tmp_path):
    program = """
import os, signal, threading, time
import seq2seq_cli.cli as c

def command(**options):
    threading.Thread(target=time.sleep, args=(30,)).start()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    finally:
        raise ValueError("the archive is half written")

c.app = command
c.main()
"""
    began = time.monotonic()
    result = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (130, "interrupted\n")
    assert time.monotonic() - began < 20


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_interruption_that_a_library_swallows_ends_the_training_at_the_next_event():
    program = """
import contextlib, os, signal, time
import seq2seq_cli.cli as c
from seq2seq_cli.cli.terminal.progress import show_training

def events():
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    yield None
    raise AssertionError("the training went on")

c.app = lambda **_: show_training(events(), as_result=False, log_on_stdout=False)
c.main()
"""
    result = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (130, "interrupted\n")


def test_the_last_line_says_which_step_is_saved(tmp_path):
    path = tmp_path / "model.npz"
    state_path(path).write_bytes(b"of another training")
    saved = SavedStep(path, resumed=False)
    assert saved.step() is None
    write_archive(state_path(path), {"state": json_member({"step": 7})})
    assert saved.step() == 7
    assert SavedStep(path, resumed=False).step() is None
    assert SavedStep(path, resumed=True).step() == 7
    state_path(path).write_bytes(b"damaged")
    assert saved.step() is None


def test_a_second_interruption_is_the_last_one_that_has_an_effect():
    before = signal.getsignal(signal.SIGINT)
    interrupted = False
    try:
        with catch_signals(in_place=False) as received:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        interrupted = True
    after = signal.signal(signal.SIGINT, before)
    assert interrupted
    assert received.quits
    assert after is signal.SIG_IGN
