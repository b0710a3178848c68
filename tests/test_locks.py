import os
import signal
import subprocess
import sys

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.workers import CAN_FORK
from seq2seq_cli.storage.locks import acquire_lock
from tests.conftest import environment


def names(folder):
    return sorted(path.name for path in folder.iterdir())


HOLDER = """
import sys, time
from pathlib import Path
from seq2seq_cli.storage.locks import acquire_lock
with acquire_lock(Path("f")):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_process_is_refused_with_the_process_id_until_the_first_has_ended(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    (tmp_path / "link").symlink_to(tmp_path / "f")
    for path in (tmp_path / "f", tmp_path / "link"):
        with (
            pytest.raises(UserError, match=rf"another process \({holder.pid}\) is writing") as caught,
            acquire_lock(path),
        ):
            pass
        assert caught.value.where == str(path)
    holder.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    holder.wait()
    assert (tmp_path / ".f.lock").exists()  # the lock file that it left behind blocks no other process
    with acquire_lock(tmp_path / "f"):
        assert (tmp_path / ".f.lock").read_text().split() == [str(os.getpid())]
        with pytest.raises(UserError), acquire_lock(tmp_path / "f"):
            pass
    assert names(tmp_path) == ["link"]


HOLDER_WITH_WORKERS = """
import os, time
from pathlib import Path
from seq2seq_cli.storage.locks import acquire_lock
from seq2seq_cli.inference.workers import WorkerPool

class Work:
    def number(self):
        return os.getpid()

    def sleep(self):
        time.sleep(600)

with acquire_lock(Path("f")):
    pool = WorkerPool(Work(), 2)
    print(pool.call("number", [(), ()])[1], flush=True)
    pool.call("sleep", [(), ()])
"""


@pytest.mark.skipif(not CAN_FORK, reason="no fork here")
def test_a_forked_process_does_not_keep_the_lock_of_its_dead_parent(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER_WITH_WORKERS], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    worker = int(holder.stdout.readline())
    try:
        with pytest.raises(UserError, match=rf"another process \({holder.pid}\)"), acquire_lock(tmp_path / "f"):
            pass
        holder.kill()
        holder.wait()
        os.kill(worker, 0)  # it is still there, asleep
        with acquire_lock(tmp_path / "f"):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)
        holder.stdout.close()


def test_a_lock_file_that_its_holder_has_removed_is_not_a_lock(tmp_path, monkeypatch):
    from seq2seq_cli.storage import locks

    lock, real = tmp_path / ".f.lock", locks._lock
    handles = []

    def removed_meanwhile(handle):
        handles.append(handle)
        if len(handles) == 1:
            lock.unlink()
        return real(handle)

    monkeypatch.setattr(locks, "_lock", removed_meanwhile)
    with acquire_lock(tmp_path / "f"):
        assert len(handles) == 2
        assert lock.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of folders")
def test_a_read_only_folder_is_explained(read_only):
    with pytest.raises(UserError, match=r"no permission|Read-only") as caught, acquire_lock(read_only / "f"):
        pass
    assert caught.value.where == str(read_only / "f")
    assert names(read_only) == ["f"]
