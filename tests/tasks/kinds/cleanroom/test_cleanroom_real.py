"""Clean rooms with real compilers: what they prove, and the cause they name for each thing that can be wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyard.formats.mojo.packagemanifest import read_package_manifest
from packyard.formats.workspace.cleanroom import Check
from packyard.tasks.errors import ActionError
from packyard.tasks.host.unpack import unpack
from packyard.tasks.kinds.cleanroom import make_cleanroom
from packyard.tasks.kinds.cleanroom.make_cleanroom import MojoProofParams
from packyard.tasks.kinds.mojo.compiler import extension, records_paths, verb
from packyard.tasks.target.room import Room

from tests.tasks.yard import Yard

pytestmark = [pytest.mark.real, pytest.mark.long]

MakeYard = Callable[[Path, str], Yard]
VERSIONS = ["0.26.2.0", "1.0.0", "1.2.0"]

PAIR = {
    "tensor/mojo.toml": '[package]\nname = "tensor"\nversion = "0.1.0"\n',
    "tensor/__init__.mojo": "from .ops import one\n",
    "tensor/ops.mojo": "def one() -> Int:\n    return 1\n",
    "nn/mojo.toml": (
        'examples = ["examples/*.mojo"]\n[package]\nname = "nn"\nversion = "0.1.0"\n[dependencies]\ntensor = "0.1.0"\n'
    ),
    "nn/__init__.mojo": "from .layer import two\nfrom nn.deep import Leaf\n",
    "nn/layer.mojo": "from tensor import one\n\n\ndef two() -> Int:\n    return one() + 1\n",
    "nn/deep/__init__.mojo": "from .leaf import Leaf\n",
    "nn/deep/leaf.mojo": "@fieldwise_init\nstruct Leaf(Copyable, Movable):\n    var x: Int\n",
    "nn/examples/demo.mojo": "from nn import two\n\n\ndef main():\n    print(two())\n",
}


@pytest.fixture(params=VERSIONS)
def yard(request: pytest.FixtureRequest, tmp_path: Path, make_yard: MakeYard) -> Yard:
    yard = make_yard(tmp_path / "w", request.param)
    yard.write(PAIR)
    return yard


@pytest.fixture
def yard_1(tmp_path: Path, make_yard: MakeYard) -> Yard:
    yard = make_yard(tmp_path / "w", "1.0.0")
    yard.write(PAIR)
    return yard


def failure(yard: Yard, name: str) -> str:
    with pytest.raises(ActionError) as caught:
        yard.build(name)
    return str(caught.value)


def test_cleanroom_imports_every_export_and_runs_the_examples(yard: Yard) -> None:
    report = json.loads(yard.build("cleanroom:nn")["nn"])
    end = extension(yard.version)
    assert report["passed"]
    assert list(report["present"]) == [f"nn.{end}", f"tensor.{end}"]
    assert [check["what"] for check in report["checks"]] == [
        f"nn.{end} is intact, and made by this compiler",
        "tensor is what nn was compiled against",
        "from nn import Leaf",
        "from nn import two",
        "from nn.deep import Leaf",
        "from nn.deep.leaf import Leaf",
        "from nn.layer import two",
        "examples/demo.mojo runs",
    ]
    table = yard.made["cleanroom:nn"].with_name("cleanroom.txt").read_text()
    assert table.startswith(f"nn 0.1.0, in a clean room with Mojo {yard.version}\n\n  present  nn.{end}  ")
    assert table.endswith("  passed  examples/demo.mojo runs\n\n8 of 8 checks passed\n")


def test_cleanroom_names_a_failing_example_and_why(yard: Yard) -> None:
    yard.write(
        {
            "nn/examples/missing.mojo": "from nn import three\n\n\ndef main():\n    pass\n",
            "nn/examples/lost.mojo": "import stranger\n\n\ndef main():\n    pass\n",
            "nn/examples/syntax.mojo": "def main():\n    print(nothing)\n",
            "nn/examples/raises.mojo": 'def main() raises:\n    raise Error("no")\n',
        }
    )
    text = failure(yard, "cleanroom:nn")
    assert text.startswith("nn 0.1.0: 4 of 12 checks failed in the clean room\n")
    assert (
        "\nexamples/missing.mojo runs: export 'three' does not exist\n    examples/missing.mojo:1:16: error: " in text
    )
    assert "\nexamples/lost.mojo runs: missing dependency 'stranger': no package here provides it\n" in text
    assert "\nexamples/syntax.mojo runs: it does not compile\n    examples/syntax.mojo:2:11: error: " in text
    assert "\nexamples/raises.mojo runs: it ended with status 1\n" in text


def test_cleanroom_examples_of_a_meta_package_import_from_it(yard_1: Yard) -> None:
    path = yard_1.root / "packyard.toml"
    path.write_text(path.read_text() + '[[meta]]\nname = "all"\nversion = "0.1.0"\nmembers = ["tensor", "nn"]\n')
    report = json.loads(yard_1.build("cleanroom:all")["all"])
    assert report["checks"][-1] == {"passed": True, "what": "examples/demo.mojo runs", "cause": "", "detail": ""}


@pytest.fixture
def wrong(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], None]], str]:
    """Spoils what the clean room of `nn` is given, and gives its complaint."""

    def spoil(change: Callable[[Path], None]) -> str:
        stage = Yard.room

        def room(self: Yard, target):  # type: ignore[no-untyped-def]
            found = stage(self, target)
            if target.name == "cleanroom:nn":
                monkeypatch.setattr("packyard.tasks.kinds.cleanroom.make_cleanroom.prove_mojo", spoiled(change))
            return found

        monkeypatch.setattr(Yard, "room", room)
        return failure(yard, "cleanroom:nn")

    return spoil


def spoiled(change: Callable[[Path], None]) -> Callable[[Room[MojoProofParams]], None]:
    from packyard.tasks.kinds.cleanroom.make_cleanroom import prove_mojo

    def prove(room: Room[MojoProofParams]) -> None:
        change(room.inputs / "packages")
        prove_mojo(room)

    return prove


def edit(path: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_cleanroom_without_a_needed_package_names_it(yard: Yard, wrong) -> None:  # type: ignore[no-untyped-def]
    end = extension(yard.version)

    def hide(packages: Path) -> None:
        (packages / f"tensor.{end}").unlink()
        (packages / f"tensor.{end}.json").unlink()
        edit(packages / f"nn.{end}.json", lambda values: values["dependencies"].clear())

    text = wrong(hide)
    assert "\nfrom nn import two: missing dependency 'tensor': no package here provides it\n" in text
    assert "\nexamples/demo.mojo runs: missing dependency 'tensor': no package here provides it\n" in text


def test_cleanroom_names_each_export_that_does_not_exist(yard: Yard, wrong) -> None:  # type: ignore[no-untyped-def]
    def promise(packages: Path) -> None:
        more = {"nn": ["Leaf", "nix", "two", "zero"], "nn.nowhere": ["x"]}
        edit(packages / f"nn.{extension(yard.version)}.json", lambda values: values["exports"].update(more))

    text = wrong(promise)
    assert text.splitlines()[0] == "nn 0.1.0: 3 of 11 checks failed in the clean room"
    assert "\nfrom nn import nix: export 'nix' does not exist\n" in text
    assert "\nfrom nn import zero: export 'zero' does not exist\n" in text
    assert "\nfrom nn.nowhere import x: " in text


def test_cleanroom_notices_another_file_a_stale_one_and_a_damaged_one(yard: Yard, wrong) -> None:  # type: ignore[no-untyped-def]
    end = extension(yard.version)

    def swap(packages: Path) -> None:
        shutil.copy(packages / f"nn.{end}", packages / f"tensor.{end}")
        (packages / f"nn.{end}").write_bytes((packages / f"nn.{end}").read_bytes()[:-1])

    text = wrong(swap)
    assert f"\nnn.{end} is intact, and made by this compiler: corrupt file\n" in text
    assert "\ntensor is what nn was compiled against: stale package: its dependency was rebuilt\n" in text


def test_cleanroom_reports_a_crash_on_a_stale_package_as_one(yard: Yard, wrong) -> None:  # type: ignore[no-untyped-def]
    """The compiler itself dies of a package whose dependency lost what it calls, and names no cause."""
    end = extension(yard.version)

    def lose(packages: Path) -> None:
        source = packages.parent / "other/tensor"
        source.mkdir(parents=True)
        (source / "__init__.mojo").write_text("from .ops import one\n")
        (source / "ops.mojo").write_text("def one(x: Int, y: String) -> String:\n    return y\n")
        done = yard.compile(verb(yard.version), "tensor", "-o", packages / f"tensor.{end}", cwd=source.parent)
        assert done.returncode == 0, done.stderr
        needed = {"sha256": sha256(packages / f"tensor.{end}")}  # a manifest that says so: the bytes alone are stale
        edit(packages / f"nn.{end}.json", lambda values: values["dependencies"][0].update(needed))

    cause = "the compiler crashed, as it does on a package made against other dependencies: rebuild it"
    assert f"\nexamples/demo.mojo runs: {cause}\n" in wrong(lose)


def test_cleanroom_notices_the_wrong_compiler(yard: Yard, wrong, make_yard: MakeYard, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    end = extension(yard.version)
    other = make_yard(tmp_path / "other", next(version for version in VERSIONS if version != yard.version))
    other.write(PAIR)
    foreign = other.build("mojo:tensor")["tensor"]
    assert (
        f"\nnn.{end} is intact, and made by this compiler: wrong compiler: it fits Mojo {other.version[:4]}"
    ) in wrong(lambda packages: (packages / f"nn.{end}").write_bytes(foreign) and None)


def test_cleanroom_notices_recorded_sources(tmp_path: Path, make_yard: MakeYard, wrong, yard: Yard) -> None:  # type: ignore[no-untyped-def]
    if not records_paths(yard.version):
        pytest.skip("from 1.0 on, compilers record no absolute path of their own")
    end = extension(yard.version)

    def compile_as_people_do(packages: Path) -> None:
        done = yard.compile(verb(yard.version), "nn", "-I", ".", "-o", packages / f"nn.{end}", cwd=yard.root)
        assert done.returncode == 0, done.stderr
        path = packages / f"nn.{end}.json"
        edit(path, lambda values: values.update(sha256=sha256(packages / f"nn.{end}")))

    text = wrong(compile_as_people_do)
    cause = "source fallback: it records the path of its sources, where the compiler looks for missing modules"
    assert f"\nnn.{end} is intact, and made by this compiler: {cause}\n    {yard.root}/nn/" in text


def test_cleanroom_is_not_led_by_recorded_sources_to_what_is_missing(
    tmp_path: Path, make_yard: MakeYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: beside the sources whose paths it records, the compiler finds what a package lacks everywhere else."""
    yard = make_yard(tmp_path / "w", "0.26.2.0")
    yard.write({**PAIR, "nn/__init__.mojo": "from .layer import two\nfrom .deep import Leaf\n"})
    people = tmp_path / "people"
    shutil.copytree(yard.root / "tensor", people / "tensor")
    shutil.copytree(yard.root / "nn", people / "network")  # another name than that of the package

    def make_by_hand(packages: Path) -> None:
        (packages / "tensor.mojopkg").unlink()
        (packages / "tensor.mojopkg.json").unlink()
        done = yard.compile("package", "network", "-I", ".", "-o", packages / "nn.mojopkg", cwd=people)
        assert done.returncode == 0, done.stderr
        change = {"dependencies": [], "sha256": sha256(packages / "nn.mojopkg")}
        edit(packages / "nn.mojopkg.json", lambda values: values.update(change))

    monkeypatch.setattr("packyard.tasks.kinds.cleanroom.make_cleanroom.prove_mojo", spoiled(make_by_hand))
    text = failure(yard, "cleanroom:nn")
    cause = "source fallback: it records the path of its sources, where the compiler looks for missing modules"
    assert text.startswith(
        "nn 0.1.0: 1 of 1 checks failed in the clean room\n"
        f"nn.mojopkg is intact, and made by this compiler: {cause}\n    {people}/network/"
    )
    # Without the look at paths the room passes, with the sources of `tensor`, and elsewhere the package does not work.
    monkeypatch.setattr(make_cleanroom, "check_file", lambda path, *_: Check(what=path.name))
    report = json.loads(yard.build("cleanroom:nn")["nn"])
    assert report["passed"]
    assert list(report["present"]) == ["nn.mojopkg"]
    assert report["checks"][-1]["what"] == "examples/demo.mojo runs"
    people.rename(tmp_path / "elsewhere")
    made = next(tmp_path.glob("rooms/*/in/packages/nn.mojopkg"))
    done = yard.compile("run", "-I", made.parent, yard.root / "nn/examples/demo.mojo", cwd=tmp_path)
    assert done.returncode == 1
    assert "unable to locate module 'tensor'" in done.stderr


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# the script ------------------------------------------------------------------------------------------------------


@pytest.fixture
def received(yard: Yard) -> Path:
    """A folder with the packages as they are distributed, and the script; nothing else is left."""
    yard.build("cleanroom:nn")
    folder = yard.root.parent / "received"
    folder.mkdir()
    for name in ("nn", "tensor"):
        made = yard.made[f"mojo:{name}"]
        manifest = read_package_manifest(made.with_name(f"{made.name}.json").read_text(), "")
        shutil.copy(made, folder / manifest.file)
    shutil.copy(yard.made["cleanroom:nn"].with_name("verify.sh"), folder / "install_verify_nn.sh")
    compiler = folder / "mojo"
    words = " ".join(f"{name}='{value}'" for name, value in yard.compiler.environment().items())
    compiler.write_text(f'#!/bin/sh\nexec env {words} {yard.compiler.program} "$@"\n')
    compiler.chmod(0o755)
    shutil.rmtree(yard.root)
    shutil.rmtree(yard.root.parent / "rooms")
    return folder


def call(folder: Path, *words: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", folder / "install_verify_nn.sh", *words],
        cwd=folder, env={"PATH": path, "SECRET": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_script_of_the_clean_room_works_for_its_receivers(received: Path, yard: Yard) -> None:
    end = extension(yard.version)
    assert subprocess.run(["shellcheck", received / "install_verify_nn.sh"], check=False).returncode == 0
    assert os.access(received / "install_verify_nn.sh", os.X_OK)
    done = call(received, "--compiler", "./mojo")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"passed  tensor-0.1.0.{end} is whole\npassed  nn-0.1.0.{end} is whole\n"
        "passed  every export can be imported\npassed  examples/demo.mojo runs\nnn 0.1.0 works with this compiler\n",
        "",
    )
    assert call(received, path=f"{received}:/usr/bin:/bin").returncode == 0
    nothing = call(received, "--compiler", "nowhere")
    assert (nothing.returncode, nothing.stderr) == (
        1, "FAILED  there is no 'nowhere': name the Mojo compiler with --compiler\n",
    )  # fmt: skip
    with (received / f"nn-0.1.0.{end}").open("ab") as stream:
        stream.write(b"x")
    assert "is not the file that was verified (its SHA-256 is not " in call(received, "--compiler", "./mojo").stderr
    (received / f"tensor-0.1.0.{end}").unlink()
    assert f"FAILED  tensor-0.1.0.{end} is not in " in call(received, "--compiler", "./mojo").stderr


# archives --------------------------------------------------------------------------------------------------------

ARCHIVE = """
[[archive]]
name = "odyssey"
version = "0.2.0"
layout = "distribution"
include = ["mojo:nn", "scripts"]
smoke = ["./scripts/run_all.sh", "two words"]
"""
FILES = {
    "LICENSE": "free\n",
    "README.md": "# Odyssey\n",
    "scripts/run_all.sh": (
        '#!/bin/sh\nset -e\n[ "$1" = "two words" ]\n[ -z "$SECRET" ]\nmojo run -I packages examples/demo.mojo\n'
    ),
}


def test_cleanroom_of_a_distribution_uses_what_was_shipped(yard_1: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    yard_1.write(FILES)
    (yard_1.root / "scripts/run_all.sh").chmod(0o755)
    path = yard_1.root / "packyard.toml"
    path.write_text(path.read_text().replace('["*"]', '["tensor", "nn"]') + ARCHIVE)
    report = json.loads(yard_1.build("cleanroom:odyssey")["odyssey"])
    assert [check["what"] for check in report["checks"] if not check["what"].startswith("from ")] == [
        "odyssey-v0.2.0.tar.gz unpacks",
        "nn.mojopkg is intact, and made by this compiler",
        "tensor is what nn was compiled against",
        "tensor.mojopkg is intact, and made by this compiler",
        "examples/demo.mojo runs",
        "./scripts/run_all.sh 'two words' runs",
    ]


def test_distribution_is_installed_as_its_guide_says(yard_1: Yard, tmp_path: Path) -> None:
    yard_1.write(FILES)
    path = yard_1.root / "packyard.toml"
    path.write_text(path.read_text().replace('["*"]', '["tensor", "nn"]') + ARCHIVE)
    yard_1.build("archive:odyssey")
    unpack(yard_1.made["archive:odyssey"], tmp_path / "received")
    folder = tmp_path / "received/odyssey-v0.2.0"
    tools = tmp_path / "tools"
    tools.mkdir()
    words = " ".join(f"{name}='{value}'" for name, value in yard_1.compiler.environment().items())
    for name, command in (
        ("mojo", f"env {words} {yard_1.compiler.program}"),
        ("packyard", f"{sys.executable} -m packyard.tasks"),
    ):
        (tools / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (tools / name).chmod(0o755)
    shutil.rmtree(yard_1.root)
    commands = [line[4:] for line in (folder / "INSTALL.md").read_text().splitlines() if line.startswith("    ")]
    assert len(commands) == 7
    said = []
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=folder, env={"PATH": f"{tools}:/usr/bin:/bin", "HOME": os.fspath(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
        if command.startswith(("packyard install ", "cp ")):
            library = command.split()[-1]
            done = subprocess.run(
                [tools / "mojo", "run", "-I", library, "examples/demo.mojo"],
                cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.stdout == "2\n", done.stderr
    assert said[0] == "2\n"
    assert said[1].endswith("2 packages in lib, for programs run with: mojo run -I lib\n")
    assert not (folder / "copied").exists()
