"""Texts and files of others, changed at random: each reader gives a value or its own error, never another exception.

PACKYARD_MUTATIONS_OF_TEXTS says how many are tried of each; 200 are the whole set.
"""

from __future__ import annotations

import io
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyard.formats import elf, reference, semver, units, versionrange
from packyard.formats.archive import gzipped, listing, tarball
from packyard.formats.archive.entry import Entry
from packyard.formats.errors import FormatError
from packyard.formats.mojo import exports as mojoexport
from packyard.formats.mojo import library as mojolibrary
from packyard.formats.mojo import manifest as mojo
from packyard.formats.mojo import package as mojopkg
from packyard.formats.mojo import packagemanifest
from packyard.formats.mojo import source as mojosource
from packyard.formats.morloc import home as morlochome
from packyard.formats.morloc import ignore as morlocignore
from packyard.formats.morloc import manifest as morloc
from packyard.formats.morloc import reference as morlocref
from packyard.formats.morloc import source as morlocsource
from packyard.formats.pspf import difference
from packyard.formats.python import (
    interpreterarchive,
    lockchange,
    pinned,
    pipconfig,
    pylock,
    record,
    requirement,
    wheel,
)
from packyard.formats.python import module as pymodule
from packyard.formats.python import otherlocks as takenlock
from packyard.formats.python import pyproject as flavor
from packyard.formats.python.machine import Machine
from packyard.formats.text import changelog, gitignore, mkdocs, yaml
from packyard.formats.text import edit as textedit
from packyard.formats.text import html as htmlpage
from packyard.formats.workspace import cleanroom
from packyard.formats.workspace import lock as packyardlock
from packyard.formats.workspace import manifest as workspace

from tests.share import SEED, amount

pytestmark = pytest.mark.share

COUNT = amount("PACKYARD_MUTATIONS_OF_TEXTS", 200)
ROOT = Path(__file__).parents[2]
HASH = "0123456789abcdef" * 4
WORDS = (
    "", "0", "-1", "9" * 5000, "1e999", "nan", ".nan", "true", "null", "[]", "{}", "''", '""', "'", '"', "\\", "\0",
    "\x1b", "\n", "\r\n", "\t", " ", "\u2028", "\x85", "\u0661", "e\u0301", "\U0001f600", "\ufeff", "/", "../", "*",
    "**/", "?", ":", "#", "=", ",", ";", "|", "@", "!", "&a", "- ", "$", "<![x[", "-->", "{-", "-}", "#{", "1979-05-27",
    "0x10", "1_000",
)  # fmt: skip
NUMBERS = (b"\0" * 8, b"\xff" * 8, b"\xff" * 4, struct.pack("<Q", 1 << 63), struct.pack("<Q", 1 << 33), b"\1\0\0\0")

LOCK = f"""\
lock-version = "1.0"
created-by = "a tool"

[[packages]]
name = "click"
version = "8.1.7"
sdist = {{ url = "https://h/click-8.1.7.tar.gz", size = 3, hashes = {{ sha256 = "{HASH}" }} }}
wheels = [{{ url = "https://h/click-8.1.7-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }} }}]

[tool.packyard]
python = "3.12"
requirements = ["click>=8"]

[[tool.packyard.build]]
name = "click"
requires = ["flit_core"]
lock = 'lock-version = "1.0"'
"""
WORKSPACE_LOCK = f"""\
[[morloc]]
name = "math"
version = "1.0.0"
source = "github:u/math@tag:v1"
commit = "{HASH}"
content = "sha256:{HASH}"
dependencies = ["root"]

[[interpreter]]
version = "3.12"
platform = "linux_amd64"
url = "https://h/python.tar.gz"
sha256 = "{HASH}"
"""
PACKAGE = """\
name: shapes
version: 0.1.0
dependencies: [root, zlib]
py-deps: {numpy: {version: ">=1", source: pypi}}
include: [main.loc, "src/*"]
expose: {cpp: ["*.hpp"]}
x-packyard: {native: [zlib], requires: {math: ">=0.1,<0.3"}}
"""


MANIFEST = f"""\
{{"format": "mojo-package/1", "name": "a", "distribution": "a", "version": "1.0.0", "file": "a.mojopkg",
 "installed_as": "a.mojopkg", "size": 1, "sha256": "{HASH}", "exports": {{"": ["b"]}}, "components": [],
 "compiler": {{"version": "1.0.0", "identity": "", "producer": "X", "container": 0}},
 "dependencies": [{{"name": "b", "distribution": "b", "version": "1.0.0", "sha256": "{HASH}", "range": "1"}}]}}
"""


PROOF = cleanroom.Proof(
    subject="a 1.0.0", compiler="", present={"a": HASH}, checks=(cleanroom.Check(what="a runs"),), not_shown=("types",)
)


def workspace_lock(text: str) -> None:
    lock = packyardlock.read_lock(text, "p")
    assert packyardlock.read_lock(packyardlock.write_lock(lock), "p") == lock
    less = replace(lock, toolchains=(), interpreters=())
    assert packyardlock.read_lock(packyardlock.write_lock(less, text), "p") == less


def python_lock(text: str) -> None:
    lock = pylock.read_pylock(text, "p")
    list(pylock.drift(lock, requirements=["click>=8"], python="3.12"))
    pylock.read_pylock(pylock.stamp_pylock(text, requirements=["a"], python="3.12", builds=lock.builds), "p")
    list(lockchange.lock_changes(LOCK, text, "p"))
    pinned.pinned_files(text, "p", Machine(python="3.12", platform="linux_amd64"))


def mojo_source(text: str) -> None:
    names = mojosource.imported_packages(text)
    assert mojosource.move_imports(text, names, "below").count("\n") == text.count("\n")
    mojoexport.exports("p", {"__init__.mojo": text})


def edited(text: str) -> None:
    for key, value in yaml.read_yaml(text, "p").values.items():
        if isinstance(value, str):
            textedit.edit_yaml(text, (key,), "1.2.3", "p")


def ranges(text: str) -> None:
    found = versionrange.read_range(text)
    assert found.admits("1.2.3-rc.1") in (True, False)
    versionrange.read_range(versionrange.range_for(text, "1.2.3"))


def released(text: str) -> None:
    changelog.read_changelog(text)
    changelog.release(text, "1.2.3", "2026-01-01")


def python_module(text: str) -> None:
    module = pymodule.read_module(text, "m.py")
    pymodule.defines(module, "main")
    pymodule.imports(module)
    pymodule.literal(module, "__version__")


TEXTS: dict[str, tuple[Callable[[str], object], str]] = {
    "packyard.toml": (lambda text: workspace.read_workspace(text, "p"), (ROOT / "packyard.toml").read_text()),
    "pyproject.toml": (
        lambda text: flavor.read_project(text, "p"),
        (ROOT / "examples/apps/web/pyproject.toml").read_text(),
    ),
    "mojo.toml": (lambda text: mojo.read_mojo(text, "p"), (ROOT / "examples/mojo/nn/mojo.toml").read_text()),
    "package.yaml": (lambda text: morloc.read_foreign_morloc(text, "p"), PACKAGE),
    "package.yaml edited": (edited, PACKAGE),
    "mkdocs.yml": (lambda text: mkdocs.read_mkdocs(text, "p"), (ROOT / "examples/docs/mkdocs.yml").read_text()),
    "packyard.lock": (workspace_lock, WORKSPACE_LOCK),
    "cleanroom.json": (lambda text: cleanroom.read_proof(text, "p"), cleanroom.write_proof(PROOF)),
    "pylock.toml": (python_lock, LOCK),
    "uv.lock": (
        lambda text: (takenlock.read_uv_lock(text, "p"), takenlock.read_uv_extras(text, "p")),
        'version = 1\n[[package]]\nname = "a"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "b", extra = ["c"] }]\n',
    ),
    "requirements.txt": (
        lambda text: takenlock.read_hashed_requirements(text, "p"),
        f"click==8.1.7 ; os_name == 'nt' \\\n  --hash=sha256:{HASH}  # two\n-e ../lib\n",
    ),
    "pip.conf": (lambda text: pipconfig.read_pip_config(text, "p"), "[global]\nextra-index-url =\n  https://a\n  https://b\n"),
    "CHANGELOG.md": (released, "# C\n\n## [Unreleased]\n\n- a\n\n## [t 0.2.0, nn 0.1.1] - 2026-01-01\n\n- b\n"),
    "RECORD": (record.read_record, 'a/b.py,sha256=x,12\n"a,b",,\n'),
    "listing": (listing.read_listing, f"{HASH} x 12 own a/b c\n"),
    "plane": (lambda text: morlochome.plane_listing(morlochome.read_plane_listing(text)), f"{HASH} x math/a b\n"),
    ".gitignore": (lambda text: gitignore.read_gitignores({"": text})("a/b/c.o"), "*.o\n!a.o\n[!a-z]/\n/x\\ \n"),
    ".morlocignore": (lambda text: morlocignore.read_ignore(text)("a/b/c.o"), "*.o\n!a.o\nbuild/\na/**/b\n"),
    "x.mojo": (mojo_source, "from a.b import (c, d)\nimport e as f, g\n'''doc'''\nfn h(): return e.x\n"),
    "x.loc": (lambda text: morlocsource.scan_morloc(text, "p"), 'module a (*)\nimport b\nsource Py from "x.py"\n'),
    "x.py": (python_module, "import a.b\n__version__ = '1'\nx: int = {1: [2]}\ndef main(): pass\n"),
    "x.html": (htmlpage.read_html, "<!doctype html><a href=x id=y>z</a><!-- c --><img srcset='a 1x, b 2x'>"),
    "record.json": (lambda text: mojolibrary.read_library(text, "p"), '{"format": "mojo-library/1", "packages": []}'),
    "x.json": (lambda text: packagemanifest.read_package_manifest(text, "p"), MANIFEST),
    "range": (ranges, ">=0.1.0-rc.1, <0.4"),
    "version": (lambda text: semver.is_step("1.0.0", text, "minor"), "1.0.0-rc.1+b"),
    "next version": (lambda text: semver.next_version(text, "patch"), "1.0rc1"),
    "requirement": (requirement.read_requirement, "a[b,c] (>=1.0,<2) ; os_name == 'nt'"),
    "release": (requirement.read_python_release, "1.0.post1.dev2"),
    "size": (units.read_size, "1.5 GiB"),
    "reference": (reference.read_reference, "docs:guide#site"),
    "install": (morlocref.read_install, "git+https://h/r.git@tag:v1"),
}  # fmt: skip


def tar() -> bytes:
    out = io.BytesIO()
    tarball.write_tar([Entry("a/b", b"x" * 700), Entry("d" * 90 + "/" + "é" * 60, b"q"), Entry("r", b"", True)], out)
    return out.getvalue()


def interpreter() -> bytes:
    head = b"\x7fELF".ljust(18, b"\0") + b"\x3e\0"
    out = io.BytesIO()
    tarball.write_tar([Entry("python/bin/python3.12", head, True)], out)
    return gzipped.compress(out.getvalue())


def whl() -> bytes:
    files = [
        Entry("a/__init__.py", b"x = 1\n" * 50),
        Entry("a-1.dist-info/WHEEL", b"Wheel-Version: 1.0\nTag: py3-none-any\n"),
        Entry("a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n"),
    ]
    out = io.BytesIO()
    made = wheel.Wheel(
        name="a", version="1", tags=("py3-none-any",), info="a-1.dist-info", files={f.path: f for f in files}
    )
    wheel.write_wheel(made, out)
    return out.getvalue()


def foreign_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/", b"")
        archive.writestr("d/é", b"hello" * 50)
    return out.getvalue()


def read_wheel(data: bytes) -> None:
    wheel.placed(wheel.read_wheel(io.BytesIO(data)), site="lib")


def read_tar(data: bytes) -> None:
    for member in tarball.read_tar(io.BytesIO(data), limit=1 << 20, links=True):
        member.body.skip()


def stripped(data: bytes) -> None:
    elf.read_elf(elf.strip_elf(data))


FILES: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]] = {
    "tar": (read_tar, tar),
    "gzip": (lambda data: gzipped.decompress(data, limit=1 << 20), lambda: gzipped.compress(tar())),
    "wheel": (read_wheel, whl),
    "interpreter": (lambda data: interpreterarchive.identify(io.BytesIO(data)), interpreter),
    "mojopkg": (lambda data: mojopkg.read_package(io.BytesIO(data)), lambda: b"ML\xefR\rMLIR23.0.0git\0\0\x0bhello"),
    "difference of tars": (lambda data: str(difference.first_difference(data, tar())), tar),
    "difference of zips": (lambda data: str(difference.first_difference(data, foreign_zip())), foreign_zip),
    "elf": (stripped, lambda: Path(sys.executable).read_bytes()[: 1 << 20]),
}


def mutated_text(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice((1, 1, 2, 4))):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 1, 5, 50)))
        lines = text.split("\n")
        match rng.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + rng.choice(WORDS) + text[end:]
            case 2:
                text = text[:start]
            case 3:
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
                text = "\n".join(lines)
            case _:
                number = rng.randrange(len(lines))
                key, sign, _ = lines[number].partition(rng.choice("=:"))
                lines[number] = f"{key}{sign} {rng.choice(WORDS)}"
                text = "\n".join(lines)
    return text


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(min(len(changed), rng.choice((64, 1024, 1 << 20))) or 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                number = rng.choice(NUMBERS)
                changed[at : at + len(number)] = number
            case 2:
                del changed[at : at + rng.choice((1, 4, 512))]
            case _:
                del changed[-at:]
    return bytes(changed)


@pytest.mark.parametrize("name", TEXTS)
def test_mutated_text_gives_a_value_or_an_error_of_ours(name: str) -> None:
    read, text = TEXTS[name]
    read(text)
    rng = random.Random(f"{SEED} {name}")
    for _ in range(COUNT):
        changed = mutated_text(rng, text)
        try:
            read(changed)
        except FormatError as error:
            assert str(error)
        except Exception as error:
            raise AssertionError(f"{changed!r}: {error!r}") from error


@pytest.mark.parametrize("name", FILES)
def test_mutated_file_gives_a_value_or_an_error_of_ours(name: str) -> None:
    read, make = FILES[name]
    data = make()
    read(data)
    rng = random.Random(f"{SEED} {name}")
    for _ in range(COUNT):
        changed = mutated(rng, data)
        try:
            read(changed)
        except FormatError as error:
            assert str(error)
        except Exception as error:
            raise AssertionError(f"{changed[:4096]!r}: {error!r}") from error
