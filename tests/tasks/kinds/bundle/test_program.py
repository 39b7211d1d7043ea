"""The module that starts a bundle's commands, as a bundle starts it: `python -m packyard_runtime`."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import uv
from packyard.formats.python.pyproject import read_project
from packyard.tasks.kinds.bundle.inside import runtime_module
from packyard.tasks.kinds.bundle.program import program_of
from packyard.tasks.kinds.bundle.programfiles import MODULE, Program, program_files

APP = """
import sys

def main():
    print("main", sys.argv)

def status():
    return 7

def complain():
    return "it went wrong"

def parser():
    import argparse
    argparse.ArgumentParser().parse_args()

def where():
    import os
    import packyard_runtime
    print(packyard_runtime.slot("my-data").read_text(), os.environ["PACKYARD_SLOT_MY_DATA"])

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served " + environ["PATH_INFO"].encode()]

def create_app(config=None):
    return application

class Tool:
    def __call__(self, *args, **kwargs):
        print("called", args)

tool = Tool()
"""
COMMANDS = {
    "app": "app:main",
    "app-status": "app:status",
    "complain": "app:complain",
    "parser": "app:parser",
    "where": "app:where",
    "factory": "app:create_app",
    "wsgi": "app:application",
    "object": "app:tool",
    "submodule": "pkg:run",
    "named": "pkg:named",
    "missing": "pkg:nothing",
    "broken": "broken:main",
}


class Prefix:
    """A work environment with the program in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        site = root / "lib/python3/site-packages"
        files = {
            **program_files(
                Program(
                    name="app",
                    version="1.0",
                    commands=COMMANDS,
                    default="app",
                    slots={"my-data": {"path": "share/data.txt", "lifecycle": "runtime", "purpose": "data"}},
                )
            ),
            "app.py": APP.encode(),
            "pkg/__init__.py": b"from pkg import named\n",
            "pkg/run.py": b"def run():\n    print('in the submodule')\n",
            "pkg/named.py": b"def named():\n    print('in the module of that name')\n",
            "broken.py": b"import no_such_module\n",
        }
        for path, content in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
        (root / "share").mkdir()
        (root / "share/data.txt").write_text("data")
        self.site = site

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-sP", "-m", MODULE, *words]

    def env(self, **env: str) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.site), **env}

    def start(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.argv(*words), env=self.env(**env), capture_output=True, text=True, check=False)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    return Prefix(tmp_path / "work env")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("app", "app"),
        ("anything.psp", "app"),
        ("app-status", "app-status"),
        ("app-status.psp", "app-status"),
        ("app-status-1.0.psp", "app-status"),
        ("app-status-1.0-linux_arm64.psp", "app-status"),
        ("app-status-1.0.psp.exe", "app-status"),
        ("app-1.0.psp", "app"),
        ("app-status-2.0.psp", "app"),
    ],
)
def test_command_is_the_one_named_like_the_file(prefix: Prefix, name: str, command: str) -> None:
    done = prefix.start(FLAVOR_COMMAND_NAME=name, FLAVOR_ORIGINAL_COMMAND=f"/x/{name}")
    assert done.returncode == (7 if command == "app-status" else 0), done.stderr


def test_command_is_the_one_named_like_the_link_that_the_shell_ran(prefix: Prefix, tmp_path: Path) -> None:
    bundle, link = tmp_path / "app-1.0.psp", tmp_path / "app-status"
    bundle.write_text("")
    link.symlink_to(bundle)
    hidden = {"FLAVOR_COMMAND_NAME": bundle.name, "FLAVOR_ORIGINAL_COMMAND": str(bundle)}
    assert prefix.start(**hidden, _=str(link)).returncode == 7
    assert prefix.start(**hidden, _="/usr/bin/env").returncode == 0


def test_arguments_are_the_users_and_the_name_is_the_commands(prefix: Prefix) -> None:
    assert prefix.start("a b", "--x").stdout == "main ['app', 'a b', '--x']\n"
    assert prefix.start("--packyard-run", "app", "--packyard-run").stdout == "main ['app', '--packyard-run']\n"


@pytest.mark.parametrize("words", [["--packyard-run"], ["--packyard-run", "none"]])
def test_unknown_command_is_refused_with_the_known_ones(prefix: Prefix, words: list[str]) -> None:
    done = prefix.start(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"--packyard-run: expected one of {', '.join(sorted(COMMANDS))}\n"


@pytest.mark.parametrize(
    ("command", "status", "out", "err"),
    [
        ("app-status", 7, "", ""),
        ("complain", 1, "", "it went wrong\n"),
        ("object", 0, "called ()\n", ""),
        ("submodule", 0, "in the submodule\n", ""),
        ("named", 0, "in the module of that name\n", ""),
        ("missing", 1, "", "pkg:nothing: there is no such function in this bundle\n"),
    ],
)
def test_result_of_a_command_decides_the_status(prefix: Prefix, command: str, status: int, out: str, err: str) -> None:
    done = prefix.start("--packyard-run", command)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_import_that_fails_in_the_app_is_shown_as_what_it_is(prefix: Prefix) -> None:
    done = prefix.start("--packyard-run", "broken")
    assert done.returncode == 1
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'no_such_module'\n")


def test_usage_names_the_command_and_not_the_module(prefix: Prefix) -> None:
    assert prefix.start("--packyard-run", "parser", "--help").stdout.startswith("usage: parser [-h]")


def test_slot_is_found_by_the_module_and_by_a_variable(prefix: Prefix) -> None:
    path = prefix.root / "share/data.txt"
    assert prefix.start("--packyard-run", "where").stdout == f"data {path}\n"


@pytest.mark.parametrize("command", ["factory", "wsgi"])
def test_wsgi_application_is_served_on_loopback(prefix: Prefix, command: str) -> None:
    port = free_port()
    server = subprocess.Popen(
        prefix.argv("--packyard-run", command), env=prefix.env(PORT=str(port)), stderr=subprocess.PIPE, text=True
    )
    try:
        assert fetch(f"http://127.0.0.1:{port}/page") == b"served /page"
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.real
@pytest.mark.long
def test_wsgi_application_is_served_by_gunicorn_when_it_is_there(prefix: Prefix, tmp_path: Path) -> None:
    subprocess.run(
        [uv.find_uv_bin(), "pip", "install", "-q", "--python", sys.executable, "--target", prefix.site, "gunicorn"],
        check=True,
    )
    port = free_port()
    server = subprocess.Popen(
        prefix.argv("--packyard-run", "factory"), env=prefix.env(PORT=str(port), HOME=str(tmp_path)),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert fetch(f"http://127.0.0.1:{port}/page") == b"served /page"
    finally:
        server.terminate()
        _, errors = server.communicate()
    assert "Starting gunicorn" in errors


@pytest.mark.parametrize("port", ["http", "-1", "65536", ""])
def test_port_that_is_none_is_refused(prefix: Prefix, port: str) -> None:
    done = prefix.start("--packyard-run", "wsgi", PORT=port)
    assert (done.returncode, done.stderr) == (2, f"PORT: {port!r} is not a port; expected a number up to 65535\n")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def fetch(url: str) -> bytes:
    """The page, as soon as the server is there."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(url) as answer:
                content: bytes = answer.read()
                return content
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")


@pytest.mark.parametrize(
    ("text", "commands", "default"),
    [
        ('[tool.flavor]\nentry_point = "a.b:c"', {"my-app": "a.b:c"}, "my-app"),
        ('[project.scripts]\nx = "a:x"\ny = "a:y"\n[tool.flavor]', {"x": "a:x", "y": "a:y"}, "x"),
        ('[project.scripts]\nx = "a:x"\nmy-app = "a:m"\n[tool.flavor]', {"x": "a:x", "my-app": "a:m"}, "my-app"),
        (
            '[project.scripts]\nx = "a:x"\n[tool.flavor]\nentry_point = "a:m"\npackage_name = "other"',
            {"x": "a:x", "other": "a:m"},
            "other",
        ),
    ],
)
def test_program_has_scripts_and_entry_point(text: str, commands: dict[str, str], default: str) -> None:
    manifest = read_project(f'[project]\nname = "my-app"\nversion = "1.0"\n{text}\n', "pyproject.toml")
    program = program_of(manifest, "1.0", "linux_amd64")
    assert (program.commands, program.default) == (commands, default)


def test_module_imports_the_standard_library_only() -> None:
    source = program_files(Program(name="a", version="1", commands={}, default="", slots={}))[f"{MODULE}/__init__.py"]
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", source.decode(), re.MULTILINE))
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("compiled_in", "set_before", "there", "expected"),
    [
        (["gone.pem", "gone"], {}, ["system.pem"], "system.pem"),
        (["gone.pem", "gone"], {}, ["certifi/cacert.pem"], "certifi/cacert.pem"),
        (["gone.pem", "gone"], {}, [], None),
        (["own.pem", "gone"], {}, ["own.pem", "system.pem"], None),
        (["gone.pem", "certs"], {}, ["certs/a.0", "system.pem"], None),
        (["gone.pem", "gone"], {"SSL_CERT_DIR": "/x"}, ["system.pem"], None),
        ([], {}, ["system.pem"], None),
    ],
)
def test_authorities_of_the_system_are_found(
    compiled_in: list[str],
    set_before: dict[str, str],
    there: list[str],
    expected: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in there:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    monkeypatch.setattr(runtime_module, "_AUTHORITIES", (str(tmp_path / "system.pem"),))
    monkeypatch.setattr(runtime_module, "_HERE", tmp_path / "packyard_runtime")
    monkeypatch.setattr(os, "environ", dict(set_before))
    runtime_module._trust([str(tmp_path / path) for path in compiled_in])
    found = os.environ.get("SSL_CERT_FILE")
    assert found == (expected and str(tmp_path / expected))
