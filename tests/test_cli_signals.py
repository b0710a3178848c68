import os
import signal

import pytest

from seq2seq_cli.cli.signals import StopSignal, catch_signals

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
    received = StopSignal(in_place=False)
    received.receive(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        received.receive(signal.SIGINT, None)


def test_a_termination_after_an_interruption_still_lets_the_step_finish():
    received = StopSignal(in_place=False)
    received.receive(signal.SIGINT, None)
    received.receive(signal.SIGTERM, None)
    assert received.code == 143
