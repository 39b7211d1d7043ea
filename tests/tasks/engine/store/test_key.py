"""What decides a result is in its key, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.tasks.engine.store import key
from packyard.tasks.engine.store.key import ingredients, key_of
from packyard.tasks.host.closure import Closure
from packyard.tasks.target.target import Made, Output, Source, Target, Use
from packyard.tasks.workspace.memo import Look

TARGET = Target(
    name="archive:a",
    doc="an archive",
    place="packyard.toml",
    run="m:f",
    params={"format": "zip"},
    sources=(Source(path="src/a.txt", at="a.txt"),),
    uses=(Use(target="archive:b", at="b.zip"),),
    outputs=(Output(at="out", artifact="dist/a.zip"),),
)
LOOK = Look(stat=(1, 2, 3, 4), executable=False, digest=bytes(32), sum=bytes(16))
LOOKS = {"src/a.txt": LOOK, "elsewhere/a.txt": LOOK}
USES = {"archive:b#": Made(digest="ab" * 32, size=1), "archive:c#": Made(digest="ab" * 32, size=1)}


def key_for(target: Target = TARGET, looks: dict[str, Look] = LOOKS, uses: dict[str, Made] = USES) -> str:
    return key_of(ingredients(target, looks, uses))


@pytest.mark.parametrize(
    "same",
    [
        replace(TARGET, doc="another text"),
        replace(TARGET, place="a/mojo.toml"),
        replace(TARGET, name="archive:renamed"),
        replace(TARGET, resource="io"),
        replace(TARGET, final=True),
        replace(TARGET, local={"key": "here"}),
        replace(TARGET, sources=(Source(path="elsewhere/a.txt", at="a.txt"),)),
        replace(TARGET, outputs=(Output(at="out", artifact="dist/other.zip"),)),
    ],
    ids=["doc", "place", "name", "resource", "final", "local", "path", "artifact"],
)
def test_key_is_the_same_whatever_people_read_and_wherever_things_lie(same: Target) -> None:
    assert key_for(same) == key_for()


@pytest.mark.parametrize(
    "other",
    [
        replace(TARGET, run="m:g"),
        replace(TARGET, params={"format": "tar.gz"}),
        replace(TARGET, sources=(Source(path="src/a.txt", at="b.txt"),)),
        replace(TARGET, sources=()),
        replace(TARGET, uses=(Use(target="archive:b", at="c.zip"),)),
        replace(TARGET, uses=(Use(target="archive:c", at="b.zip"),)),
        replace(TARGET, outputs=(Output(at="other"),)),
        replace(TARGET, outputs=(Output(at="out", tree=True),)),
    ],
    ids=["run", "params", "at", "fewer", "used at", "used", "output", "tree"],
)
def test_key_is_another_for_whatever_the_action_meets(other: Target) -> None:
    assert key_for(other) != key_for()


@pytest.mark.parametrize("look", [replace(LOOK, digest=b"\1" * 32), replace(LOOK, executable=True)])
def test_key_is_another_for_other_bytes_and_another_mode(look: Look) -> None:
    assert key_for(looks={"src/a.txt": look}) != key_for()


def test_key_does_not_know_when_a_file_was_written() -> None:
    assert key_for(looks={"src/a.txt": replace(LOOK, stat=(1, 9, 9, 9), sum=b"\1" * 16)}) == key_for()


@pytest.mark.parametrize("change", [{"digest": "cd" * 32}, {"executable": True}, {"tree": True}])
def test_key_is_another_for_what_a_dependency_became(change: dict[str, object]) -> None:
    made = replace(USES["archive:b#"], **change)  # type: ignore[arg-type]
    assert key_for(uses={"archive:b#": made}) != key_for()


def test_key_is_another_for_another_packyard_and_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_for()
    monkeypatch.setattr(key, "closure_of", lambda module: Closure(digest=f"of {module}", files=(), libraries=()))
    packyard = key_for()
    monkeypatch.setattr(key.platform, "python_version", lambda: "3.99.0")
    assert len({before, packyard, key_for()}) == 3


NAMES = st.text("ab#:/ ", max_size=4)
PARTS = st.text("ab/ ", max_size=4)  # part names are texts of our own, without '#'


@given(one=st.tuples(NAMES, PARTS), other=st.tuples(NAMES, PARTS))
def test_keys_of_different_uses_differ(one: tuple[str, str], other: tuple[str, str]) -> None:
    made = Made(digest="ab" * 32, size=1)
    keys = []
    for name, part in (one, other):
        target = replace(TARGET, uses=(Use(target=name, part=part, at="x"),))
        keys.append(key_for(target, uses={f"{name}#{part}": made}))
    assert (keys[0] == keys[1]) == (one == other)


def test_key_takes_names_that_are_not_utf8() -> None:
    assert len(key_of({"inputs": {"\udcff": "- 00"}})) == 64
