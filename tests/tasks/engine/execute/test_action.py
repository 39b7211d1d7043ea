from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from packyard.tasks.engine.execute import action
from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.store.key import ingredients, key_of
from packyard.tasks.host.closure import closure_of
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Made, Output, Source, Target, Use
from packyard.tasks.workspace.memo import Look

TARGET = Target(
    name="x:a", doc="a doc", place="packyard.toml", run="m:f", params={"b": 1, "a": [None, "é"]},
    sources=(Source(path="src/a.txt", at="a.txt"),), uses=(Use(target="x:b", at="b"),), outputs=(Output(at="o"),),
)  # fmt: skip
LOOKS = {"src/a.txt": Look((1, 2, 3, 4), False, bytes(32), bytes(16))}
USES = {"x:b#": Made(digest="22" * 32, size=1)}
KEY = key_of(ingredients(TARGET, LOOKS, USES))


def test_ingredients_name_all_that_decides():
    values = ingredients(TARGET, LOOKS, USES)
    assert values["inputs"] == {"a.txt": f"- {'00' * 32}"}
    assert values["uses"] == {"x:b#": ["b", f"- {'22' * 32}"]}
    assert values["outputs"] == [["", "o", False]]
    assert values["params"] == TARGET.params
    assert values["packyard"] == closure_of("m").digest


@pytest.mark.parametrize(
    "change",
    [
        {"run": "m:g"},
        {"params": {"b": 2, "a": [None, "é"]}},
        {"params": {"b": True, "a": [None, "é"]}},
        {"sources": (Source(path="src/a.txt", at="b.txt"),)},
        {"uses": (Use(target="x:b", at="c"),)},
        {"outputs": (Output(at="p"),)},
        {"outputs": (Output(at="o", tree=True),)},
        {"outputs": (Output(at="o", keys=()),)},
        {"outputs": (Output(at="o", keys=("k",)),)},
        {"sources": (Source(path="src/a.txt", at="a.txt", key=True),)},
        {"outputs": (Output(at="o"), Output(part="log", at="l"))},
    ],
)
def test_key_follows_what_decides_the_result(change):
    assert key_of(ingredients(dataclasses.replace(TARGET, **change), LOOKS, USES)) != KEY


@pytest.mark.parametrize(
    "change",
    [
        {"name": "x:z"},
        {"doc": "other"},
        {"place": "other.toml"},
        {"final": True},
        {"resource": "io"},
        {"params": {"a": [None, "é"], "b": 1}},
        {"outputs": (Output(at="o", artifact="dist/o"),)},
    ],
)
def test_key_ignores_what_only_people_read(change):
    assert key_of(ingredients(dataclasses.replace(TARGET, **change), LOOKS, USES)) == KEY


def test_key_ignores_where_a_source_lies():
    moved = dataclasses.replace(TARGET, sources=(Source(path="/elsewhere/a.txt", at="a.txt"),))
    assert key_of(ingredients(moved, {"/elsewhere/a.txt": LOOKS["src/a.txt"]}, USES)) == KEY


@pytest.mark.parametrize(
    ("looks", "uses"),
    [
        ({"src/a.txt": dataclasses.replace(LOOKS["src/a.txt"], digest=bytes(31) + b"1")}, USES),
        ({"src/a.txt": dataclasses.replace(LOOKS["src/a.txt"], executable=True)}, USES),
        (LOOKS, {"x:b#": Made(digest="23" * 32, size=1)}),
        (LOOKS, {"x:b#": Made(digest="22" * 32, size=1, executable=True)}),
        (LOOKS, {"x:b#": Made(digest="22" * 32, size=1, tree=True)}),
    ],
    ids=["source", "mode", "use", "mode of use", "tree"],
)
def test_key_follows_the_bytes_and_modes_of_inputs(looks, uses):
    assert key_of(ingredients(TARGET, looks, uses)) != KEY


def test_key_is_sha256_over_canonical_json():
    assert key_of({"b": 1, "a": "é"}) == hashlib.sha256('{"a":"é","b":1}'.encode()).hexdigest()
    assert key_of({"b": 1, "a": "é"}) == key_of({"a": "é", "b": 1})
    assert key_of({"a": "\udcff"}) != key_of({"a": "?"})


def _room(folder: Path, **values) -> Room:
    places = {name: folder / name for name in ("inputs", "outputs", "scratch", "home")}
    for place in places.values():
        place.mkdir()
    return Room(**places, params=values, log=folder / "log")


def test_invoke_calls_the_named_function(tmp_path, monkeypatch):
    seen: list[Room] = []

    def probe(room):
        seen.append(room)

    monkeypatch.setattr(action, "probe", probe, raising=False)
    room = _room(tmp_path)
    invoke("packyard.tasks.engine.execute.action:probe", room)
    assert seen == [room]


def test_action_alone_makes_the_same_as_in_a_build(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    packing = {"epoch": 0, "compressor": "", "level": 6}
    params = {"name": "a.zip", "format": "zip", "prefix": "", "packing": packing, "trees": {}, "distribution": None}
    rooms = [_room(tmp_path / name, **params) for name in ("one", "two")]
    for room in rooms:
        (room.inputs / "a.txt").write_text("a\n")
    invoke("packyard.tasks.kinds.archive.make_archive:make_archive", rooms[0])
    described = dataclasses.asdict(rooms[1])
    file = tmp_path / "action.json"
    file.write_text(
        json.dumps({"run": "packyard.tasks.kinds.archive.make_archive:make_archive", "room": described}, default=str)
    )
    subprocess.run([sys.executable, "-m", "packyard.tasks.engine.execute.action", file], check=True)
    assert (rooms[0].outputs / "a.zip").read_bytes() == (rooms[1].outputs / "a.zip").read_bytes()
