"""The command `packyard`: the null path first, everything else only when it cannot answer."""

import fcntl
import gc
import os
import sys
import time

from packyard.tasks import nullpath


def main() -> int:
    """Run the command line; returns the exit status (0, 1 errors, 2 usage, 130 interrupted)."""
    words = sys.argv[1:]
    start = time.monotonic()
    try:
        early = _look(words, start)
        if early is not None and early.looked.all_fresh and early.looked.known:
            os.close(early.lock)
            _say(f"nothing to do: {early.looked.known} targets are fresh ({time.monotonic() - start:.2f} s)\n")
            return 0
        # What a run reads and builds stays to its end; looking for garbage in it took a tenth of the start.
        gc.set_threshold(50_000)
        from packyard.tasks.commands.cli import run  # slow to import: the whole application

        return run(words, early)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


def _say(text: str) -> None:
    if sys.stdout is None:  # closed by the caller
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _look(words: list[str], started: float) -> nullpath.Early | None:
    """How the files of the named targets look, under the workspace's lock; None if the words are more than targets, if
    nothing was built here yet, or if another run holds the lock."""
    root = nullpath.find_root(".")
    if root is None or any(word[:1] == "-" for word in words) or (words and ":" not in words[0] and words != ["all"]):
        return None
    path = os.path.join(root, nullpath.FOLDER, "lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    if not os.path.samestat(os.fstat(lock), os.stat(path)):
        return None  # somebody removed the folder just now
    return nullpath.Early(lock, nullpath.look(root, None if words in ([], ["all"]) else words), started)


if __name__ == "__main__":
    sys.exit(main())
