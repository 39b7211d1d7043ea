"""Archives laid out for people who install what is in them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.archive.archive import targets
from packyard.tasks.kinds.archive.make_archive import ArchiveParams, make_archive
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Source, Target, Use
from packyard.tasks.workspace.workspace import read_workspace

from tests.tasks.kinds.mojo.mojofile import write_package

WORKSPACE = """\
[workspace]
name = "w"
members = ["libs/*"]
[toolchain]
mojo = "1.0.0"
[[archive]]
name = "odyssey"
version = "0.1.0"
layout = "distribution"
include = ["mojo:nn", "scripts"]
"""
MANIFEST = '[package]\nname = "{name}"\nversion = "0.1.0"\n{rest}'
FILES = {
    "packyard.toml": WORKSPACE,
    "LICENSE": "free\n",
    "README.md": "# Odyssey\n",
    "scripts/run.sh": "#!/bin/sh\n",
    "libs/tensor/mojo.toml": MANIFEST.format(name="tensor", rest='examples = ["examples/*.mojo", "demo.mojo"]\n'),
    "libs/tensor/src/tensor/__init__.mojo": "",
    "libs/tensor/examples/show.mojo": "",
    "libs/tensor/demo.mojo": "",
    "libs/nn/mojo.toml": MANIFEST.format(
        name="nn", rest='examples = ["examples/*.mojo"]\n[dependencies]\ntensor = "0.1.0"\n'
    ),
    "libs/nn/__init__.mojo": "from tensor import x\n",
    "libs/nn/examples/show.mojo": "import tensor\n",
    "libs/other/mojo.toml": MANIFEST.format(name="other", rest=""),
    "libs/other/__init__.mojo": "",
}


def plan(root: Path, files: dict[str, str]) -> Target:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return next(iter(targets(read_workspace(root))))


def without(*names: str) -> dict[str, str]:
    return {path: text for path, text in FILES.items() if path not in names}


def test_distribution_is_complete_with_all_that_its_packages_need(tmp_path: Path) -> None:
    target = plan(tmp_path, FILES)
    assert target.outputs[0].artifact == "dist/odyssey-v0.1.0.tar.gz"
    assert target.params["prefix"] == "odyssey-v0.1.0"
    assert target.sources == (
        Source(path="LICENSE", at="LICENSE"),
        Source(path="README.md", at="README.md"),
        Source(path="libs/nn/examples/show.mojo", at="examples/show.mojo"),
        Source(path="libs/tensor/demo.mojo", at="examples/demo.mojo"),
        Source(path="libs/tensor/examples/show.mojo", at="examples/tensor/show.mojo"),
        Source(path="scripts/run.sh", at="scripts/run.sh"),
    )
    assert target.uses == (
        Use(target="mojo:nn", at="packages/"),
        Use(target="mojo:nn", part="manifest", at="packages/"),
        Use(target="mojo:tensor", at="packages/"),
        Use(target="mojo:tensor", part="manifest", at="packages/"),
    )


def test_distribution_of_a_meta_package_has_examples_that_import_from_it(tmp_path: Path) -> None:
    meta = '[[meta]]\nname = "all"\nversion = "0.1.0"\nmembers = ["tensor", "nn"]\n'
    target = plan(tmp_path, FILES | {"packyard.toml": WORKSPACE.replace("mojo:nn", "mojo:all") + meta})
    moved = {"names": ["nn", "tensor"], "below": "all"}
    assert target.params["distribution"]["moved"] == {
        "examples/show.mojo": moved,
        "examples/demo.mojo": moved,
        "examples/tensor/show.mojo": moved,
    }
    room = stage(tmp_path, target)
    make_archive(room)
    assert contents(room)["odyssey-v0.1.0/examples/show.mojo"] == b"import all.tensor as tensor\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (without("LICENSE"), "which requires a LICENSE, but there is none"),
        (without("README.md"), "which requires a README.md, but there is none"),
    ],
)
def test_distribution_demands_license_and_readme(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        plan(tmp_path, files)
    assert str(caught.value) == (
        f"packyard.toml: archive[0].layout: is 'distribution', {message}\n"
        "  hint: write one beside packyard.toml, or include it"
    )
    plain = WORKSPACE.replace('layout = "distribution"\n', "")
    assert plan(tmp_path, {"packyard.toml": plain}).outputs[0].artifact == "dist/odyssey-0.1.0.tar.gz"


def test_distribution_and_its_clean_room_stand_in_the_graph(tmp_path: Path) -> None:
    plan(tmp_path, FILES)
    graph = build_graph(read_workspace(tmp_path), TABLE)
    names = [name for name in graph.targets if name.startswith("cleanroom:")]
    assert sorted(names) == ["cleanroom:nn", "cleanroom:odyssey", "cleanroom:other", "cleanroom:tensor"]
    assert not set(names) & set(graph.final)
    (tmp_path / "packyard.toml").write_text(WORKSPACE.replace('"odyssey"', '"nn"'))
    assert "cleanroom:nn.tar.gz" in build_graph(read_workspace(tmp_path), TABLE).targets


def stage(root: Path, target: Target) -> Room:
    room = Room(
        inputs=root / "room/in", outputs=root / "room/out", scratch=root / "room/tmp", home=root / "room/home",
        params=read_params(ArchiveParams, target.params), log=root / "room/log",
    )  # fmt: skip
    for folder in (room.inputs, room.outputs):
        folder.mkdir(parents=True)
    for source in target.sources:
        place = room.inputs / source.at
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((root / source.path).read_bytes())
        place.chmod((root / source.path).stat().st_mode)
    return room


def contents(room: Room) -> dict[str, bytes]:
    found = {}
    with tarfile.open(room.outputs / room.params.name) as archive:
        for member in archive.getmembers():
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name] = stream.read()
    return found


def test_distribution_explains_how_to_install_it(tmp_path: Path) -> None:
    target = plan(tmp_path, FILES)
    (tmp_path / "scripts/run.sh").chmod(0o755)
    room = stage(tmp_path, target)
    tensor = write_package(room.inputs / "packages", "tensor")
    write_package(room.inputs / "packages", "nn", tensor)
    for path in sorted((room.inputs / "packages").iterdir()):
        path.rename(path.with_name(path.name.replace("-0.1.0", "")))
    make_archive(room)
    found = contents(room)
    assert list(found) == [
        "odyssey-v0.1.0/INSTALL.md",
        "odyssey-v0.1.0/LICENSE",
        "odyssey-v0.1.0/README.md",
        "odyssey-v0.1.0/examples/demo.mojo",
        "odyssey-v0.1.0/examples/show.mojo",
        "odyssey-v0.1.0/examples/tensor/show.mojo",
        "odyssey-v0.1.0/packages/README.md",
        "odyssey-v0.1.0/packages/nn.mojopkg",
        "odyssey-v0.1.0/packages/nn.mojopkg.json",
        "odyssey-v0.1.0/packages/tensor.mojopkg",
        "odyssey-v0.1.0/packages/tensor.mojopkg.json",
        "odyssey-v0.1.0/scripts/run.sh",
    ]
    text = found["odyssey-v0.1.0/INSTALL.md"].decode()
    assert "They require Mojo 1.0.0, only the build 0123456789ab." in text
    assert [line[4:] for line in text.splitlines() if line.startswith("    ")] == [
        "mojo run -I packages examples/demo.mojo",
        "packyard install packages/nn.mojopkg packages/tensor.mojopkg --to lib",
        "packyard installed --to lib",
        "mkdir -p copied",
        "cp packages/*.mojopkg copied/",
        "packyard uninstall nn tensor --to lib",
        "rm -r copied",
    ]
    data = (room.outputs / "odyssey-v0.1.0.tar.gz").read_bytes()
    make_archive(room)
    assert (room.outputs / "odyssey-v0.1.0.tar.gz").read_bytes() == data
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert {member.name: member.mode for member in archive}["odyssey-v0.1.0/scripts/run.sh"] == 0o755


def test_distribution_takes_an_install_guide_of_the_workspace(tmp_path: Path) -> None:
    room = stage(tmp_path, plan(tmp_path, FILES | {"INSTALL.md": "# By hand\n"}))
    make_archive(room)
    assert contents(room)["odyssey-v0.1.0/INSTALL.md"] == b"# By hand\n"
