"""`packyard init`: the files that make a folder a workspace. What exists is kept, so it may be run again."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.gitignore import with_folders
from packyard.formats.text.mkdocs import read_mkdocs
from packyard.formats.text.toml import read_toml
from packyard.tasks.commands import initplane
from packyard.tasks.commands.table import plugins
from packyard.tasks.console.output import say
from packyard.tasks.console.parser import Parser
from packyard.tasks.errors import ActionError
from packyard.tasks.host.atomic import rewrite
from packyard.tasks.workspace.workspace import MANIFEST

_SKIPPED = ("dist", "site", "build", "node_modules", "venv")
_DEPTH = 3  # folders below the root in which members are looked for
_IGNORED = (".packyard", "dist", "site")

_MANIFEST = """\
[workspace]
name = "{name}"
{members}

{no_mojo}[toolchain]
{no_mojo}mojo = "1.0.0"        # the version of the Mojo compiler
# python = "3.12"       # the Python that bundles carry (default: the one that runs the build)
# launcher = "rust"     # or "go"

# [[archive]]
# name = "tools"
# version = "0.1.0"
# include = ["scripts", "README.md"]    # files, and targets such as "mojo:tensor"

{no_site}[[docs]]               # a mkdocs site, configured by its mkdocs.yml
{no_site}name = "docs"
{no_site}version = "0.1.0"
# requires = ["mkdocs>=1.6,<2", "mkdocs-material>=9.5,<10"]    # the default; plug-ins must be listed
"""
_NO_MEMBERS = """\
# Folders with a pyproject.toml, mojo.toml or package.yaml:
# members = ["apps/*"]"""
_IMPORT = "from packyard.tasks import *"
_DODO = f'''\
"""The targets of this workspace for doit: `doit list` shows them, `doit` makes every final artifact."""

{_IMPORT}  # noqa: F403
'''


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the workspace as it is (None when there is none) and as it will be."""

    path: Path
    old: str | None
    new: str


def run(words: list[str]) -> int:
    """Write the workspace into the folder that `words` name (the current one when they do not); the exit status."""
    if "--morloc" in words:
        return initplane.run(words)
    root = Path(parser().parse_args(words).folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        files = list(_files(root))  # all are read before the first is written
        for file in files:
            if file.old == file.new:
                say(f"kept     {file.path}")
            else:
                rewrite(file.path, file.new)
                say(f"{'wrote   ' if file.old is None else 'extended'} {file.path}")
    except OSError as error:
        raise ActionError(f"{error.filename or root}: cannot be written: {error.strerror}") from None
    for file in files:
        if file.path.name == "dodo.py" and "packyard" not in file.new:
            say(f"note: {file.path} is yours and was kept; for plain doit, add to it: {_IMPORT}")
    return 0


def parser() -> Parser:
    """The options of the command."""
    parser = Parser(
        prog="packyard init",
        description="Write a starter workspace. Existing files are kept.",
        epilog="'packyard init --morloc' makes a morloc home with the standard set instead.",
        examples=("packyard init", "packyard init shop", "packyard init --morloc"),
    )
    parser.add_argument("folder", nargs="?", default=".", help="default: the current folder")
    return parser


def _files(root: Path) -> Iterator[_File]:
    manifest = _read(root / MANIFEST)
    yield _File(root / MANIFEST, manifest, _manifest(root) if manifest is None else manifest)
    dodo = _read(root / "dodo.py")
    yield _File(root / "dodo.py", dodo, _DODO if dodo is None else dodo)
    ignored = _read(root / ".gitignore")
    yield _File(root / ".gitignore", ignored, with_folders(ignored or "", _IGNORED))
    project = _read(root / "pyproject.toml")
    if project is not None:
        yield _File(root / "pyproject.toml", project, _with_toml_plugins(project, root / "pyproject.toml"))
    else:
        settings = _read(root / "doit.cfg")
        yield _File(root / "doit.cfg", settings, _with_ini_plugins(settings or ""))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise FormatError(Problem("is not UTF-8", place=os.fspath(path))) from None


# packyard.toml -----------------------------------------------------------------------------------------------


def _manifest(root: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", root.resolve().name).strip("-._+") or "workspace"
    folders = [*(["."] if _is_project(root / "pyproject.toml") else []), *_members(root, 1)]
    lines = "".join(f'    "{folder}",\n' for folder in folders)
    has_mojo = any((root / folder / "mojo.toml").exists() for folder in folders)  # which needs a compiler
    return _MANIFEST.format(
        name=name,
        members=f"members = [\n{lines}]" if folders else _NO_MEMBERS,
        no_mojo="" if has_mojo else "# ",
        no_site="" if _has_site(root) else "# ",
    )


def _members(folder: Path, depth: int) -> Iterator[str]:
    """The folders below `folder` that have a manifest; what lies inside a member belongs to it."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _SKIPPED or path.is_symlink() or not path.is_dir():
            continue
        if _is_project(path / "pyproject.toml") or (path / "mojo.toml").exists() or (path / "package.yaml").exists():
            yield path.name
        elif depth < _DEPTH:
            yield from (f"{path.name}/{inner}" for inner in _members(path, depth + 1))


def _is_project(path: Path) -> bool:
    """Whether a pyproject.toml describes a project: many hold only the settings of tools."""
    try:
        return "project" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _has_site(root: Path) -> bool:
    """Whether there is a mkdocs.yml with pages."""
    try:
        config = read_mkdocs((root / "mkdocs.yml").read_text(encoding="utf-8"), "mkdocs.yml")
    except (OSError, ValueError, FormatError):
        return False
    return (root / (config.docs_dir or "docs")).is_dir()


# what doit and git read --------------------------------------------------------------------------------------


def _with_toml_plugins(old: str, path: Path) -> str:
    values = read_toml(old, os.fspath(path))  # says what is wrong, with line and column
    document = tomlkit.parse(old)
    table: Any = document
    for key in ("tool", "doit", "plugins", "command"):
        if not isinstance(values, dict):
            raise FormatError(Problem("is not a table", key="tool.doit.plugins.command", place=os.fspath(path)))
        if key not in table:
            table[key] = tomlkit.table(is_super_table=key != "command")
        table, values = table[key], values.get(key, {})
    for name, place in plugins().items():
        if name not in table:
            table[name] = place
    return tomlkit.dumps(document)


def _with_ini_plugins(old: str) -> str:
    there = {line.partition("=")[0].strip() for line in old.splitlines()}
    missing = "".join(f"{name} = {place}\n" for name, place in plugins().items() if name not in there)
    if not missing:
        return old
    before, header, after = _lines_of(old).partition("[COMMAND]\n")
    separator = "" if header or not before else "\n"
    return f"{before}{separator}[COMMAND]\n{missing}{after}"


def _lines_of(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
