"""What becomes of a wheel that a backend left; backends themselves are driven in test_python_real.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.errors import ActionError
from packyard.tasks.index.pep517 import usable_wheel

from tests.index import wheel

NOTE = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"


def contents(folder: Path, place: Path, build_id: bytes) -> dict[str, bytes]:
    """The files of a wheel that was made in `folder`, as compilers and tools leave it."""
    path = str(folder).encode()
    files: dict[str, str | bytes] = {
        "app/notes.json": f'{{"source": "file://{folder}/project"}}\n',
        "app/fast.so": b"\x7fELF\0" + NOTE + build_id + b"\0" + path + b"/tmp/project\0.text",
        "app/other.so": b"\x7fELF\0" + NOTE + b"u" * 20 + b"\0.text",
        "app/__init__.py": "there = '/tmp'\n",
    }
    place.write_bytes(wheel("app", "1.0", files))
    found = usable_wheel(place, "backend", folder)
    assert (found.name, found.tags) == ("app", ("py3-none-any",))
    return {path: entry.data() for path, entry in found.files.items() if path in files}


def test_wheel_does_not_say_in_which_folder_it_was_made(tmp_path: Path) -> None:
    one = contents(Path("/tmp/packyard-0000000000/0123456789abcdef"), tmp_path / "one.whl", b"a" * 20)
    other = contents(Path("/tmp/packyard-0000065534/fedcba9876543210"), tmp_path / "other.whl", b"b" * 20)
    assert one == other
    assert one["app/notes.json"] == b'{"source": "file:///build/project"}\n'
    assert one["app/fast.so"].endswith(b"\0/build" + b"/" * 35 + b"/tmp/project\0.text")
    assert one["app/other.so"] == b"\x7fELF\0" + NOTE + b"u" * 20 + b"\0.text"
    assert one["app/__init__.py"] == b"there = '/tmp'\n"


def test_wheel_of_another_program_has_another_build_id(tmp_path: Path) -> None:
    folder = Path("/tmp/packyard-0000000000/0123456789abcdef")
    deeper = contents(folder / "x", tmp_path / "deeper.whl", b"a" * 20)["app/fast.so"]
    assert deeper[21:41] != contents(folder, tmp_path / "one.whl", b"a" * 20)["app/fast.so"][21:41]


def test_wheel_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.whl").write_bytes(b"no zip")
    with pytest.raises(ActionError, match=r"^the wheel that 'backend' made cannot be used: "):
        usable_wheel(tmp_path / "bad.whl", "backend", tmp_path)
