from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.archive.piece import write_piece
from packyard.formats.errors import FormatError
from packyard.formats.pspf import Verdict, key_from_seed, open_bundle, private_pem, verify, verify_contents
from packyard.tasks.engine.store.key import ingredients, key_of
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.bundle.bundle import ISOLATED, targets
from packyard.tasks.kinds.bundle.make_bundle import BundleParams, make_bundle
from packyard.tasks.kinds.bundle.verification import verify_file
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Made, Target
from packyard.tasks.workspace.workspace import read_workspace

PROJECT = """
[build-system]
requires = ["setuptools"]

[project]
name = "hello"
version = "0.1.0"

[tool.flavor]
entry_point = "hello:main"
python_version = "3.12"
"""
Plan = Callable[..., Target]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The target of a workspace's only bundle, on Linux; `files` are further files of the member."""
    monkeypatch.setenv("PACKYARD_KEY_SEED", "s1")
    root = tmp_path / "space"

    def make(project: str = PROJECT, launcher: str = "rust", epoch: int = 0, files: tuple[str, ...] = ()) -> Target:
        (root / "hello").mkdir(parents=True, exist_ok=True)
        toolchain = f'[toolchain]\nlauncher = "{launcher}"\n'
        (root / "packyard.toml").write_text(f'[workspace]\nname = "space"\nmembers = ["hello"]\n{toolchain}')
        (root / "hello/pyproject.toml").write_text(project)
        for file in files:
            (root / "hello" / file).parent.mkdir(parents=True, exist_ok=True)
            (root / "hello" / file).write_text("")
        workspace = replace(read_workspace(root), platform="linux_amd64", epoch=epoch)
        (target,) = targets(workspace)
        return target

    return make


def fill(room: Room[BundleParams], name: str, files: dict[str, bytes]) -> None:
    with (room.inputs / "slots" / name).open("wb") as out:
        write_piece([Entry(path, content, path.startswith("bin/")) for path, content in files.items()], out)


def room_for(target: Target, tmp_path: Path) -> Room[BundleParams]:
    """A room with everything the target uses staged in it."""
    base = tmp_path / "room"
    room = Room(
        inputs=base / "in", outputs=base / "out", scratch=base / "tmp", home=base / "home",
        params=read_params(BundleParams, target.params), local=target.local, log=base / "log",
    )  # fmt: skip
    for folder in (room.inputs / "slots", room.outputs, room.scratch, room.home):
        folder.mkdir(parents=True)
    (room.inputs / "launcher").write_bytes(b"launcher")
    (room.inputs / "facts").mkdir()
    for name, facts in (
        ("python", {"glibc": "2.9"}), ("env", {"glibc": "2.17"}), ("app", {"glibc": "", "asked": ""}),
    ):  # fmt: skip
        (room.inputs / "facts" / name).write_text(json.dumps(facts))
    fill(room, "python", {"bin/python3.12": b"ELF", "lib/python3.12/os.py": b""})
    fill(room, "env", {})
    fill(room, "app", {"lib/python3.12/site-packages/hello.py": b""})
    return room


def test_target_uses_launcher_runtime_environment_and_app(plan: Plan) -> None:
    target = plan()
    assert target.name == "bundle:hello"
    assert [(use.target, use.at) for use in target.uses] == [
        ("launcher:rust-linux_amd64", "launcher"),
        ("runtime:cpython-3.12-linux_amd64", "slots/python"),
        ("runtime:cpython-3.12-linux_amd64", "files/python"),
        ("runtime:cpython-3.12-linux_amd64", "facts/python"),
        ("env:hello", "slots/env"),
        ("env:hello", "files/env"),
        ("env:hello", "facts/env"),
        ("slot:hello/app", "slots/app"),
        ("slot:hello/app", "files/app"),
        ("slot:hello/app", "facts/app"),
    ]
    assert target.outputs[0].artifact == "dist/hello-0.1.0.psp"
    assert target.local == {"source": "environment", "place": "PACKYARD_KEY_SEED"}
    assert target.final and not target.network
    assert json.loads(json.dumps(target.params)) == target.params


def test_bundle_without_a_python_looks_for_one(plan: Plan, tmp_path: Path) -> None:
    target = plan(PROJECT + "[tool.flavor.build]\nruntime = false\n")
    assert [use.at for use in target.uses] == [
        "launcher", "slots/env", "files/env", "facts/env", "slots/app", "files/app", "facts/app",
    ]  # fmt: skip
    room = room_for(target, tmp_path)
    (room.inputs / "facts/app").write_text('{"glibc": "", "asked": "CPython 3.12 or newer"}')
    make_bundle(room)
    bundle = open_bundle(room.outputs / "hello-0.1.0.psp")
    assert [slot.id for slot in bundle.metadata.slots] == ["app"]
    assert bundle.metadata.coverage is not None
    assert bundle.metadata.coverage.needs == "linux_amd64, CPython 3.12 or newer"
    command = r'/bin/sh "\{workenv\}/\.packyard-[0-9a-f]{16}/lib/python3\.12/site-packages/packyard_runtime/start\.sh"'
    assert re.fullmatch(command, bundle.metadata.execution.command)
    with pytest.raises(FormatError) as caught:
        plan(PROJECT + 'platforms = ["linux_amd64", "windows_amd64"]\n[tool.flavor.build]\nruntime = false\n')
    assert str(caught.value) == (
        "hello/pyproject.toml: tool.flavor.build.runtime: is false, but a bundle for 'windows_amd64' cannot look "
        "for Python: that requires a POSIX shell\n"
        "  hint: leave out that platform, or let the bundle carry its Python"
    )


def test_place_of_the_key_decides_nothing(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        target = plan()
        made = Made(digest="0" * 64, size=0, executable=False, tree=False)
        return key_of(ingredients(target, {}, {f"{use.target}#{use.part}": made for use in target.uses}))

    by_seed = key()
    monkeypatch.delenv("PACKYARD_KEY_SEED")
    for name in ("one", "two/deep"):
        path = tmp_path / name / "key.pem"
        path.parent.mkdir(parents=True)
        path.write_bytes(private_pem(key_from_seed("s1")))
        monkeypatch.setenv("PACKYARD_PRIVATE_KEY", str(path))
        assert plan().local == {"source": "file", "place": str(path)}
        assert key() == by_seed
    path.write_bytes(private_pem(key_from_seed("s2")))
    assert key() != by_seed


def test_launcher_that_is_a_file_is_a_source(plan: Plan) -> None:
    target = plan(launcher="tools/launcher")
    assert [(source.path, source.at) for source in target.sources] == [("tools/launcher", "launcher")]
    own = plan(PROJECT + 'launcher = "./bin/mine"\n')
    assert [source.path for source in own.sources] == ["hello/bin/mine"]
    assert own.uses[0].at == "slots/python"


def test_environment_is_isolated_unless_the_manifest_says_otherwise(plan: Plan) -> None:
    assert plan().params["environment"] == {"unset": list(ISOLATED), "pass_": [], "map": {}, "set": {}}
    section = '[tool.flavor.execution.runtime.env]\nisolated = false\nunset = ["A*"]\nset = { B = "1" }\n'
    assert plan(PROJECT + section).params["environment"] == {
        "unset": ["A*"],
        "pass_": ["FLAVOR_*", "PATH"],
        "map": {},
        "set": {"B": "1"},
    }


def test_declared_slots_follow_with_their_purpose_and_form(plan: Plan) -> None:
    section = """
[[tool.flavor.slots]]
id = "static"
source = "static"
target = "share/static"
purpose = "static-resources"
[[tool.flavor.slots]]
id = "defaults"
source = "defaults.json"
purpose = "configuration"
permissions = "0600"
[[tool.flavor.slots]]
id = "elsewhere"
source = "x"
platform = "darwin_arm64"
"""
    slots = plan(PROJECT + section, files=("static/a.css", "defaults.json")).params["slots"]
    assert slots[3:] == [
        {
            "id": "static", "source": "slot:hello/static", "target": "{workenv}/share/static", "operations": "tgz",
            "purpose": "media", "lifecycle": "runtime", "permissions": None,
        },
        {
            "id": "defaults", "source": "slot:hello/defaults", "target": "{workenv}/defaults", "operations": "raw",
            "purpose": "config", "lifecycle": "runtime", "permissions": "0600",
        },
    ]  # fmt: skip


def test_what_cannot_work_is_refused_with_all_problems(plan: Plan) -> None:
    section = """
[tool.flavor.policy]
max_age_days = 3
[[tool.flavor.slots]]
id = "app"
source = "x"
[[tool.flavor.slots]]
id = "more"
source = "x"
target = "lib/x"
lifecycle = "lazy"
[[tool.flavor.slots]]
id = "inner"
source = "x"
target = "app/inner"
lifecycle = "init"
[[tool.flavor.slots]]
id = "hidden"
source = "x"
target = ".packyard-hidden"
"""
    with pytest.raises(FormatError) as caught:
        plan(PROJECT + section)
    place = "hello/pyproject.toml: tool.flavor"
    assert str(caught.value).splitlines() == [
        f"{place}.slots[0].id: 'app' is the id of a slot that every bundle has",
        f"{place}.slots[1].target: 'lib/x' is where Python is unpacked, but the slot is not permanent; expected "
        "another target",
        f"{place}.slots[3].target: '.packyard-hidden' starts like the names that Packyard uses beside the content",
        f"{place}.slots[2].target: 'app/inner' is inside the slot 'app'; expected a separate target",
        f"{place}.policy.max_age_days: requires a bundle that says when it was built, but reproducible builds are "
        "undated",
        "  hint: set SOURCE_DATE_EPOCH to the time of the release",
    ]


def test_bundle_is_written_signed_sealed_and_read_back(plan: Plan, tmp_path: Path) -> None:
    room = room_for(plan(), tmp_path)
    make_bundle(room)
    path = room.outputs / "hello-0.1.0.psp"
    bundle = open_bundle(path)
    assert path.stat().st_mode & 0o777 == 0o755
    assert [slot.id for slot in bundle.metadata.slots] == ["python", "app"]  # there is nothing in the environment
    assert verify(bundle) == []
    assert verify_contents(bundle) == []
    assert bundle.metadata.coverage is not None and bundle.metadata.coverage.sealed
    assert bundle.metadata.coverage.needs == "linux_amd64, glibc 2.17 or newer"
    assert [command["type"] for command in bundle.metadata.setup_commands] == ["execute", "write_file"]
    assert "edcf7af5bd190357" in room.log.read_text()
    assert str(tmp_path) not in repr(bundle.metadata)


def test_bundle_has_the_same_bytes_wherever_it_is_made(plan: Plan, tmp_path: Path) -> None:
    made = []
    for place in ("one", "another/place"):
        room = room_for(plan(), tmp_path / place)
        make_bundle(room)
        made.append((room.outputs / "hello-0.1.0.psp").read_bytes())
    assert made[0] == made[1]


def test_bundle_built_at_a_known_time_says_so(plan: Plan, tmp_path: Path) -> None:
    room = room_for(plan(PROJECT + "[tool.flavor.policy]\nmax_age_days = 3\n", epoch=1_700_000_000), tmp_path)
    make_bundle(room)
    bundle = open_bundle(room.outputs / "hello-0.1.0.psp")
    assert bundle.index.build_timestamp == 1_700_000_000
    assert bundle.metadata.build.timestamp == "2023-11-14T22:13:20Z"
    assert verify(bundle) == []


def test_raw_slot_that_looks_like_json_is_wrapped(plan: Plan, tmp_path: Path) -> None:
    section = '[[tool.flavor.slots]]\nid = "defaults"\nsource = "defaults.json"\n'
    room = room_for(plan(PROJECT + section, files=("defaults.json",)), tmp_path)
    (room.inputs / "slots/defaults").write_bytes(b'{"a": 1}')
    make_bundle(room)
    verification = verify_file(room.outputs / "hello-0.1.0.psp", deep=True)
    assert verification.verdict is Verdict.INTACT
    assert verification.bundle is not None
    assert verification.bundle.metadata.slots[-1].operations == "gzip"


@pytest.mark.parametrize(
    ("slot", "files", "message"),
    [
        (
            "app",
            {"bin/python3.12": b"another"},
            "the bundle cannot be written: 'bin/python3.12' is in two slots, with different contents",
        ),
        ("app", None, "slot 'app' cannot go into a bundle: this is not gzip data"),
    ],
)
def test_slots_that_cannot_stand_together_are_refused(
    plan: Plan, tmp_path: Path, slot: str, files: Any, message: str
) -> None:
    room = room_for(plan(), tmp_path)
    if files is None:
        (room.inputs / "slots" / slot).write_bytes(b"x")
    else:
        fill(room, slot, files)
    with pytest.raises(ActionError) as caught:
        make_bundle(room)
    assert str(caught.value) == message
    assert list(room.outputs.iterdir()) == []
