"""Bundles without a Python: what they ask of the one that they find, and the script that looks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from packyard.formats.python.machine import Machine
from packyard.tasks.kinds.bundle.hostpython import Asked, asked_of
from packyard.tasks.kinds.bundle.inside import runtime_python
from packyard.tasks.kinds.bundle.programfiles import MODULE, Program, program_files
from packyard.tasks.kinds.interpreter.choice import RUNNING

MACHINE = Machine(python="3.11", platform="linux_amd64")
LOCK = 'lock-version = "1.0"\ncreated-by = "x"\n'
PURE = [("py3-none-any",)]
APP = """
import os, subprocess, sys

def main():
    print(*sys.argv, *(os.path.relpath(path, sys.prefix) for path in (sys.executable, __file__)))
    print([path for path in sys.path if "packages" in path and not path.startswith(sys.prefix)])
    print(os.getcwd() in sys.path, sys.flags.no_user_site, flush=True)
    subprocess.run([sys.executable, "-c", "import app; print(app.__name__)"], check=True)
    subprocess.run(["python3", "-c", "import sys; print(sys.prefix == sys.argv[1])", sys.prefix], check=True)
    return 3
"""


@pytest.mark.parametrize(
    ("more", "asked", "words"),
    [
        ({}, Asked(python="3.11"), "CPython 3.11 or newer"),
        ({"requires": ">=3.9,<3.13"}, Asked(python="3.11", newest="3.12"), "CPython 3.11 to 3.12"),
        (
            {"paths": ["lib/a.cpython-311-x86_64-linux-gnu.so", "lib/a.cpython-310-x86_64-linux-gnu.so"]},
            Asked(python="3.11", newest="3.11", abi="cpython-311-x86_64-linux-gnu", machine="x86_64"),
            "CPython 3.11 (x86_64)",
        ),
        (
            {"glibc": "2.28", "paths": ["lib/a.abi3.so"]},
            Asked(python="3.11", machine="x86_64", glibc="2.28"),
            "CPython 3.11 or newer (x86_64, glibc 2.28 or newer)",
        ),
        ({"glibc": "0.0"}, Asked(python="3.11", machine="x86_64"), "CPython 3.11 or newer (x86_64)"),
        (
            {"tags": [*PURE, ("cp311-cp311-linux_x86_64",)]},
            Asked(python="3.11", newest="3.11", machine="x86_64"),
            "CPython 3.11 (x86_64)",
        ),
        ({"tags": [("py2-none-any", "py3-none-any")]}, Asked(python="3.11"), "CPython 3.11 or newer"),
    ],
    ids=["pure", "capped", "extension", "stable", "static", "wheel", "universal"],
)
def test_what_is_asked_follows_from_what_the_bundle_holds(more: dict[str, object], asked: Asked, words: str) -> None:
    given: dict[str, object] = {"requires": "", "tags": PURE, "paths": ["lib/a.py"], "glibc": "", **more}
    found = asked_of(LOCK, MACHINE, **given)  # type: ignore[arg-type]
    assert (found, str(found)) == (asked, words)


def test_misfit_says_what_is_there_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(**asked: str) -> str:
        return runtime_python.misfit(asdict(Asked(**{"python": RUNNING, **asked})))

    release = ".".join(map(str, sys.version_info[:3]))
    _, _, glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    assert said() == said(newest=RUNNING, machine=os.uname().machine, glibc=glibc) == said(glibc="2.5") == ""
    assert said(python="3.99") == said(python="3.2", newest="3.8") == f"CPython {release}"
    assert said(glibc="9.9") == f"CPython {release} with glibc {glibc}"
    assert said(machine="sparc64") == f"CPython {release} for {os.uname().machine}"
    assert said(abi="cpython-399t-x86_64-linux-musl") == (
        f"CPython {release}, which does not load extension modules for cpython-399t-x86_64-linux-musl"
    )
    monkeypatch.setattr(os, "confstr", lambda name: None)
    assert said(glibc="2.5") == f"CPython {release} with another libc than glibc"
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    assert said() == f"PyPy {release}"


class Content:
    """What a launcher unpacks of a bundle without a Python, and folders with programs that PATH may lead to."""

    def __init__(self, root: Path, asked: Asked) -> None:
        self.root = root
        self.prefix = root / "work env/app/.packyard-0"
        site = f"lib/python{RUNNING}/site-packages"
        program = Program(name="app", version="1", commands={"app": "app:main"}, default="app", slots={}, asked=asked)
        files = {**program_files(program, site=site), "app.py": APP.encode()}
        for path, data in files.items():
            place = self.prefix / site / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        self.script = self.prefix / site / MODULE / "start.sh"

    def folder(self, name: str, **programs: str) -> str:
        """A folder with programs: links to files, or scripts."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        for program, content in programs.items():
            place = folder / program
            if content.startswith("/"):
                place.symlink_to(content)
            else:
                place.write_text(content)
                place.chmod(0o755)
        return str(folder)

    def start(self, *path: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Start it as a launcher does, with the work environment's bin/ first in PATH and the tools of a system."""
        tools = {tool: f"/usr/bin/{tool}" for tool in ("rm", "uname") if not (self.root / "tools").exists()}
        path = (str(self.prefix.parent / "bin"), *path, self.folder("tools", **tools))
        return subprocess.run(
            ["/bin/sh", self.script, "one", "two words"], env={"PATH": ":".join(path), **env}, cwd=self.root,
            capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return Content(tmp_path, Asked(python=RUNNING, newest=RUNNING))


WELL = f"""\
app one two words bin/python3 lib/python{RUNNING}/site-packages/app.py
[]
False 1
app
True
"""


def test_program_runs_as_in_a_virtual_environment_of_the_first_python_that_fits(content: Content) -> None:
    old = content.folder("old", python3="#!/bin/sh\necho Python 3.4.1\n", python="#!/bin/sh\nexit 9\n")
    broken = content.folder("broken", **{f"python{RUNNING}": "#!/bin/sh\necho no such version >&2\nexit 127\n"})
    real = content.folder("real", python3=sys.executable)
    done = content.start(old, broken, "relative", real, PYTHONPATH="")
    assert (done.stdout, done.stderr, done.returncode) == (WELL, "", 3)
    link = content.prefix / "bin/python3"
    assert link.resolve() == Path(sys.executable).resolve()
    again = content.start()  # it is known now
    assert (again.stdout, again.stderr, again.returncode) == (WELL, "", 3)


def test_python_that_went_or_became_another_is_replaced(content: Content) -> None:
    real = content.folder("real", python3=sys.executable)
    content.start(real)
    link = content.prefix / "bin/python3"
    link.unlink()
    link.symlink_to("/no/such/python3")
    assert (content.start(real).stdout, link.resolve()) == (WELL, Path(sys.executable).resolve())
    program = content.script.parent / "program.json"
    program.write_text(program.read_text().replace(f'"newest": "{RUNNING}"', '"newest": "3.2"'))
    release = ".".join(map(str, sys.version_info[:3]))
    assert content.start(real).stderr.splitlines()[1] == f"  {real}/python3 is CPython {release}"
    assert not link.is_symlink()


def test_pythons_that_do_not_fit_are_named(tmp_path: Path) -> None:
    content = Content(tmp_path, Asked(python=RUNNING, newest=RUNNING, machine="x86_64", glibc="9.9"))
    assert content.start().stderr == (
        f"app: no Python on PATH can run it; expected CPython {RUNNING} (x86_64, glibc 9.9 or newer)\n  hint: "
        "install it, or add its folder to PATH\n"
    )
    old = content.folder("old", python3="#!/bin/sh\ncase $5 in *runtime*) exit 1;; esac\nprintf 'Python 3.4.1'\n")
    broken = content.folder("broken", python3="#!/bin/sh\nexit 127\n")
    inside = content.prefix.parent / "bin"
    inside.mkdir()
    (inside / "python3").symlink_to(sys.executable)  # a bundle's own files are no Python of the machine
    done = content.start(old, broken, content.folder("real", python3=sys.executable))
    _, _, glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    release = ".".join(map(str, sys.version_info[:3]))
    assert done.stderr.splitlines()[1:-1] == [
        f"  {old}/python3 is Python 3.4.1",
        f"  {broken}/python3 is not a Python that starts",
        f"  {tmp_path}/real/python3 is CPython {release} with glibc {glibc}",
    ]
    assert (done.returncode, done.stdout) == (1, "")


def test_first_starts_at_one_time_agree(content: Content) -> None:
    real = content.folder("real", python3=sys.executable)
    starts = [
        subprocess.Popen(["/bin/sh", content.script, "x"], env={"PATH": f"{real}:/usr/bin"}, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [process.communicate()[0] for process in starts]
    assert [process.returncode for process in starts] == [3] * 4
    assert len(set(said)) == 1
    assert sorted(path.name for path in content.prefix.iterdir()) == [".python", "bin", "lib", "pyvenv.cfg"]


def test_content_that_cannot_be_written_is_said(content: Content) -> None:
    (content.prefix / "bin").write_text("in the way")
    real = content.folder("real", python3=sys.executable)
    said = f"is one that fits, but '{content.prefix}/bin' cannot be written: File exists"
    assert content.start(real).stderr.splitlines()[1] == f"  {real}/python3 {said}"
