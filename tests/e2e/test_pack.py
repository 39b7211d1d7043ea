"""`packyard pack` with the manifests of the packaging guide, as they are written there, and what comes of them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from packyard.formats.elf import strip_elf
from packyard.formats.pspf import key_from_seed, open_bundle, public_key
from packyard.formats.units import size_text
from packyard.tasks.kinds.interpreter.choice import RUNNING

from tests.applications import start

pytestmark = [pytest.mark.real, pytest.mark.long]

PROGRESS = re.compile(r"\[\d/\d\] Extracting [\w-]+\.\.\.\n")

QUICK_START = """
[project]
name = "myapp"
version = "1.0.0"
dependencies = [
    "flask>=2.0",
    "requests>=2.0"
]

[tool.flavor]
entry_point = "myapp:main"
python_version = "3.11"
"""
CONFIGURED = """
[project]
name = "myapp"
version = "1.0.0"
description = "My application"
authors = [{name = "Your Name", email = "you@example.com"}]
dependencies = [
    # List all runtime dependencies
    "flask>=2.0",
    "sqlalchemy>=2.0"
]

[tool.flavor]
# Required: Entry point module:function
entry_point = "myapp:main"

# Python version (default: current)
python_version = "3.11"

# Optional: Additional slots
[[tool.flavor.slots]]
id = "config"
source = "config/"
purpose = "configuration"
lifecycle = "persistent"

[[tool.flavor.slots]]
id = "static"
source = "static/"
purpose = "static-resources"
lifecycle = "cached"
# Automatic tar.gz compression
"""
WEB = """
[project]
name = "webapp"
version = "1.0.0"
dependencies = ["flask>=2.0", "gunicorn>=20.0"]

[tool.flavor]
entry_point = "webapp:create_app"

[[tool.flavor.slots]]
id = "templates"
source = "templates/"
purpose = "static-resources"
"""
CLI = """
[project]
name = "mytool"
version = "2.0.0"
dependencies = ["click>=8.0", "rich>=12.0"]

[project.scripts]
mytool = "mytool.cli:main"

[tool.flavor]
entry_point = "mytool.cli:main"
"""
DATA = """
[project]
name = "ml-model"
version = "1.0.0"
dependencies = ["numpy", "pandas", "scikit-learn"]

[tool.flavor]
entry_point = "model:predict"

[[tool.flavor.slots]]
id = "models"
source = "trained_models/"
purpose = "data-files"
lifecycle = "lazy"
"""
MYAPP = {
    "src/myapp/__init__.py": "",
    "src/myapp/utils.py": "import requests\n",
    "src/myapp/main.py": '''\
# src/myapp/main.py
def main():
    """Application entry point."""
    print("Hello from FlavorPack!")
    # Your application logic here

if __name__ == "__main__":
    main()
''',
    "tests/test_myapp.py": "import no_such_module\n",
    "README.md": "# myapp\n",
}


@pytest.fixture
def folder(app_in):  # type: ignore[no-untyped-def]
    """A folder that is not a workspace, and a way to run commands in it."""

    def make(manifest: str, files: dict[str, str], name: str = "project", **env: str):  # type: ignore[no-untyped-def]
        return app_in(name, {**files, "pyproject.toml": manifest}, FLAVOR_SEED="my-secret-seed", **env)

    return make


def moved(path: Path, folder: Path) -> Path:
    """A copy of the bundle, away from its sources."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(path, folder))


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_quick_start_packs_and_runs(folder, tmp_path: Path, launcher: str) -> None:  # type: ignore[no-untyped-def]
    space = folder(QUICK_START, MYAPP)
    done = space.packyard("pack", "--manifest", "pyproject.toml", "--launcher", launcher)
    assert re.search(r"^made     myapp-1\.0\.0\.psp  [\d.]+ MB\nmyapp-1\.0\.0\.psp: intact \(key ", done.out, re.M)
    bundle = space.root / "myapp-1.0.0.psp"
    assert open_bundle(bundle).index.public_key == public_key(key_from_seed("my-secret-seed"))
    assert {path for path in space.files() if path not in MYAPP} == {"myapp-1.0.0.psp", "pyproject.toml"}
    ran = start(moved(bundle, tmp_path / "else where"), home=tmp_path / "a home")
    assert (ran.stdout, ran.returncode, PROGRESS.sub("", ran.stderr)) == ("Hello from FlavorPack!\n", 0, "")
    before = bundle.read_bytes()
    again = space.packyard("pack", "--manifest", "pyproject.toml", "--launcher", launcher)
    assert again.ran == []
    assert bundle.read_bytes() == before
    assert space.packyard("verify", "--deep", "myapp-1.0.0.psp").status == 0


def test_quick_start_is_the_same_from_another_folder(folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    one = folder(QUICK_START, MYAPP)
    other = folder(QUICK_START, MYAPP, "another, with spaces", PACKYARD_CACHE_DIR=str(tmp_path / "another store"))
    one.packyard("pack", "--key-seed", "s1", "--output", "dist/")
    shutil.copytree(one.root / ".packyard/locks", other.root / ".packyard/locks")
    other.packyard("pack", "--manifest", str(other.root), "--output", "app", "--key-seed", "s1")
    assert one.read("dist/myapp-1.0.0.psp") == other.read("app")


def test_configured_app_has_its_slots(folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = {**MYAPP, "config/a.ini": "a = 1\n", "static/app.css": "p {}\n"}
    files["src/myapp/main.py"] = """\
import packyard_runtime

def main():
    print(packyard_runtime.slot("config"))
    print((packyard_runtime.slot("static") / "app.css").read_text())
"""
    space = folder(CONFIGURED, files)
    space.packyard("pack")
    ran = start(moved(space.root / "myapp-1.0.0.psp", tmp_path), home=tmp_path / "a home")
    assert ran.stdout == f"{tmp_path}/a home/.config/myapp/config\np {{}}\n\n", ran.stderr
    assert (tmp_path / "a home/.config/myapp/config/a.ini").read_text() == "a = 1\n"


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_web_application_is_served(folder, tmp_path: Path, launcher: str) -> None:  # type: ignore[no-untyped-def]
    files = {
        "webapp/__init__.py": """\
import flask
import packyard_runtime

def create_app(config=None):
    app = flask.Flask(__name__, template_folder=packyard_runtime.slot("templates"))

    @app.get("/")
    def home():
        return flask.render_template("home.html", who="web")

    return app
""",
        "templates/home.html": "<p>Hello, {{ who }}!</p>",
    }
    space = folder(WEB, files)
    space.packyard("pack", "--manifest", "pyproject.toml", "--launcher", launcher)
    bundle = moved(space.root / "webapp-1.0.0.psp", tmp_path)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PORT": "0", "FLAVOR_LOG_LEVEL": "error"}
    with subprocess.Popen([bundle], env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        lines: list[str] = []
        for line in server.stderr:
            lines.append(line)
            if found := re.search(r"http://[\d.:]+", line):
                break
        assert found, lines
        assert any("gunicorn" in line for line in lines)
        with urllib.request.urlopen(found[0], timeout=10) as answer:
            assert (answer.status, answer.read()) == (200, b"<p>Hello, web!</p>")
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0


def test_command_line_tool_passes_its_arguments(folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = {
        "mytool/__init__.py": "",
        "mytool/cli.py": """\
import click
from rich.console import Console

@click.command()
@click.argument("names", nargs=-1)
@click.option("--status", type=int, default=0)
def main(names, status):
    Console().print(*names)
    raise SystemExit(status)
""",
    }
    space = folder(CLI, files)
    space.packyard("pack", "--manifest", "pyproject.toml", "--output", "out/")
    bundle = moved(space.root / "out/mytool-2.0.0.psp", tmp_path)
    ran = start(bundle, "a b", "c", "--status", "4", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (4, "a b c\n")
    assert start(bundle, "--help", home=tmp_path).stdout.startswith("Usage: mytool [OPTIONS] [NAMES]...")


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_data_science_application_asks_for_its_models(  # type: ignore[no-untyped-def]
    folder, tmp_path: Path, launcher: str
) -> None:
    files = {
        "model.py": """\
import numpy
import packyard_runtime
import pandas
from sklearn.linear_model import LinearRegression

def predict():
    path = packyard_runtime.slot("models") / "line.csv"
    table = pandas.read_csv(path)
    line = LinearRegression().fit(table[["x"]].to_numpy(), table["y"])
    print(round(float(line.predict(numpy.array([[10.0]]))[0]), 3))
""",
        "trained_models/line.csv": "x,y\n1,3\n2,5\n3,7\n",
    }
    space = folder(DATA, files)
    done = space.packyard("pack", "--manifest", "pyproject.toml", "--launcher", launcher, "--strip")
    saved = re.search(r"^stripped ([\d.]+ [kMG]?B) of symbols", done.out, re.M)
    assert saved and saved[1] != "0 B"
    bundle = moved(next(space.root.glob("*.psp")), tmp_path)
    assert bundle.name == "ml-model-1.0.0.psp"
    ran = start(bundle, home=tmp_path / "a home")
    assert (ran.stdout, ran.returncode) == ("21.0\n", 0), ran.stderr
    assert list((tmp_path / "a home").rglob("line.csv"))


# "Multiple Entry Points", "Custom Slots" and "Build Hooks" of the guide, under one [project].
FRAGMENTS = """
[project]
name = "myapp"
version = "1.0.0"

[project.scripts]
myapp = "myapp:main"
myapp-admin = "myapp.admin:main"
myapp-worker = "myapp.worker:main"

[tool.flavor]

[[tool.flavor.slots]]
id = "models"
source = "models/"
purpose = "data-files"
lifecycle = "lazy"  # Load on demand
platform = "linux_amd64"  # Platform-specific

[tool.flavor.build]
pre_build = ["pytest", "myapp/scripts/prepare.py"]
post_build = ["myapp/scripts/verify.py"]
hook_requires = ["pytest"]
"""


def test_advanced_features_of_the_guide_do_what_they_say(folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    main = """\
def main():
    import packyard_runtime  # which is in the bundle alone, and hooks import this module, too
    print("myapp", sorted(path.name for path in packyard_runtime.slot("models").iterdir()))
"""
    files = {
        "myapp/__init__.py": main,
        "myapp/admin.py": "def main():\n    print('admin')\n",
        "myapp/worker.py": "def main():\n    print('worker')\n",
        "myapp/scripts/prepare.py": "import myapp\n",
        "myapp/scripts/verify.py": "import os\n\nassert os.path.isfile(os.environ['PACKYARD_BUNDLE'])\n",
        "tests/test_myapp.py": "def test_nothing():\n    pass\n",
        "models/one.bin": "1",
    }
    space = folder(FRAGMENTS, files)
    space.packyard("pack", "--manifest", "pyproject.toml")
    bundle = moved(space.root / "myapp-1.0.0.psp", tmp_path)
    home = tmp_path / "a home"
    assert start(bundle, home=home).stdout == "myapp ['one.bin']\n"
    for name, words in {"myapp-admin": "admin", "myapp-worker.psp": "worker"}.items():
        shutil.copy(bundle, tmp_path / name)
        assert start(tmp_path / name, home=home).stdout == f"{words}\n"
        assert start(bundle, "--packyard-run", name.removesuffix(".psp"), home=home).stdout == f"{words}\n"


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_example_of_the_page_packs_and_runs(app_in, tmp_path: Path, launcher: str) -> None:  # type: ignore[no-untyped-def]
    page = (Path(__file__).parents[2] / "docs/bundles.md").read_text(encoding="utf-8")
    example = page.partition("\n## An example\n")[2].partition("\n## ")[0]
    files = dict(re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```", example, re.M | re.S))
    assert len(files) == 7
    space = app_in("report", {**files, "templates/old.orig": "old"})
    space.packyard("pack", "--launcher", launcher)
    bundle = moved(space.root / "report-1.0.0.psp", tmp_path)
    env = {"REPORT_USER": "me", "REPORT_OTHER": "x", "COLOUR": "red", "PYTHONPATH": "/x"}
    home = tmp_path / "a home"
    refused = start(bundle, "Ada", home=home)
    assert (refused.returncode != 0, refused.stdout) == (True, "")
    assert not list(home.rglob("hello.txt"))
    ran = start(bundle, "Ada", home=home, **env)
    assert (ran.stdout, ran.returncode) == ("good morning, Ada\n", 0), ran.stderr
    assert not list(home.rglob("model.txt"))
    shutil.copy(bundle, tmp_path / "report-admin")
    shown = start(tmp_path / "report-admin", home=home, **env).stdout
    settings = home / ".config/report/settings"
    assert shown == f"{settings}\na model\nREPORT_USER=me REPORT_COLOUR=red REPORT_MODE=bundled REPORT_OTHER=None\n"
    assert settings.read_text() == "colour = red\n"
    assert not list(home.rglob("*.orig"))
    assert space.packyard("pack", "--launcher", launcher).ran == []


def extension() -> Path:
    """An extension module of this Python, with its symbols."""
    for name in ("_heapq", "_bisect", "_json", "_queue", "_csv"):
        spec = importlib.util.find_spec(name)
        if spec and spec.origin and spec.origin.endswith(".so") and b".symtab" in Path(spec.origin).read_bytes():
            return Path(spec.origin)
    pytest.skip("this Python has no extension module with symbols in a file of its own")


def test_stripped_bundle_is_smaller_and_runs(folder, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The symbols of code in the application's own wheel go, and its RECORD follows; the launcher stays as it is."""
    native = extension()
    name = native.name.partition(".")[0]
    main = f"from mytool import {name}\n\ndef main():\n    print({name}.__name__)\n"
    files = {"mytool/__init__.py": "", "mytool/cli.py": main, f"mytool/{native.name}": native.read_bytes()}
    space = folder(CLI.replace('"click>=8.0", "rich>=12.0"', ""), files)
    plain = space.packyard("pack", "--output", "plain.psp")
    stripped = space.packyard("pack", "--output", "stripped.psp", "--strip")
    assert "stripped" not in plain.out
    saved = len(native.read_bytes()) - len(strip_elf(native.read_bytes()))
    assert f"stripped {size_text(saved)} of symbols\n" in stripped.out
    assert saved > 1000
    sizes = [len(space.read(path)) for path in ("plain.psp", "stripped.psp")]
    assert sizes[1] < sizes[0]
    assert len({open_bundle(space.root / path).metadata.launcher for path in ("plain.psp", "stripped.psp")}) == 1
    space.packyard("pack", "--output", "small.psp", "--compression", "small")
    assert len(space.read("small.psp")) < 0.98 * sizes[0]
    plain_slots, small_slots = (open_bundle(space.root / path).metadata.slots for path in ("plain.psp", "small.psp"))
    assert [slot.content for slot in small_slots] == [slot.content for slot in plain_slots]
    assert space.packyard("verify", "--deep", "stripped.psp").status == 0  # with the RECORDs
    space.packyard("extract", "stripped.psp", "--slot", "app", "-o", str(tmp_path / "app"))
    (found,) = (tmp_path / "app").rglob(native.name)
    assert found.read_bytes() == strip_elf(native.read_bytes())
    for path in ("plain.psp", "stripped.psp"):
        ran = start(moved(space.root / path, tmp_path), home=tmp_path / "a home")
        assert ran.stdout == f"mytool.{name}\n", ran.stderr


@pytest.mark.parametrize("launcher", ["rust", "go"])
def test_bundle_without_a_python_runs_with_one_of_the_machine(folder, tmp_path: Path, launcher: str) -> None:  # type: ignore[no-untyped-def]
    """One with an extension module of its own, so that it is for this Python alone."""
    native = extension()
    name = native.name.partition(".")[0]
    printed = f"{name}.__file__, sys.prefix, sep='\\n'"
    main = f"import sys, click\nfrom mytool import {name}\n\ndef main():\n    print({printed})\n"
    files = {"mytool/__init__.py": "", "mytool/cli.py": main, f"mytool/{native.name}": native.read_bytes()}
    space = folder(CLI, files)
    space.packyard("pack", "--no-runtime", "--launcher", launcher, "--output", "small.psp")
    bundle = moved(space.root / "small.psp", tmp_path)
    assert bundle.stat().st_size < 16e6
    assert space.packyard("verify", "--deep", "small.psp").status == 0
    with_python = tmp_path / "with python"
    with_python.mkdir()
    (with_python / "python3").symlink_to(sys.executable)
    ran = start(bundle, home=tmp_path / "a home", PATH=f"{with_python}:/usr/bin:/bin")
    path, prefix = ran.stdout.splitlines()
    assert (ran.returncode, path) == (0, f"{prefix}/lib/python{RUNNING}/site-packages/mytool/{native.name}")
    assert "/workenv/small/.packyard-" in prefix
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "rm", "find", "sort", "xargs", "mkdir", "mv", "sha256sum"):
        (tools / tool).symlink_to(f"/usr/bin/{tool}")
    (tools / "python3").write_text("#!/bin/sh\nprintf 'Python 3.4.1'\n")
    (tools / "python3").chmod(0o755)
    refused = start(bundle, home=tmp_path / "another home", PATH=str(tools))
    assert (refused.returncode, refused.stdout) == (1, "")
    said = re.sub(r", glibc 2\.\d+ or newer", "", PROGRESS.sub("", refused.stderr))
    assert said == (
        f"mytool: no Python on PATH can run it; expected CPython {RUNNING} (x86_64)\n  {tools}/python3 is Python "
        "3.4.1\n"
        "  hint: install it, or add its folder to PATH\n"
    )


def test_options_that_cannot_be_are_refused(folder) -> None:  # type: ignore[no-untyped-def]
    space = folder(QUICK_START, MYAPP)
    space.packyard("keygen", "--out-dir", "one")
    space.packyard("keygen", "--out-dir", "two")
    for words, status, message in (
        (
            ["--manifest", "nothing"],
            2,
            "error: --manifest: 'nothing' is not a manifest's name; expected 'pyproject.toml'",
        ),
        (["--manifest", "one/pyproject.toml"], 1, "error: one/pyproject.toml: is missing"),
        (["--platform", "linux_amd64", "--platform", "windows_amd64", "--output", "x.psp"], 1, "no Python 3.11 for wi"),
        (["--private-key", "one/flavor-private.key", "--public-key", "two/flavor-public.key"], 1, "is not the public"),
        (["--public-key", "two/flavor-public.key"], 2, "error: --public-key: requires --private-key"),
        (["--locked"], 1, "error: pylock.toml: is missing, and resolving is disabled (--locked)\n"),
        (["--launcher", "java"], 2, "invalid choice: 'java'"),
        (["--platform", "plan9"], 2, "invalid choice: 'plan9'"),
    ):
        done = space.packyard("pack", *words, status=status)
        assert message in done.err + done.out, (words, done.err)
    assert not list(space.root.glob("*.psp"))


def test_member_of_a_workspace_is_packed_as_the_workspace_says(folder) -> None:  # type: ignore[no-untyped-def]
    space = folder(CLI.replace('"click>=8.0", "rich>=12.0"', ""), {"mytool/__init__.py": "", "mytool/cli.py": MAIN})
    space.write("packyard.toml", '[workspace]\nname = "w"\nmembers = ["."]\n[toolchain]\nlauncher = "go"\n')
    space.packyard("pack", "--output", "here.psp")
    assert space.read("here.psp") == space.read("dist/mytool-2.0.0.psp")
    assert open_bundle(space.root / "here.psp").metadata.launcher.tool == "go"
    done = space.packyard("pack", "--launcher", "rust", status=2)
    assert "is a member of the workspace" in done.err


MAIN = "def main():\n    print('main')\n"
