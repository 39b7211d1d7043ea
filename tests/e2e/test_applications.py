"""Applications with dependencies that people really use: where the builder's Python is out of sight, they do what they
do in a plain virtual environment; and built on a machine that differs in everything, they are the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packyard.tasks.host import programs
from packyard.tasks.kinds.interpreter.choice import RUNNING

from tests.conftest import NETWORK, Space

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.real,
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="harvests on Linux"),
]

# Imports every top-level module of every distribution that is there but the application's own.
_MAIN = """
import importlib, importlib.metadata, json, sys

def main():
    done = {}
    for name in sorted(importlib.metadata.packages_distributions()):
        if name.isidentifier() and name not in (__name__, "fast"):
            try:
                importlib.import_module(name)
                done[name] = "imported"
            except Exception as error:
                done[name] = type(error).__name__
    print(json.dumps({"modules": done, "answer": work()}))
"""
# A program for each: what it needs, and a function that puts it to work.
APPS = {
    "clicks": (
        ["click"],
        """
import bz2, click, ctypes, hashlib, lzma, sqlite3, ssl, zlib, zoneinfo
from click.testing import CliRunner

@click.command()
@click.option("--count", default=2)
@click.argument("name")
def greet(count, name):
    for _ in range(count):
        click.secho(f"Hello {name}", fg="green")

def work():
    paths = ssl.get_default_verify_paths()
    told = CliRunner().invoke(greet, ["--count", "3", "Ada"])
    row = sqlite3.connect(":memory:").execute("select sqlite_version(), 6 * 7").fetchone()
    for packer in (lzma, bz2, zlib):
        assert packer.decompress(packer.compress(b"x")) == b"x"
    zone = sorted(zoneinfo.available_timezones())[:3]
    return [told.output, told.exit_code, row[1], bool(paths.cafile or paths.capath), zone,
            ctypes.CDLL(None).abs(-3), hashlib.sha3_256(b"x").hexdigest()]
""",
    ),
    "pages": (
        ["flask", "requests", "sqlalchemy"],
        """
import certifi, flask, os, requests, sqlalchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class Page(Base):
    __tablename__ = "page"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]

def work():
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    Base.metadata.create_all(engine)
    app = flask.Flask(__name__)

    @app.get("/<int:number>")
    def page(number):
        with Session(engine) as session:
            return flask.render_template_string("<h1>{{ title }}</h1>", title=session.get(Page, number).title)

    with Session(engine) as session:
        session.add(Page(id=1, title="A & B"))
        session.commit()
    answer = app.test_client().get("/1")
    url = requests.Request("GET", "http://example.test/", params={"q": "ä b"}).prepare().url
    return [answer.status_code, answer.text, url, os.path.getsize(certifi.where()) > 100_000]
""",
    ),
    "data": (
        ["numpy", "pandas"],
        """
import io
import numpy
import pandas

def work():
    table = pandas.read_csv(io.StringIO("day,town,rain\\n2024-01-01,a,1.5\\n2024-01-02,a,2.5\\n2024-01-02,b,4\\n"),
                            parse_dates=["day"])
    mean = table.groupby("town")["rain"].mean().to_dict()
    matrix = numpy.array([[2.0, 1.0], [1.0, 3.0]])
    solved = numpy.linalg.solve(matrix, numpy.array([3.0, 5.0])).round(6).tolist()
    wave = numpy.abs(numpy.fft.rfft(numpy.sin(numpy.arange(8) * numpy.pi / 2))).round(6).tolist()
    drawn = numpy.random.default_rng(7).integers(0, 100, 5).tolist()
    local = table["day"].dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo").dt.strftime("%H:%M %Z").tolist()
    return [mean, solved, wave, drawn, local, table.to_json()]
""",
    ),
    "api": (
        ["pydantic", "httpx"],
        """
import asyncio, httpx, pydantic

class Item(pydantic.BaseModel):
    name: str
    price: float = pydantic.Field(gt=0)

def work():
    def answer(request):
        return httpx.Response(200, json={"name": request.url.path, "price": "2.5"})

    async def ask():
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return Item.model_validate((await client.get("http://example.test/x")).json())

    try:
        Item(name="x", price=-1)
        wrong = ""
    except pydantic.ValidationError as error:
        wrong = error.errors()[0]["type"]
    return [asyncio.run(ask()).model_dump(), wrong, Item.model_json_schema()]
""",
    ),
    "native": ([], "import fast\n\ndef work():\n    return [fast.twice(21), fast.__name__]\n"),
}
_EXTENSION = """
#include <Python.h>
static PyObject *twice(PyObject *self, PyObject *arg) { return PyLong_FromLong(2 * PyLong_AsLong(arg)); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, "Twice a number."}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", "", -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""
_BACKEND = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
py-modules = ["native"]
ext-modules = [{ name = "fast", sources = ["fast.c"] }]
"""
REPRODUCED = ("clicks", "pages", "native")


@pytest.fixture(scope="module")
def built(space_in) -> Space:  # type: ignore[no-untyped-def]
    """All of them, built with the Rust launcher."""
    if not shutil.which("cc"):
        pytest.skip("this machine has no C compiler")
    space: Space = space_in("applications")
    space.env.update(NETWORK, PACKYARD_KEY_SEED="s1")
    members = json.dumps(list(APPS))
    space.write("packyard.toml", f'[workspace]\nname = "w"\nmembers = {members}\n[toolchain]\nlauncher = "rust"\n')
    for name, (requirements, program) in APPS.items():
        backend = _BACKEND if name == "native" else ""
        space.write(
            f"{name}/pyproject.toml",
            f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {json.dumps(requirements)}\n'
            f'[tool.flavor]\nentry_point = "{name}:main"\n[tool.flavor.build]\npip = false\n{backend}',
        )
        space.write(f"{name}/{name}.py", program + _MAIN)
    space.write("native/fast.c", _EXTENSION)
    for name in APPS:
        space.packyard(f"bundle:{name}")
    space.expect_nothing()
    return space


@pytest.mark.parametrize("name", APPS)
def test_application_does_under_both_launchers_what_it_does_in_a_plain_environment(
    built: Space, name: str, tmp_path: Path
) -> None:
    expected = plain(built, name, tmp_path / "plain")
    assert set(expected["modules"].values()) <= {"imported"} or name == "data", expected["modules"]
    go = built.beside(f"go-{name}")
    go.replace("packyard.toml", '"rust"', '"go"')
    go.packyard(f"bundle:{name}")
    for launcher, space in (("rust", built), ("go", go)):
        place = tmp_path / launcher
        place.mkdir()
        assert started(Path(shutil.copy(space.root / f"dist/{name}-1.0.psp", place))) == expected, launcher


def plain(space: Space, name: str, folder: Path) -> Any:
    """What the program answers in a virtual environment with what the lock lists."""
    environment = {**space.environment, "VIRTUAL_ENV": str(folder)}
    python = f"{sys.base_prefix}/bin/python{RUNNING}"
    wanted = [path for path in space.root.glob(f".packyard/locks/{name}/pylock.*.toml") if APPS[name][0]]
    if name == "native":
        wanted = [space.root / name]
    lock = folder.with_name("pylock.toml")  # uv knows a lock by its name

    def run(*words: str | Path) -> bytes:
        return subprocess.run(words, env=environment, check=True, capture_output=True).stdout

    run(programs.uv(), "venv", "--quiet", "--python", python, folder)
    for path in wanted:
        if path.is_file():
            words = ["--requirements", shutil.copy(path, lock)]
        else:
            words = [shutil.copytree(path, folder.with_name("sources"))]
        run(programs.uv(), "pip", "install", "--quiet", *words)
    code = f"import sys; sys.path.insert(0, {str(space.root / name)!r}); import {name}; {name}.main()"
    return json.loads(run(folder / "bin/python", "-P", "-c", code))


def started(bundle: Path) -> Any:
    """What it answers out of the bundle, in an empty environment, without the Python and packages it was built from."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount anything")
    hidden = [path for path in dict.fromkeys([sys.base_prefix, sys.prefix]) if path not in ("/usr", "/usr/local")]
    hiding = "".join(f'mount -t tmpfs none "{path}"; ' for path in hidden)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'{hiding}cd /; exec "$0"', bundle],
        env={"PATH": "/usr/bin:/bin", "HOME": str(bundle.parent), "FLAVOR_LOG_LEVEL": "error"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# In another folder, listed in another order each time, as are the sandboxes; at another time, in another country.
_ELSEWHERE = """
mkdir -p "$SANDBOXES" "$BELOW" "$HERE"
mount -t tmpfs none "$SANDBOXES"
[ "$BUILDER" = "$(id -u)" ] || chown -R "$BUILDER:$BUILDER" "$SANDBOXES" "$BELOW" "$HERE" "$SOURCES" "$HOME"
disorderfs --quiet --shuffle-dirents=yes --multi-user=$MANY "$BELOW" "$SANDBOXES"
disorderfs --quiet --shuffle-dirents=yes --multi-user=$MANY "$SOURCES" "$HERE"
umask 077
cd "$HERE"
status=0
$AS faketime -f +965h $PACKYARD -n 1 $TARGETS || status=$?
cd /
umount "$HERE" "$SANDBOXES"
exit $status
"""


def opened_to_others(*folders: Path) -> str:
    """The lines of a script that let every user into folders that lie in closed ones, at the paths that they have."""
    closed: dict[Path, list[Path]] = {}
    for folder in dict.fromkeys(folders):
        for above in reversed(folder.parents):
            if not above.stat().st_mode & 0o001:
                closed.setdefault(above, []).append(folder)
                break
    inside = [folder for kept in closed.values() for folder in kept]
    lines = ["mount -t tmpfs -o mode=755 none /mnt"]
    for number, folder in enumerate(inside):
        lines += [f"mkdir /mnt/{number}", f'mount --rbind "{folder}" /mnt/{number}']
    lines += [f'mount -t tmpfs -o mode=755 none "{above}"' for above in closed]
    for number, folder in enumerate(inside):
        lines += [f'mkdir -p "{folder}"', f'mount --rbind /mnt/{number} "{folder}"']
    return "\n".join(lines)


def test_bundles_are_the_same_bytes_on_a_machine_that_differs_in_everything(built: Space, tmp_path: Path) -> None:
    for tool in ("disorderfs", "faketime"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    if not Path("/dev/fuse").exists():
        pytest.skip("this machine mounts no file systems of users")
    sources = tmp_path / "as it lies on the disk"
    shutil.copytree(built.root, sources, ignore=shutil.ignore_patterns(".packyard", "dist"))
    # The index may have new versions in the meantime: what was resolved is part of the question.
    shutil.copytree(built.root / ".packyard/locks", sources / ".packyard/locks")
    home = tmp_path / "a home"
    home.mkdir()
    # Another user, too, where there may be one: root can become anybody.
    builder = 65534 if os.getuid() == 0 and shutil.which("setpriv") else os.getuid()
    another = builder != os.getuid()
    tmp_path.chmod(0o755)
    downloads = Path(built.environment["PACKYARD_CACHE_DIR"]) / "downloads"
    if downloads.is_dir():
        shutil.copytree(downloads, home / "cache/downloads")
    other = Space(
        root=sources,
        home=home,
        env={
            **built.env,
            "TZ": "Asia/Kathmandu",
            "LC_ALL": "C",
            "LANG": "tr_TR.UTF-8",
            "PYTHONHASHSEED": "4321",
            "USER": "somebody",
            "UV_CACHE_DIR": str(home / "uv"),
            "SANDBOXES": f"/tmp/packyard-{builder:010d}",
            "BUILDER": str(builder),
            "MANY": "yes" if another else "no",
            "AS": f"setpriv --reuid {builder} --regid {builder} --clear-groups" if another else "",
            "BELOW": str(tmp_path / "sandboxes"),
            "SOURCES": str(sources),
            "HERE": str(tmp_path / "another folder/of a longer name"),
            "TARGETS": " ".join(f"bundle:{name}" for name in REPRODUCED),
        },
    )
    opened = opened_to_others(ROOT, Path(sys.base_prefix), Path(sys.prefix), tmp_path) if another else ""
    done = other.mounted(opened + _ELSEWHERE)
    assert "bundle:pages" in done.ran and "env:pages" in done.ran
    for name in REPRODUCED:
        assert other.read(f"dist/{name}-1.0.psp") == built.read(f"dist/{name}-1.0.psp"), name
