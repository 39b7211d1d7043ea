from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import xxhash
from packyard.tasks.workspace import memo
from packyard.tasks.workspace.memo import UNSURE, Look, Memo, pack_stat, settle

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND + 123_456_789


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    found: list[str] = []
    real = memo._chunks

    def chunks(path: str):
        found.append(os.path.basename(path))
        return real(path)

    monkeypatch.setattr(memo, "_chunks", chunks)
    return found


def old(path: Path, content: bytes = b"content") -> Path:
    """A file that has been standing still: its last look is settled."""
    path.write_bytes(content)
    return path


def settled(look: Look | None, path: Path) -> Look:
    assert look is not None
    return Look(pack_stat(path.stat()), look.executable, look.digest, look.sum)


def test_look_of_file_gives_its_digests(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    look = Memo(tmp_path).look("a")
    assert look is not None
    assert look.digest == hashlib.sha256(b"content").digest()
    assert look.sum == xxhash.xxh3_128(b"content").digest()
    assert look.entry == f"- {hashlib.sha256(b'content').hexdigest()}"


@pytest.mark.parametrize("path", ["missing", "folder", "dangling", "loop", "folder/below/none"])
def test_look_at_what_is_no_file_gives_none(tmp_path, path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert Memo(tmp_path).look(path) is None


def test_look_of_executable_says_so(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "a").chmod(0o755)
    look = Memo(tmp_path).look("a")
    assert look is not None
    assert look.entry.startswith("x ")


def test_look_twice_reads_once(tmp_path, reads):
    old(tmp_path / "a")
    seen = Memo(tmp_path)
    assert seen.look("a") is seen.look("a")
    assert reads == ["a"]


def test_look_known_with_same_stat_is_not_read(tmp_path, reads):
    path = old(tmp_path / "a")
    known = settled(Memo(tmp_path).look("a"), path)
    again = Memo(tmp_path)
    again.remember("a", known)
    assert again.look("a") is known
    assert reads == ["a"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"CONTENT"),
        lambda path: path.chmod(0o755),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: (path.rename(path.with_name("b")), path.write_bytes(b"content")),
    ],
    ids=["same size", "mode", "time", "inode"],
)
def test_look_known_with_other_stat_is_read(tmp_path, reads, change):
    path = old(tmp_path / "a")
    known = settled(Memo(tmp_path).look("a"), path)
    change(path)
    again = Memo(tmp_path)
    again.remember("a", known)
    assert again.look("a") is not known
    assert reads == ["a", "a"]


def test_look_with_size_and_time_put_back_is_read(tmp_path):
    path = old(tmp_path / "a")
    known = settled(Memo(tmp_path).look("a"), path)
    found = path.stat()
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    again = Memo(tmp_path)
    again.remember("a", known)
    look = again.look("a")
    assert look is not None
    assert look.digest == hashlib.sha256(b"CONTENT").digest()


def test_look_of_large_file_touched_takes_its_xxh3(tmp_path, monkeypatch):
    path = old(tmp_path / "a", b"x" * (1 << 20))
    known = settled(Memo(tmp_path).look("a"), path)
    os.utime(path)
    monkeypatch.setattr(memo.hashlib, "sha256", None)
    again = Memo(tmp_path)
    again.remember("a", known)
    look = again.look("a")
    assert look is not None
    assert look.digest == known.digest


def test_look_of_large_file_changed_takes_its_sha256(tmp_path):
    path = old(tmp_path / "a", b"x" * (1 << 20))
    known = settled(Memo(tmp_path).look("a"), path)
    path.write_bytes(b"y" * (1 << 20))
    again = Memo(tmp_path)
    again.remember("a", known)
    look = again.look("a")
    assert look is not None
    assert look.digest == hashlib.sha256(b"y" * (1 << 20)).digest()


def test_look_of_file_just_written_is_unsure(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    look = Memo(tmp_path).look("a")
    assert look is not None
    assert look.stat[0] == UNSURE


def test_look_of_file_that_is_written_to_all_the_while_is_unsure(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"")
    os.utime(path, ns=(1, 1))
    real = memo._chunks

    def chunks(name: str):
        yield from real(name)
        with path.open("ab") as stream:
            stream.write(b"more")

    monkeypatch.setattr(memo, "_chunks", chunks)
    look = Memo(tmp_path).look("a")
    assert look is not None
    assert look.stat[0] == UNSURE


def test_forget_drops_also_what_earlier_runs_knew(tmp_path, reads):
    path = old(tmp_path / "a")
    wrong = Look(pack_stat(path.stat()), False, bytes(32), bytes(16))
    seen = Memo(tmp_path)
    seen.remember("a", wrong)
    assert seen.look("a") is wrong
    seen.forget("a")
    look = seen.look("a")
    assert look is not None
    assert look.digest == hashlib.sha256(b"content").digest()
    assert reads == ["a"]


def test_made_is_taken_as_the_look(tmp_path):
    look = Look((1, 2, 3, 4), False, bytes(32), bytes(16))
    seen = Memo(tmp_path)
    seen.made("a", look)
    assert seen.look("a") is look


@pytest.mark.parametrize(
    ("mtime", "ctime", "sure"),
    [
        (NOW - SECOND, NOW - SECOND, True),
        (NOW - SECOND, NOW - 1_000_000, False),  # the inode changed within the grain
        (NOW - 1_000_000, NOW - SECOND, False),
        (NOW, NOW, False),
        (1_699_999_999 * SECOND, NOW - SECOND, False),  # whole seconds: the grain may be as coarse
        (1_699_999_990 * SECOND, NOW - 3 * SECOND, True),
        (NOW + 3_600 * SECOND, NOW - SECOND, True),  # the future: the next change sets another time
        (NOW + 1_000_000, NOW - SECOND, False),
    ],
)
def test_settle_is_sure_outside_the_grain(mtime, ctime, sure):
    assert settle((5, mtime, ctime, 7), NOW) == ((5 if sure else UNSURE), mtime, ctime, 7)
