"""This repository as a workspace, on the real tools: compilers, wheels, launchers, interpreters."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats.pspf import Verdict, judge, open_bundle, verify

from tests.conftest import NETWORK
from tests.e2e.test_guide import commands, try_out

pytestmark = [pytest.mark.real, pytest.mark.long]

ROOT = Path(__file__).parents[2]
SOURCES = ("docs", "examples", "formats", "tasks", "LICENSE", "README.md", "dodo.py", "packyard.toml", "pyproject.toml")
ARTIFACTS = {
    "dist/docs-offline-0.1.0.zip",
    "dist/hello-0.1.0.psp",
    "dist/nn-0.1.0.mojopkg",
    "dist/nn-0.1.0.mojopkg.json",
    "dist/packyard-0.1.0.psp",
    "dist/shapes-0.1.0.morloc.tar.gz",
    "dist/shapes-py-0.1.0.morloc.tar.gz",
    "dist/tensor-0.1.0.mojopkg",
    "dist/tensor-0.1.0.mojopkg.json",
    "dist/toolbox-0.1.0.tar.gz",
    "dist/web-0.1.0.psp",
}
SEED = {"PACKYARD_KEY_SEED": "tests"}
PROGRESS = re.compile(r"\[\d/\d\] Extracting \w+\.\.\.\n")  # the Rust launcher's, at a first start, not to be silenced


@pytest.fixture(scope="module")
def built(space_in):  # type: ignore[no-untyped-def]
    """The repository, built once by `doit` as the README does; every test leaves it as it found it."""
    space = replace(space_in("repository"), env={**NETWORK, **SEED})
    fill(space.root)
    done = space.doit()
    assert done.failed == []
    assert {path for path in space.files() if path.startswith("dist/")} == ARTIFACTS
    yield space
    assert space.children() == []


def fill(root: Path) -> None:
    """Copy what the workspace is made of."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignore)
        else:
            shutil.copy(source, root / name)


def digests(space) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {path: hashlib.sha256(data).hexdigest() for path, data in space.files("dist").items()}


@pytest.fixture(scope="module", params=["rust", "go"])
def hello(built, request, space_in) -> Path:  # type: ignore[no-untyped-def]
    """The bundle `hello` with each launcher, alone in a folder."""
    space = built
    if request.param == "go":
        space = built.beside("go")
        space.replace("packyard.toml", 'mojo = "1.0.0"', 'mojo = "1.0.0"\nlauncher = "go"')
        space.packyard("bundle:hello")
    folder = space.root.parent / f"alone-{request.param}"
    folder.mkdir()
    return Path(shutil.copy(space.root / "dist" / "hello-0.1.0.psp", folder))


def start(
    bundle: Path, *words: str, given: str = "", hide: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Start a bundle elsewhere, with an empty environment, and the Python it was harvested from out of sight."""
    home = bundle.parent / "home"
    home.mkdir(exist_ok=True)
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(home), "FLAVOR_LOG_LEVEL": "error", **env}
    argv = [str(bundle), *words]
    if hide and sys.base_prefix != "/usr":
        hiding = f'mount -t tmpfs none "{sys.base_prefix}"; exec env -i "$@"'
        argv = ["unshare", "-m", "sh", "-ec", hiding, "sh", *(f"{k}={v}" for k, v in clean.items()), *argv]
    return subprocess.run(
        argv, cwd=home, env=clean, input=given, capture_output=True, text=True, check=False, timeout=120
    )


# what receivers read ------------------------------------------------------------------------------------------


def test_commands_of_the_install_guide_work_as_printed(built, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    space = built.beside("guide")
    space.packyard("guide:INSTALL.md", "guide:README.md")
    text = space.text("dist/INSTALL.md")
    told = {match[1]: commands(text, match[1]) for match in re.finditer(r"^## (.*)$", text, re.M)}
    assert {title.partition(" ")[0] for title in told} == {
        "hello", "packyard", "web", "nn", "tensor", "shapes", "shapes-py", "toolbox", "manual",
    }  # fmt: skip
    for title in ("hello 0.1.0", "nn 0.1.0", "toolbox 0.1.0", "manual 0.1.0"):  # morloc packages need a repository
        assert len(told[title]) >= 6
        try_out(space.root / "dist", tmp_path / title, told[title])
    subprocess.run(["sh", space.root / "dist/install_hello.sh", "--prefix", tmp_path / "p"], check=True)
    assert start(tmp_path / "p/bin/hello", "Ada").stdout == "Hello, Ada!\n"
    digest = hashlib.sha256(space.read("dist/nn-0.1.0.mojopkg")).hexdigest()
    row = next(line for line in space.text("dist/README.md").splitlines() if "nn-0.1.0.mojopkg" in line)
    assert row.endswith(f"| 0.1.0 | Apache-2.0 | {len(space.read('dist/nn-0.1.0.mojopkg'))} | `{digest}` |")


# again ---------------------------------------------------------------------------------------------------------


def test_again_does_nothing_whoever_asks(built) -> None:  # type: ignore[no-untyped-def]
    built.expect_nothing()
    assert built.doit().out.startswith("nothing to do: ")


def test_touch_of_everything_does_nothing(built) -> None:  # type: ignore[no-untyped-def]
    for path in built.root.rglob("*"):
        if ".packyard" not in path.parts:
            os.utime(path)
    built.expect_nothing()


def test_line_in_hello_rebuilds_its_wheel_slot_and_bundle(built) -> None:  # type: ignore[no-untyped-def]
    before = built.text("examples/apps/hello/src/hello/cli.py")
    built.append("examples/apps/hello/src/hello/cli.py", "# one more line\n")
    assert built.packyard().ran == ["bundle:hello", "slot:hello/app", "wheel:hello"]
    built.expect_nothing()
    built.write("examples/apps/hello/src/hello/cli.py", before)
    undone = built.packyard()
    assert (undone.ran, undone.restored) == ([], ["bundle:hello", "slot:hello/app", "wheel:hello"])
    built.expect_nothing()


def test_comment_in_tensor_stops_before_nn(built) -> None:  # type: ignore[no-untyped-def]
    path = "examples/mojo/tensor/src/tensor/random.mojo"
    before = built.text(path)
    built.write(path, before.replace("\n", "  # a comment at the end of a line\n", 1))
    assert built.packyard().ran == ["mojo:tensor"]
    built.write(path, before)
    assert built.packyard().restored == ["mojo:tensor"]
    built.expect_nothing()


@pytest.mark.parametrize("damage", ["deleted", "altered"])
def test_artifact_damaged_is_restored(built, damage: str) -> None:  # type: ignore[no-untyped-def]
    before = digests(built)
    for path in ARTIFACTS:
        if damage == "deleted":
            built.remove(path)
        else:
            built.append(path, "x")
    done = built.packyard()
    assert done.ran == []
    assert len(done.restored) == len({path.removesuffix(".json") for path in ARTIFACTS})  # a package has two files
    assert digests(built) == before


def test_clones_in_other_surroundings_give_the_same_bytes(built) -> None:  # type: ignore[no-untyped-def]
    there = built.root.parent / "a much longer way" / "to the same sources, with spaces"
    there.mkdir(parents=True)
    fill(there / "clone")
    locks = built.root / ".packyard" / "locks"  # what was resolved, as if it had been committed
    shutil.copytree(locks, there / "clone" / ".packyard" / "locks")
    home = there / "home"
    home.mkdir()
    elsewhere = {"TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    clone = replace(built, root=there / "clone", home=home, env={**NETWORK, **SEED, **elsewhere})
    script = f'umask 077; cd "{clone.root}"; exec {" ".join(clone.command)} -n 1'
    done = subprocess.run(
        ["sh", "-c", script], env=clone.environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(clone) == digests(built)


# bundles -------------------------------------------------------------------------------------------------------


def test_hello_passes_everything_through(hello: Path) -> None:
    first = start(hello, "Ada", "--shout", "--status", "7")
    assert (first.returncode, first.stdout) == (7, "HELLO, ADA!\n")
    assert PROGRESS.sub("", first.stderr) == ""
    then = start(hello, "-", "two words", given="Grace\nBarbara\n")
    assert (then.returncode, then.stdout, then.stderr) == (0, "Hello, Grace!\nHello, Barbara!\nHello, two words!\n", "")
    wrong = start(hello, "--nonsense")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("Usage: hello [OPTIONS] [NAMES]...\nTry 'hello --help' for help.\n\nError: No such ")


def test_hello_runs_under_another_name_and_from_a_link(hello: Path, tmp_path: Path) -> None:
    (tmp_path / "greeter").symlink_to(hello)
    assert start(tmp_path / "greeter", "Ada").stdout == "Hello, Ada!\n"


def test_every_bundle_is_verified_by_the_command(built) -> None:  # type: ignore[no-untyped-def]
    for path in sorted(ARTIFACTS):
        if path.endswith(".psp"):
            bundle = open_bundle(built.root / path)
            assert judge(bundle, verify(bundle)) is Verdict.INTACT
            assert built.packyard("verify", path).status == 0


def test_clean_room_starts_every_command_by_both_launchers(built) -> None:  # type: ignore[no-untyped-def]
    space = built.beside("cleanroom")
    space.packyard("cleanroom:web")
    assert space.text("dist/web-0.1.0.psp.cleanroom.txt").splitlines()[4:] == [
        "  passed  web-0.1.0.psp is as signed",
        "  passed  web --help starts with the rust launcher",
        "  passed  web-routes --help starts with the rust launcher",
        "  passed  web --help starts with the go launcher",
        "  passed  web-routes --help starts with the go launcher",
        "",
        "5 of 5 checks passed",
    ]
    assert space.packyard("cleanroom:web").out.startswith("nothing to do: ")
    tried = space.packyard("verify", "--run", "bundle:web").out
    assert tried.startswith("dist/web-0.1.0.psp: intact (key ")
    assert [line for line in tried.splitlines() if " starts with the " in line] == space.text(
        "dist/web-0.1.0.psp.cleanroom.txt"
    ).splitlines()[5:9]


def test_packyard_bundle_is_packyard(built, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    bundle = Path(shutil.copy(built.root / "dist" / "packyard-0.1.0.psp", tmp_path))
    assert start(bundle, "--version").stdout == "packyard 0.1.0\n"
    home = tmp_path / "home"
    (home / "packyard.toml").write_text(
        '[workspace]\nname = "small"\n[[archive]]\nname = "a"\nversion = "0.1.0"\ninclude = ["*.txt"]\n'
    )
    (home / "a.txt").write_text("a\n")
    assert start(bundle).returncode == 0
    assert (home / "dist" / "a-0.1.0.tar.gz").exists()


@pytest.fixture
def served(built, tmp_path: Path) -> Iterator[Callable[[str], str]]:  # type: ignore[no-untyped-def]
    """The bundle `web`, running; gives what it answers for a path."""
    bundle = Path(shutil.copy(built.root / "dist" / "web-0.1.0.psp", tmp_path))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PORT": "0", "FLAVOR_LOG_LEVEL": "error"}
    with subprocess.Popen([bundle], env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(found[0] for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
        yield lambda path: fetch(address + path)
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def test_web_answers(served: Callable[[str], str]) -> None:
    assert "Who took the blue stapler?" in served("/")
    assert served("/health") == '{"notices":2,"status":"ok"}\n'
    style = re.search(r'href="(/static/[^"]+)"', served("/"))
    assert style is not None
    assert "{" in served(style[1])


def test_web_has_a_second_command(built, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    bundle = Path(shutil.copy(built.root / "dist" / "web-0.1.0.psp", tmp_path))
    (tmp_path / "web-routes").hardlink_to(bundle)
    assert "/health" in start(tmp_path / "web-routes").stdout
    assert "/health" in start(bundle, "--packyard-run", "web-routes").stdout


# interruptions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_build_goes_on_where_it_was(built, number: signal.Signals) -> None:  # type: ignore[no-untyped-def]
    space = replace(built.beside(f"killed-{number.name}"), home=built.home.parent / f"home-{number.name}")
    space.home.mkdir()
    build = space.start()
    deadline = time.monotonic() + 120
    alive: dict[int, str] = {}
    while not any("precompile" in line for line in alive.values()):
        alive = below(build.pid)
        assert build.poll() is None, build.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sent = time.monotonic()
    build.send_signal(number)
    status = build.wait(30)
    assert status == (-9 if number == signal.SIGKILL else 130)
    assert time.monotonic() - sent < 2
    out, _ = build.communicate()
    finished = set(re.findall(r"^ran +(\S+)", out, re.MULTILINE))
    while (left := [line for pid, line in alive.items() if running(pid)]) and time.monotonic() < sent + 5:
        time.sleep(0.01)
    assert left == []
    assert {path for path in space.files() if path.startswith("dist/")} <= ARTIFACTS
    done = space.packyard()
    assert not finished & set(done.ran)
    assert digests(space) == digests(built)
    space.expect_nothing()


def below(parent: int) -> dict[int, str]:
    """The command lines of everything that a process started, and that these started."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            for pid in map(int, child.read_text().split()):
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.update(below(pid))
        except OSError:
            continue
    return found


def running(pid: int) -> bool:
    """Whether a process is there and is not merely waiting to be asked how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
