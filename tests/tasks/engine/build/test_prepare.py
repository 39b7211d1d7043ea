from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.engine.build.prepare import Preparation, carry_out, refused
from packyard.tasks.errors import ActionError
from packyard.tasks.target.params import Params
from packyard.tasks.target.target import Prepare, Target
from packyard.tasks.workspace.memo import Memo


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Params):
    file: str


def write(params: Wanted, root: Path, *, downloads: Path) -> None:
    with (root / params.file).open("a") as stream:
        stream.write("made\n")


def target(name: str, *prepares: Prepare) -> Target:
    return Target(name=name, doc="", place="", run="m:f", prepares=prepares)


FILE = Prepare(run="prepared:write", params={"file": "f"}, path="f", doing="making f")


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """The module of that function, found by its name."""
    found = types.ModuleType("prepared")
    found.write = write  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "prepared", found)
    return found


@pytest.fixture
def said() -> list[str]:
    return []


def preparation(root: Path, said: list[str], *, locked: bool = False) -> Preparation:
    return Preparation(root, Memo(root), said.append, downloads=lambda: root, locked=locked)


def test_function_gets_the_dataclass_that_it_declares(tmp_path: Path) -> None:
    carry_out(FILE, tmp_path, downloads=tmp_path)
    assert (tmp_path / "f").read_text() == "made\n"


def test_parameters_of_another_function_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        carry_out(Prepare(run="prepared:write", params={"name": "f"}, path="f", doing=""), tmp_path, downloads=tmp_path)
    assert sorted(str(caught.value).splitlines()) == [
        "params.file: expected exactly the fields of Wanted",
        "params.name: expected exactly the fields of Wanted",
    ]


def test_what_two_targets_wait_for_is_made_once(tmp_path: Path, said: list[str]) -> None:
    both = preparation(tmp_path, said)
    both.begin(target("x:a", FILE))
    both.finish(target("x:b", FILE))
    both.finish(target("x:a", FILE))
    both.close()
    assert (tmp_path / "f").read_text() == "made\n"
    assert said == ["x:a: making f"]


def test_what_is_there_is_not_made_again(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "f").write_text("mine\n")
    one = preparation(tmp_path, said, locked=True)
    one.finish(target("x:a", FILE))
    one.close()
    assert (tmp_path / "f").read_text() == "mine\n"
    assert said == []


def test_refusal_is_what_a_locked_build_says(tmp_path: Path, said: list[str]) -> None:
    locked = preparation(tmp_path, said, locked=True)
    refusing = Prepare(run=FILE.run, params=FILE.params, path="f", doing="", refusal="f: is missing", hint="commit it")
    with pytest.raises(ActionError) as caught:
        locked.finish(target("x:a", refusing))
    locked.close()
    assert str(caught.value) == "f: is missing\n  hint: commit it"
    assert not (tmp_path / "f").exists()


def test_locked_build_makes_what_is_decided_already(tmp_path: Path, said: list[str]) -> None:
    locked = preparation(tmp_path, said, locked=True)
    locked.finish(target("x:a", FILE))
    locked.close()
    assert (tmp_path / "f").is_file()


def test_refused_is_what_nobody_committed_each_once() -> None:
    open_one = Prepare(run="m:f", path="f", doing="", refusal="f: is missing", settled=False)
    settled = Prepare(run="m:f", path="g", doing="", refusal="g: is missing")
    assert refused([target("x:a", open_one, settled), target("x:b", open_one), target("x:c")]) == [open_one]
