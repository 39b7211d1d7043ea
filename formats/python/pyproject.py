"""pyproject.toml: `[project]` and `[build-system]` (PyPA specifications). `[tool.flavor]`, which makes it a bundle, is
read by flavor.py, `[tool.uv]` by uvtable.py."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packyard.formats.python.dynamicfiles import read_dynamic_files
from packyard.formats.python.entrypoint import read_entry_point
from packyard.formats.python.flavor import Flavor, read_flavor
from packyard.formats.python.othertables import other_sources
from packyard.formats.python.packyardtable import PackyardTable, read_artifacts, read_beside, read_packyard
from packyard.formats.python.requirement import (
    passwords,
    read_distribution_name,
    read_python_release,
    read_requirement,
    read_specifier,
)
from packyard.formats.python.uvtable import UvTable, read_uv
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml

# The keys of [project] that nothing here reads (PyPA "pyproject.toml specification", and PEP 794).
_OTHER_PROJECT_KEYS = (
    "description", "readme", "license", "license-files", "authors", "maintainers", "keywords", "classifiers",
    "urls", "gui-scripts", "entry-points", "import-names", "import-namespaces",
)  # fmt: skip
_DYNAMIC = (
    "version", "requires-python", "dependencies", "optional-dependencies", "scripts", *_OTHER_PROJECT_KEYS,
)  # fmt: skip
# PEP 517: what a [build-system] without build-backend means.
_LEGACY_BACKEND = "setuptools.build_meta:__legacy__"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectManifest:
    """A pyproject.toml.

    `version` is in PEP 440's normal form, '' if `dynamic` lists it. `dependencies` are PEP 508 texts. `build_backend`
    is '' when there is no [build-system]. `flavor` is None for a library. `artifacts` are files that a backend puts
    into the wheel although git ignores them, as lines of a .gitignore; `beside` are the paths outside of the member
    that backends are told of, each after its key. `dynamic_files` are the files that setuptools takes `dynamic`
    dependencies from: under '' those of everybody, else by the name of the extra.
    `other_sources` are the keys of other tools that take a distribution from elsewhere (othertables.py).
    With `has_password` a URL in the manifest has one, which is in none of these values.
    """

    name: str
    version: str = ""
    dynamic: tuple[str, ...] = ()
    requires_python: str = ""
    dependencies: tuple[str, ...] = ()
    optional_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    license: str = ""
    build_backend: str = ""
    build_requires: tuple[str, ...] = ()
    backend_path: tuple[str, ...] = ()
    flavor: Flavor | None = None
    packyard: PackyardTable = field(default_factory=PackyardTable)
    artifacts: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    dynamic_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uv: UvTable = field(default_factory=UvTable)
    other_sources: tuple[str, ...] = ()
    has_password: bool = False


def read_project(text: str, place: str) -> ProjectManifest:
    """Read a pyproject.toml; FormatError with all its problems."""
    values = read_toml(text, place)
    with reading(values, place) as top:
        top.ignore("dependency-groups")  # PEP 735, for development tools
        project = top.table("project", required=True)
        project.ignore(*_OTHER_PROJECT_KEYS)
        name = project.parse("name", read_distribution_name, "", required=True)
        dynamic = _dynamic(project)
        scripts = _scripts(project)
        optional = project.table("optional-dependencies")
        build = top.table("build-system")
        tool = top.table("tool")
        _find_misspelt(tool)
        return ProjectManifest(
            name=name,
            version=_version(project, dynamic),
            dynamic=dynamic,
            requires_python=project.parse("requires-python", read_specifier, ""),
            dependencies=project.parses("dependencies", read_requirement),
            optional_dependencies={extra: optional.parses(extra, read_requirement) for extra in optional},
            scripts=scripts,
            description=_plain(project.raw("description")),
            license=_license(project.raw("license")),
            build_backend=build.text("build-backend", _LEGACY_BACKEND) if "build-system" in top else "",
            build_requires=build.parses("requires", read_requirement, required="build-system" in top),
            backend_path=build.parses("backend-path", read_relpath),
            flavor=read_flavor(tool.table("flavor"), name, scripts) if "flavor" in tool else None,
            packyard=read_packyard(tool.table("packyard")),
            artifacts=read_artifacts(values),
            beside=read_beside(values),
            dynamic_files=read_dynamic_files(values),
            uv=read_uv(tool.table("uv")),
            has_password=bool(passwords(text)),
            other_sources=tuple(other_sources({key: tool.raw(key) for key in tool})),
        )


def _find_misspelt(tool: Table) -> None:
    """Other tools' tables are theirs; but one that is called nearly like ours would do nothing, in silence."""
    tool.ignore_rest()
    for own in ("flavor", "packyard"):
        near = [] if own in tool else difflib.get_close_matches(own, tool, 1, 0.8)
        for key in near:
            tool.problem(key, "unknown key", f"did you mean {own!r}?")


def _dynamic(project: Table) -> tuple[str, ...]:
    dynamic = project.texts("dynamic")
    for position, key in enumerate(dynamic):
        if key not in _DYNAMIC:
            project.problem(f"dynamic[{position}]", f"{key!r} cannot be dynamic")
        elif key in project:
            project.problem(f"dynamic[{position}]", f"{key!r} is both given and dynamic; expected only one of them")
    return dynamic


def _license(value: Any) -> str:
    """The licence as PEP 639 writes it, or the text of the older table; '' if it is in a file of its own."""
    return _plain(value.get("text") if isinstance(value, dict) else value)


def _plain(value: Any) -> str:
    """A text that is only shown, on one line."""
    return " ".join(value.split()) if isinstance(value, str) else ""


def _version(project: Table, dynamic: tuple[str, ...]) -> str:
    if "version" not in project and "version" not in dynamic:
        project.ignore("version")
        project.problem("version", "is missing; expected a PEP 440 version like 1.2.0",
                        'a backend that computes it needs dynamic = ["version"]')  # fmt: skip
        return ""
    return project.parse("version", read_python_release, "")


def _scripts(project: Table) -> dict[str, str]:
    table = project.table("scripts")
    scripts = {}
    for name in table:
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII) or name in (".", ".."):
            table.problem(name, f"{name!r} is not a command name; expected letters, digits and . _ -")
        scripts[name] = table.parse(name, read_entry_point, "")
    return scripts
