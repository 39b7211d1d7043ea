from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from packyard.tasks.host.filelock import exclusive, try_exclusive


def test_exclusive_removes_its_file(tmp_path):
    path = tmp_path / "lock"
    with exclusive(path):
        assert path.exists()
    assert not path.exists()


def test_exclusive_keeps_its_file_when_told(tmp_path):
    path = tmp_path / "lock"
    with exclusive(path, keep=True):
        pass
    assert path.exists()


def test_exclusive_says_once_that_it_waits(tmp_path):
    path = tmp_path / "lock"
    said: list[str] = []
    taken = threading.Event()

    def second() -> None:
        with exclusive(path, waiting=lambda: said.append("waiting")):
            taken.set()

    with exclusive(path):
        thread = threading.Thread(target=second)
        thread.start()
        assert not taken.wait(0.1)
        assert said == ["waiting"]
    assert taken.wait(5)
    thread.join()
    assert said == ["waiting"]


def test_exclusive_admits_one_at_a_time(tmp_path):
    path = tmp_path / "lock"
    inside = most = entered = 0
    guard = threading.Lock()

    def enter() -> None:
        nonlocal inside, most, entered
        for _ in range(20):
            with exclusive(path):
                with guard:
                    inside += 1
                    entered += 1
                    most = max(most, inside)
                time.sleep(0.0002)
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (entered, most, path.exists()) == (120, 1, False)


def test_exclusive_is_free_when_its_holder_is_killed(tmp_path):
    path = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from packyard.tasks.host.filelock import exclusive\n"
        f"with exclusive(Path({os.fspath(path)!r})): print('taken', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        assert try_exclusive(path) is None
        holder.kill()
    with exclusive(path):
        pass


def test_try_exclusive_gives_the_lock_or_none(tmp_path):
    path = tmp_path / "lock"
    lock = try_exclusive(path)
    assert lock is not None
    assert try_exclusive(path) is None
    os.close(lock)
    with exclusive(path):
        assert try_exclusive(path) is None


def test_try_exclusive_does_not_take_a_lock_whose_name_is_gone(tmp_path, monkeypatch):
    """The holder removes the file between our open and our flock: a third one may hold a new file of this name."""
    path = tmp_path / "lock"
    real = os.open

    def opened(*how) -> int:
        lock = real(*how)
        Path(path).unlink()
        return lock

    monkeypatch.setattr(os, "open", opened)
    assert try_exclusive(path) is None
