"""Distributions of an index on loopback: fetched, verified, unpacked, built, and refused."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.python.module import cached_path
from packyard.formats.python.pylock import read_pylock
from packyard.tasks.errors import ActionError
from packyard.tasks.host import process
from packyard.tasks.host.machine import host_platform
from packyard.tasks.index import lock
from packyard.tasks.index.pin import Pin
from packyard.tasks.kinds.interpreter.choice import RUNNING, Interpreter
from packyard.tasks.kinds.interpreter.program import PythonParams
from packyard.tasks.kinds.python.abi import MachineParams
from packyard.tasks.kinds.python.envneeds import Needs, needs
from packyard.tasks.kinds.python.sitepackages import InstallParams, install
from packyard.tasks.target.room import Room
from packyard.tasks.workspace.workspace import read_workspace

from tests.index import Index

SITE = f"lib/python{RUNNING}/site-packages"
# A backend as small as they come. What it makes tells which of the user's settings it saw.
BACKEND = """\
import os, zipfile

def build_wheel(out, settings=None, metadata=None):
    if os.path.exists("broken"):
        raise SystemExit("no compiler: there is no 'cc' here")
    info = "sourced-1.0.dist-info"
    seen = sorted(name for name in os.environ if name.startswith(("UV_", "PIP_", "NETRC")))
    files = {
        "sourced.py": f"seen = {seen}\\nhome = {os.path.basename(os.environ['HOME'])!r}\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: sourced\\nVersion: 1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nTag: py3-none-any\\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(os.path.join(out, "sourced-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "sourced-1.0-py3-none-any.whl"
"""
SOURCE = {
    "pyproject.toml": '[build-system]\nrequires = ["tinybackend>=1"]\nbuild-backend = "tinybackend"\n'
    '[project]\nname = "sourced"\nversion = "1.0"\n',
    "sourced.c": "",
}


def downloads() -> Path:
    """Where all rooms of a test keep what they download."""
    return Path(os.environ["PACKYARD_CACHE_DIR"], "downloads")


def room(folder: Path, *, glibc: str = "2.36", platform: str = "") -> Room[InstallParams]:
    """The room of an environment's action, whose runtime is the Python that runs."""
    for name in ("in", "out", "tmp", "home"):
        (folder / name).mkdir(parents=True)
    facts = {"version": sys.version.split()[0], "abi": sysconfig.get_config_var("SOABI"), "glibc": glibc}
    (folder / "in/runtime").write_text(json.dumps(facts))
    (folder / "log").touch()
    params = InstallParams(
        python=PythonParams(version=RUNNING, program=sys.executable, runtime=""),
        machine=MachineParams(python=RUNNING, platform=platform or host_platform(), manylinux=()),
        strip=False, trim=(), keep=(),
    )  # fmt: skip
    return Room(
        inputs=folder / "in", outputs=folder / "out", scratch=folder / "tmp", home=folder / "home",
        params=params, log=folder / "log", network=True, downloads=downloads(),
    )  # fmt: skip


def files(found: list[Entry]) -> dict[str, str]:
    """The texts of entries by path, compiled Python left out."""
    texts = {}
    for entry in found:
        if not entry.path.endswith(".pyc"):
            content = entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()
            texts[entry.path] = content.decode()
    return texts


def installed(room: Room[InstallParams], text: str) -> dict[str, str]:
    return {
        path: text for entries, _ in install(room, room.params, text).parts for path, text in files(entries).items()
    }


def refusal(room: Room[InstallParams], text: str) -> str:
    with pytest.raises(ActionError) as error:
        install(room, room.params, text)
    left = {path.name for path in downloads().iterdir()} if downloads().is_dir() else set()
    assert not [name for name in left if len(name) != 64], "a half file was left"
    return str(error.value)


def test_install_places_what_a_bundle_needs_and_no_more(index: Index, tmp_path: Path) -> None:
    data = "good-1.0.data"
    file = index.add_wheel(
        "good",
        "1.0",
        {
            "good.py": "x = 1\n",
            "good.pyc": "old",
            "good/__pycache__/a.pyc": "old",
            f"{data}/data/share/good.txt": "shared",
            f"{data}/data/include/good.h": "header",
            f"{data}/headers/good.h": "header",
            f"{data}/purelib/pure.py": "y = 2\n",
            f"{data}/scripts/good": "#!python\n",
            f"{data}/scripts/tool": "#!/bin/sh\n",
            "good-1.0.dist-info/INSTALLER": "other",
            "good-1.0.dist-info/entry_points.txt": "[console_scripts]\ngood = good:main\n",
        },
    )
    found = installed(room(tmp_path / "room"), index.lock(file))
    assert set(found) == {
        "bin/tool",
        "share/good.txt",
        *(f"{SITE}/{name}" for name in ("good.py", "pure.py")),
        *(f"{SITE}/good-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
    }
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"shared").digest()).rstrip(b"=").decode()
    assert f"../../../share/good.txt,sha256={digest},6" in found[f"{SITE}/good-1.0.dist-info/RECORD"]


def test_large_file_of_a_wheel_waits_on_the_disk(index: Index, tmp_path: Path) -> None:
    large = "x = 1\n" * 200_000
    file = index.add_wheel("good", "1.0", {"large.py": large, "small.py": "y = 2\n"})
    made = room(tmp_path / "room")
    ((entries, _),) = install(made, made.params, index.lock(file)).parts
    found = {entry.path: entry for entry in entries}
    assert isinstance(found[f"{SITE}/large.py"].content, Path)
    assert found[f"{SITE}/large.py"].data() == large.encode()
    assert found[f"{SITE}/small.py"].content == b"y = 2\n"
    assert f"{SITE}/{cached_path('large.py', RUNNING)}" in found


def test_install_downloads_once_for_all_and_again_when_damaged(index: Index, tmp_path: Path) -> None:
    file = index.add_wheel("good", "1.0")
    one = installed(room(tmp_path / "one"), index.lock(file))
    assert installed(room(tmp_path / "two"), index.lock(file)) == one
    assert index.served == [file]
    (kept,) = downloads().iterdir()
    kept.write_bytes(b"damaged")
    assert installed(room(tmp_path / "three"), index.lock(file)) == one
    assert index.served == [file, file]


def test_install_takes_markers_and_tags_of_the_platform_of_the_bundle(index: Index, tmp_path: Path) -> None:
    names = [
        index.add_wheel("native", "1.0", {"native.py": tag}, tag=f"cp{RUNNING.replace('.', '')}-abi3-{tag}")
        for tag in ("manylinux_2_17_x86_64", "manylinux_2_40_x86_64", "manylinux2014_aarch64", "win_amd64")
    ]
    windows = index.lock(index.add_wheel("wincolor", "1.0")).partition("\n\n")[2]
    marked = windows.replace('version = "1.0"', 'version = "1.0"\nmarker = "sys_platform == \'win32\'"')
    text = f"{index.lock(*names)}\n{marked}"
    expected = {
        "linux_amd64": "manylinux_2_17_x86_64",
        "linux_arm64": "manylinux2014_aarch64",
        "windows_amd64": "win_amd64",
    }
    for platform, tag in expected.items():
        found = installed(room(tmp_path / platform, platform=platform), text)
        site = "Lib/site-packages" if platform == "windows_amd64" else SITE
        assert found[f"{site}/native.py"] == tag
        assert (f"{site}/wincolor.py" in found) == (platform == "windows_amd64")
    assert refusal(room(tmp_path / "mac", platform="darwin_arm64"), text) == (
        f"the environment cannot be put together: pylock.toml: packages.native: no wheel fits Python {RUNNING} on "
        f"darwin_arm64, and there is no source to build one from; found: {', '.join(sorted(names))}\n"
        "  hint: choose another version of native, or another Python (tool.flavor.python_version)"
    )


def test_install_of_another_file_than_was_locked_is_refused(index: Index, tmp_path: Path) -> None:
    file = index.add_wheel("good", "1.0")
    text = index.lock(file)
    was = hashlib.sha256(index.files[file]).hexdigest()
    index.files[file] = index.files[file][:-100]  # cut off on its way
    found = hashlib.sha256(index.files[file]).hexdigest()
    assert refusal(room(tmp_path / "room"), text) == (
        f"'{file}' has SHA-256 {found}; the lock expects {was}\n"
        "  hint: this is not the file that was locked: ask whoever serves it, or accept the new one with 'packyard "
        "lock --upgrade good'"
    )
    assert list(downloads().iterdir()) == []


@pytest.mark.parametrize(
    ("files", "modes", "said"),
    [
        ({"../../evil.py": "x"}, {}, "'../../evil.py' is not a valid archive path: '..' is not a file name"),
        ({"/evil.py": "x"}, {}, "'/evil.py' is not a valid archive path: '' is not a file name"),
        ({"x": "/etc/passwd"}, {"x": 0o120777}, "x: is a link or special file; expected a file or folder"),
    ],
    ids=("outside", "absolute", "link"),
)
def test_install_of_a_hostile_wheel_is_refused(
    index: Index, tmp_path: Path, files: dict[str, str], modes: dict[str, int], said: str
) -> None:
    file = index.add_wheel("bad", "1.0", files, modes=modes)
    message = refusal(room(tmp_path / "room"), index.lock(file))
    assert message.startswith(f"'{file}' is not safe to use: ")
    assert said in message
    assert message.endswith("\n  hint: choose another version of bad, and tell its authors")
    assert not list((tmp_path / "room/tmp/prefix").rglob("*"))


def test_install_of_a_wheel_that_is_cut_off_or_another_is_refused(index: Index, tmp_path: Path) -> None:
    cut = index.add_wheel("cut", "1.0")
    index.files[cut] = index.files[cut][:-40]  # and locked like that
    hint = "\n  hint: choose another version of cut, and tell its authors"
    assert refusal(room(tmp_path / "cut"), index.lock(cut)) == (
        f"'{cut}' is not safe to use: this is not a zip archive (no end record, or data after it){hint}"
    )
    other = index.add_wheel("other", "1.0")
    index.files[cut] = index.files[other]
    assert refusal(room(tmp_path / "other"), index.lock(cut)) == (
        f"'{cut}' is not safe to use: it is the wheel of 'other'; expected 'cut'{hint}"
    )


def test_install_of_two_wheels_with_one_path_names_both(index: Index, tmp_path: Path) -> None:
    same = [index.add_wheel(name, "1.0", {"shared.py": "same", f"{name}.py": ""}) for name in ("first", "second")]
    assert f"{SITE}/shared.py" in installed(room(tmp_path / "same"), index.lock(*same))
    other = index.add_wheel("third", "1.0", {"shared.py": "other"})
    assert refusal(room(tmp_path / "other"), index.lock(*same, other)) == (
        f"the environment cannot be put together: '{SITE}/shared.py' is in 'first' and in 'third', with different "
        "contents\n"
        "  hint: leave one of them out, or choose a version of third without it"
    )


def test_install_offline_says_all_that_is_missing(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [index.add_wheel(name, "1.0") for name in ("one", "two", "three")]
    installed(room(tmp_path / "before"), index.lock(names[0]))
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert set(installed(room(tmp_path / "there"), index.lock(names[0]))) > {f"{SITE}/one.py"}
    assert refusal(room(tmp_path / "missing"), index.lock(*names)) == (
        "not downloaded yet, and downloads are disabled (--offline, UV_OFFLINE): three-1.0-py3-none-any.whl, "
        "two-1.0-py3-none-any.whl\n  hint: build once with network access"
    )


def test_install_of_a_file_that_is_gone_says_so(index: Index, tmp_path: Path) -> None:
    file = index.add_wheel("gone", "1.0")
    text = index.lock(file)
    del index.files[file]
    assert refusal(room(tmp_path / "room"), text) == (
        f"{index.file_url(file)} cannot be fetched: HTTP Error 404: Not Found\n"
        "  hint: check the network, HTTPS_PROXY and SSL_CERT_FILE; or fetch it another way, and pin its path"
    )


# sources -----------------------------------------------------------------------------------------------------


def pin(*requirements: str) -> Pin:
    return Pin(path="app/pylock.toml", requirements=requirements, python=RUNNING, platform=host_platform())


def test_source_is_built_by_what_the_lock_pins_without_the_settings_of_the_user(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add_source("sourced", "1.0", SOURCE)
    index.add_wheel("tinybackend", "1.0", {"tinybackend.py": BACKEND})
    text = lock.resolved_text(pin("sourced"), tmp_path, downloads=downloads())
    (build,) = read_pylock(text, "").builds
    assert (build.name, build.requires) == ("sourced", ("tinybackend>=1",))
    assert dict(read_pylock(build.lock, "").packages) == {"tinybackend": "1.0"}

    index.add_wheel("tinybackend", "2.0", {"tinybackend.py": "raise SystemExit('not what was locked')"})
    monkeypatch.setenv("UV_NO_BINARY", ":all:")
    one, two = (installed(room(tmp_path / name), text) for name in ("one", "a longer name"))
    assert one == two
    assert one[f"{SITE}/sourced.py"] == "seen = []\nhome = 'home'\n"
    assert "Name: sourced" in one[f"{SITE}/sourced-1.0.dist-info/METADATA"]

    assert lock.resolved_text(pin("sourced"), tmp_path, text, downloads=downloads()) == text  # versions stay
    upgraded = lock.resolved_text(pin("sourced"), tmp_path, text, downloads=downloads(), upgrade=None)
    assert dict(read_pylock(read_pylock(upgraded, "").builds[0].lock, "").packages) == {"tinybackend": "2.0"}


def test_source_whose_backend_fails_shows_its_words(index: Index, tmp_path: Path) -> None:
    index.add_source("sourced", "1.0", {**SOURCE, "broken": ""})
    index.add_wheel("tinybackend", "1.0", {"tinybackend.py": BACKEND})
    message = refusal(room(tmp_path / "room"), lock.resolved_text(pin("sourced"), tmp_path, downloads=downloads()))
    assert message.startswith("'sourced-1.0.tar.gz' cannot be built: the backend 'tinybackend' ended with status 1\n")
    assert "no compiler: there is no 'cc' here" in message
    assert message.endswith("\n  hint: choose a version of sourced that has a wheel, or install what its build needs")


def test_source_that_the_lock_tells_nothing_of_is_refused(index: Index, tmp_path: Path) -> None:
    text = index.lock(index.add_source("sourced", "1.0", SOURCE))
    assert refusal(room(tmp_path / "room"), text) == (
        f"'sourced' 1.0 has no wheel for Python {RUNNING} on {host_platform()}, and the lock does not say what "
        "builds 'sourced-1.0.tar.gz'\n  hint: run 'packyard lock' on this platform, or choose a version that has a "
        "wheel"
    )


def test_password_of_the_index_is_in_no_command_line_and_no_log(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.password = "me:swordfish-8"
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url.replace("//", "//me:swordfish-8@"))
    index.add_source("sourced", "1.0", SOURCE)
    index.add_wheel("tinybackend", "1.0", {"tinybackend.py": BACKEND})
    started: list[str] = []
    start = process._groups.start

    def watched(argv: Sequence[str], **how: Any) -> Any:
        started.extend(argv)
        return start(argv, **how)

    monkeypatch.setattr(process._groups, "start", watched)
    made = room(tmp_path / "room")
    text = lock.resolved_text(pin("sourced"), tmp_path, downloads=downloads())
    install(made, made.params, text)
    assert "--format" in started
    assert not [word for word in started if "swordfish" in word]
    assert "swordfish" not in text + made.log.read_text()


def test_lock_without_an_answer_shows_the_words_of_the_resolver(index: Index, tmp_path: Path) -> None:
    index.add_wheel("good", "1.0")
    with pytest.raises(ActionError) as error:
        lock.resolved_text(pin("good>=2"), tmp_path, downloads=downloads())
    assert error.value.message == "app/pylock.toml: no versions found for good>=2"
    assert "good>=2" in error.value.detail


# keys --------------------------------------------------------------------------------------------------------


def test_needs_tell_where_a_python_lies_beside_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["app"]\n')
    (tmp_path / "app/pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n[tool.flavor]\nentry_point = "app:main"\n'
    )
    workspace = read_workspace(tmp_path)

    def found(place: str, platform: str) -> Needs:
        def find(wanted: str, *words: object) -> Interpreter:
            return Interpreter(version=wanted, platform=host_platform(), kind="folder", place=place)

        monkeypatch.setattr("packyard.tasks.kinds.interpreter.choice.find", find)
        return needs(workspace.members[0], workspace, platform)

    here, there = (found(place, host_platform()) for place in ("/opt/python", "/other/python"))
    assert here.install == there.install
    assert (here.uses, there.uses) == (there.uses, here.uses)
    assert here.local == {"python": f"/opt/python/bin/python{RUNNING}"}
    # What tells of the Python of another platform tells nothing of the one that compiles.
    other = found("/opt/python", "windows_amd64")
    assert (other.install.python.program, other.local) == (f"/opt/python/bin/python{RUNNING}", {})
