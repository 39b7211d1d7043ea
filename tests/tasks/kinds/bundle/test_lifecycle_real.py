"""What the lifecycles of slots promise, under both launchers: the disk is looked at before, during and after."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyard.formats.pspf import Verdict, judge, open_bundle, verify, verify_contents
from packyard.formats.pspf.assembly import balanced
from packyard.formats.pspf.layout import TRAILER_SIZE
from packyard.tasks.kinds.bundle.deepcheck import verify_program

pytestmark = [pytest.mark.real, pytest.mark.long]

PROJECT = """
[project]
name = "app"
version = "{version}"

[tool.flavor]
entry_point = "app:main"

[tool.flavor.build]
pip = false

[[tool.flavor.slots]]
id = "boot"
source = "boot"
lifecycle = "init"

[[tool.flavor.slots]]
id = "settings"
source = "settings.ini"
purpose = "configuration"
lifecycle = "persistent"

[[tool.flavor.slots]]
id = "notes"
source = "notes/"
target = "share/notes"
lifecycle = "persistent"

[[tool.flavor.slots]]
id = "models"
source = "models/"
target = "share/models"
purpose = "data-files"
lifecycle = "lazy"

[[tool.flavor.slots]]
id = "table"
source = "table.json"
lifecycle = "lazy"

[[tool.flavor.slots]]
id = "scratch"
source = "scratch/"
lifecycle = "temporary"

[[tool.flavor.slots]]
id = "here"
source = "here.txt"
lifecycle = "platform"
platform = "linux_amd64"

[[tool.flavor.slots]]
id = "there"
source = "no such file"
platform = "darwin_arm64"
"""
PROGRAM = """
import os, signal, subprocess, sys, time
from pathlib import Path
import packyard_runtime

def main():
    os.chdir("/")  # the bundle was perhaps started by a relative path
    for word in sys.argv[1:]:
        verb, _, name = word.partition("=")
        if verb == "slot":
            print(packyard_runtime.slot(name))
        elif verb == "read":
            print(Path(packyard_runtime.slot(name)).read_text())
        elif verb == "env":
            print(os.environ.get(name, "unset"))
        elif verb == "tree":
            print(*sorted(p.relative_to(sys.prefix).as_posix() for p in Path(sys.prefix).rglob("*") if p.is_file()))
        elif verb == "write":
            (packyard_runtime.slot(name) / "mine").write_text("mine")
        elif verb == "child":
            code = "import packyard_runtime; print(packyard_runtime.slot('scratch'))"
            subprocess.run([sys.executable, "-c", code], check=True)
        elif verb == "wait":
            print("waiting", flush=True)
            time.sleep(60)
        elif verb == "exit":
            os._exit(3)
    sys.stdout.flush()
"""
FILES = {
    "app.py": PROGRAM,
    "boot/seed.txt": "seed",
    "settings.ini": "colour = red\n",
    "notes/a.txt": "a",
    "models/m1.bin": "model one",
    "models/deep/m2.bin": "model two",
    "table.json": '{"a": 1}',
    "scratch/pad.txt": "pad",
    "here.txt": "here",
}


@dataclass(frozen=True)
class App:
    """A bundle in a folder with a home of its own."""

    bundle: Path
    home: Path

    def argv(self, *words: str) -> list[str]:
        return [f"./{self.bundle.name}", *words]

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin", "HOME": str(self.home), "TMPDIR": str(self.home / "tmp"),
            "FLAVOR_LOG_LEVEL": "error",
        }  # fmt: skip

    def run(self, *words: str, status: int = 0, **env: str) -> list[str]:
        done = subprocess.run(
            self.argv(*words), cwd=self.bundle.parent, env={**self.env, **env}, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        self.errors.write_text(done.stderr)
        return done.stdout.splitlines()

    @property
    def errors(self) -> Path:
        return self.home / "stderr"

    @property
    def temporary(self) -> list[str]:
        return sorted(path.name for path in (self.home / "tmp").iterdir())

    @property
    def unpacked(self) -> set[str]:
        """The files in the work environment, but for Python, the app and what was compiled."""
        root = self.home / ".cache/flavor/workenv"
        found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        names = {re.sub(r"^[^/]+/(\.packyard-[0-9a-f]+/)?", "", path) for path in found if ".pspf/" not in path}
        return {name for name in names if not name.startswith(("bin/", "lib/"))}


@pytest.fixture(scope="module")
def pack(app_in) -> Callable[..., Path]:  # type: ignore[no-untyped-def]
    """Packs the application with a launcher; each launcher and version once."""
    made: dict[tuple[str, str], Path] = {}

    def make(launcher: str, version: str = "1.0", **more: str) -> Path:
        if (launcher, version) not in made:
            files = {**FILES, **more, "pyproject.toml": PROJECT.format(version=version)}
            space = app_in("lifecycles", files)  # of its own: versions differ in the files they have
            space.packyard("pack", "--launcher", launcher, "--quiet")
            made[launcher, version] = space.root / f"app-{version}.psp"
        return made[launcher, version]

    return make


@pytest.fixture(params=["rust", "go"])
def launcher(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def place(bundle: Path, folder: Path) -> App:
    home = folder / "a home"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    aside = Path(shutil.copy(bundle, folder / "new"))
    return App(Path(aside.rename(folder / "app.psp")), home)


@pytest.fixture
def app(pack: Callable[..., Path], launcher: str, tmp_path: Path) -> App:
    return place(pack(launcher), tmp_path)


def test_bundle_is_intact_and_has_the_slots_of_its_platform(app: App) -> None:
    bundle = open_bundle(app.bundle)
    assert judge(bundle, verify(bundle)) is Verdict.INTACT
    assert [*verify_contents(bundle), *verify_program(bundle)] == []
    lifecycles = {slot.id: slot.lifecycle for slot in bundle.metadata.slots}
    assert lifecycles == {
        "python": "runtime", "app": "runtime", "boot": "init", "settings": "config", "notes": "config",
        "scratch": "temporary", "here": "platform",
    }  # fmt: skip
    assert [slot.id for slot in bundle.metadata.lazy] == ["models", "table"]
    assert len(bundle.descriptors) == 9


def test_init_is_gone_after_set_up(app: App) -> None:
    assert "boot/seed.txt" not in app.run("tree")[0].split()
    assert not any("seed" in path for path in app.unpacked)
    app.run("slot=boot", status=1)
    assert "KeyError: \"the slot 'boot' is of lifecycle 'init'" in app.errors.read_text()


def test_runtime_and_platform_stand_in_the_work_environment(app: App) -> None:
    assert app.run("read=here", "env=PACKYARD_SLOT_THERE") == ["here", "unset"]
    assert "here" in app.unpacked
    assert app.run("slot=there", status=1) == []


def test_persistent_is_copied_once_and_never_overwritten(
    app: App, pack: Callable[..., Path], launcher: str, tmp_path: Path
) -> None:
    settings, notes = app.home / ".config/app/settings", app.home / ".local/share/app/share/notes"
    assert not settings.exists()
    shown = app.run("slot=settings", "slot=notes", "env=PACKYARD_SLOT_SETTINGS")
    assert shown == [str(settings), str(notes), str(settings)]
    assert (settings.read_text(), (notes / "a.txt").read_text()) == ("colour = red\n", "a")
    settings.write_text("colour = blue\n")
    (notes / "a.txt").unlink()
    newer = place(pack(launcher, "2.0", **{"settings.ini": "colour = green\n", "notes/b.txt": "b"}), tmp_path)
    assert newer.run("read=settings", "slot=notes") == ["colour = blue", "", str(notes)]
    assert list(notes.iterdir()) == []
    settings.unlink()
    assert newer.run("read=settings")[0] == "colour = green"


def test_persistent_follows_the_xdg_folders(app: App, tmp_path: Path) -> None:
    assert app.run("slot=settings", XDG_CONFIG_HOME=f"{tmp_path}/x") == [f"{tmp_path}/x/app/settings"]


def test_persistent_that_cannot_be_copied_stops_only_who_asks(app: App) -> None:
    (app.home / ".local").write_text("a file")
    assert app.run("env=PACKYARD_SLOT_NOTES") == ["unset"]
    app.run("slot=notes", status=1)


def test_lazy_stays_in_the_bundle_until_it_is_asked_for(app: App) -> None:
    assert app.run("env=PACKYARD_SLOT_MODELS") == ["unset"]
    before = app.unpacked
    assert not any("models" in path or "table" in path for path in before)
    (shown,) = app.run("slot=models")
    assert sorted(p.relative_to(shown).as_posix() for p in Path(shown).rglob("*") if p.is_file()) == [
        "deep/m2.bin", "m1.bin",
    ]  # fmt: skip
    assert app.unpacked - before == {"share/models/m1.bin", "share/models/deep/m2.bin"}
    assert app.run("slot=table", "read=table", "env=PACKYARD_SLOT_TABLE")[1] == '{"a": 1}'
    assert app.run("slot=models", "env=PACKYARD_SLOT_MODELS") == [shown, shown]
    assert app.run("--packyard-slot", "models") == [shown]


def test_lazy_is_found_from_a_link_on_path(app: App, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").symlink_to(app.bundle)
    env = {**app.env, "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    done = subprocess.run(["tool", "read=table"], cwd="/", env=env, capture_output=True, text=True, check=True)
    assert done.stdout == '{"a": 1}\n'


def test_lazy_that_was_altered_is_refused(app: App, launcher: str) -> None:
    app.run()
    data = bytearray(app.bundle.read_bytes())
    bundle = open_bundle(app.bundle)
    position = len(bundle.metadata.slots)
    data[bundle.descriptors[position].offset + 30] ^= 1
    app.bundle.write_bytes(data)
    assert [finding.cause for finding in verify(open_bundle(app.bundle))] == ["slot", "slot"]
    done = subprocess.run(
        app.argv("slot=models"), cwd=app.bundle.parent, env=app.env, capture_output=True, text=True, check=False
    )
    # One launcher looks at all slots on every start; under the other the program itself finds out.
    assert done.returncode == (107 if launcher == "rust" else 1)
    assert launcher == "rust" or "RuntimeError: slot 'models'" in done.stderr
    assert not any("models" in path for path in app.unpacked)


def test_lazy_of_another_bundle_file_is_refused(app: App, pack: Callable[..., Path], launcher: str) -> None:
    """The file is replaced between the start and the question."""
    app.run()
    other = pack(launcher, "2.0")
    started = subprocess.Popen(
        ["/bin/sh", "-c", f'"$0" wait=1 & sleep 1; cp "{other}" new; mv new "$0"; kill $!', app.argv()[0]],
        cwd=app.bundle.parent, env=app.env,
    )  # fmt: skip
    started.wait(30)
    site = next((app.home / ".cache/flavor/workenv").glob("app/.packyard-*/lib/*/site-packages"))
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import packyard_runtime; packyard_runtime.slot('models')"
    done = subprocess.run(
        [shutil.which("python3") or "python3", "-c", code], env={**app.env, "PACKYARD_BUNDLE": str(app.bundle)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "is not the one that was started: its metadata differs" in done.stderr


def test_temporary_is_fresh_for_each_process_and_gone_at_its_end(app: App) -> None:
    assert app.temporary == []
    first, second = app.run("slot=scratch", "write=scratch"), app.run("slot=scratch")
    assert first != second
    assert app.temporary == []
    shown = app.run("slot=scratch", "env=PACKYARD_SLOT_SCRATCH", "child=1")
    assert len(set(shown)) == 1  # a child shares it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_temporary_is_gone_after_a_signal(app: App, number: signal.Signals) -> None:
    with subprocess.Popen(
        app.argv("slot=scratch", "wait=1"), cwd=app.bundle.parent, env=app.env, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        shown = Path(program.stdout.readline().strip())
        assert program.stdout.readline() == "waiting\n"
        assert (shown / "pad.txt").read_text() == "pad"
        assert len(app.temporary) == 1
        program.send_signal(number)
        program.wait(10)
    assert settled(lambda: app.temporary == [])


def test_temporary_is_gone_after_an_exit_that_runs_nothing(app: App) -> None:
    app.run("slot=scratch", "exit=1", status=3)
    assert settled(lambda: app.temporary == [])


def settled(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def test_old_new_and_old_again_under_one_name_see_only_their_own_files(
    app: App, pack: Callable[..., Path], launcher: str, tmp_path: Path
) -> None:
    newer = pack(launcher, "2.0", **{"settings.ini": "colour = green\n", "notes/b.txt": "b"})
    older = pack(launcher)
    for bundle in (older, newer, older, newer):
        shown = place(bundle, tmp_path).run("tree", "slot=models")[0].split()
        assert ("share/notes/b.txt" in shown) == (bundle == newer)
        assert app.errors.read_text() == "" or "Extracting" in app.errors.read_text()
    folders = [path for path in (app.home / ".cache/flavor/workenv/app").iterdir() if path.is_dir()]
    assert len(folders) == 1


def test_refused_bundle_leaves_nothing_that_an_older_one_would_take(
    app: App, pack: Callable[..., Path], launcher: str, tmp_path: Path
) -> None:
    newer = pack(launcher, "2.0", **{"settings.ini": "colour = green\n", "notes/b.txt": "b"})
    assert app.run("read=here") == ["here"]
    forged = place(newer, tmp_path)
    bundle = open_bundle(forged.bundle)
    position = [slot.id for slot in bundle.metadata.slots].index("here")
    descriptor = bundle.descriptors[position]
    data = bytearray(forged.bundle.read_bytes())
    data[descriptor.offset : descriptor.offset + 4] = b"HERE"
    table = bundle.index.slot_table_offset + 64 * position
    data[table + 48 : table + 56] = hashlib.sha256(b"HERE").digest()[:8]
    data[-TRAILER_SIZE + 4 : -4] = balanced(bundle.index).pack()
    forged.bundle.write_bytes(data)
    for _ in range(2):
        done = subprocess.run(forged.argv(), cwd=tmp_path, env=forged.env, capture_output=True, text=True, check=False)
        assert "its content is not the signed one" in done.stderr
    assert place(pack(launcher), tmp_path).run("read=here") == ["here"]


def test_environment_of_another_bundle_is_not_taken_for_ours(app: App) -> None:
    shown = app.run("env=PACKYARD_SLOT_HERE", "env=PACKYARD_BUNDLE", PACKYARD_SLOT_HERE="/x", PACKYARD_BUNDLE="/y")
    assert shown == [app.run("slot=here")[0], os.fspath(app.bundle)]
