"""`[tool.flavor]` in a pyproject.toml, and the buildconfig.toml beside it: how an application becomes a bundle."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace

from packyard.formats.errors import FormatError
from packyard.formats.naming import read_member_name
from packyard.formats.platform import read_platform
from packyard.formats.policy import Policy
from packyard.formats.python.entrypoint import read_entry_point
from packyard.formats.python.requirement import (
    read_python_version,
    read_requirement,
)
from packyard.formats.python.slots import SlotSpec, read_slots, read_source
from packyard.formats.python.trim import read_trim
from packyard.formats.relpath import read_relpath
from packyard.formats.text.table import Table, reading
from packyard.formats.text.toml import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """`[tool.flavor.build]`.

    `dependencies` are local folders or members whose wheels are packed too, `extra_packages` further PEP 508
    requirements, `exclude` patterns of files to leave out, `manylinux` platform tags in order of preference. Each hook
    is one argument vector; `hook_requires` are what hooks need beside the application's environment. `hook_inputs` are
    patterns of what hooks read (() for all the member's files), `hook_outputs` the files and folders (with a final '/')
    that pre_build writes. `pip` puts pip into the bundle, `include_tests` the application's own tests, `strip` removes
    the symbols from compiled code in distributions. `trim` names what else of distributions is left out
    (`formats/python/trim.py`), `keep` are patterns of paths below site-packages that are kept whatever it says. With
    `runtime` False the bundle carries no Python, and runs with a Python of the machine it is started on.
    """

    dependencies: tuple[str, ...] = ()
    extra_packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    manylinux: tuple[str, ...] = ()
    pre_build: tuple[tuple[str, ...], ...] = ()
    post_build: tuple[tuple[str, ...], ...] = ()
    hook_requires: tuple[str, ...] = ()
    hook_inputs: tuple[str, ...] = ()
    hook_outputs: tuple[str, ...] = ()
    pip: bool = True
    include_tests: bool = False
    strip: bool = False
    trim: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    runtime: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeEnv:
    """`[tool.flavor.execution.runtime.env]`: what the program sees of the environment it is started in.

    `map` renames variables, old name -> new name; a star in `unset` and `pass_` stands for any characters.
    """

    unset: tuple[str, ...] = ()
    pass_: tuple[str, ...] = ()
    set: Mapping[str, str] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """`[tool.flavor]`. `entry_point` is '' when `[project.scripts]` alone says what to run.

    `python_version` and `launcher` ('rust', 'go' or a path) are '' for the workspace's default, `package_name` is the
    project's name unless set, `platforms` is () for the platform of the build. `smoke` has the arguments with which a
    clean room runs a command.
    """

    entry_point: str = ""
    python_version: str = ""
    package_name: str
    launcher: str = ""
    platforms: tuple[str, ...] = ()
    slots: tuple[SlotSpec, ...] = ()
    build: BuildSpec = field(default_factory=BuildSpec)
    runtime_env: RuntimeEnv = field(default_factory=RuntimeEnv)
    policy: Policy | None = None
    smoke: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_flavor(table: Table, name: str, scripts: Mapping[str, str]) -> Flavor:
    """`[tool.flavor]` of a project of this name with these `[project.scripts]`; its problems are recorded there."""
    metadata = table.table("metadata")
    package_name = table.parse("package_name", read_member_name, "")
    if package_name and "package_name" in metadata:
        metadata.problem("package_name", "is also given in [tool.flavor]; expected only one of them")
    package_name = metadata.parse("package_name", read_member_name, "") or package_name or name
    if "entry_point" not in table and not scripts:
        table.problem("entry_point", "is missing; expected 'module:function'",
                      "or name commands in [project.scripts]")  # fmt: skip
    return Flavor(
        entry_point=table.parse("entry_point", read_entry_point, ""),
        python_version=table.parse("python_version", read_python_version, ""),
        package_name=package_name,
        launcher=table.parse("launcher", read_launcher, ""),
        platforms=table.parses("platforms", read_platform),
        slots=read_slots(table),
        build=_build(table.table("build")),
        runtime_env=_runtime_env(table.table("execution").table("runtime").table("env")),
        policy=_policy(table.table("policy")) if "policy" in table else None,
        smoke=_smoke(table.table("smoke"), {*scripts, package_name}),
    )


def read_buildconfig(text: str, place: str, flavor: Flavor | None) -> Flavor | None:
    """A buildconfig.toml, whose `[build]` overrides the same keys of `[tool.flavor.build]`; FormatError with all its
    problems. Its `[build.execution]` counts if the manifest has no rules for the environment, as in FlavorPack.
    """
    with reading(read_toml(text, place), place) as top:
        table = top.table("build")
        build = _build(table)
        environment = _runtime_env(table.table("execution").table("runtime").table("env"))
        given = {key: getattr(build, key) for key in (field.name for field in fields(BuildSpec)) if key in table}
    if flavor is None:
        return None
    changed = replace(flavor, build=replace(flavor.build, **given))
    return replace(changed, runtime_env=environment) if changed.runtime_env == RuntimeEnv() else changed


def read_launcher(text: str) -> str:
    """'rust', 'go', or the path of a launcher (with a slash, so that a mistyped name is not a path)."""
    if text not in ("rust", "go") and "/" not in text:
        raise FormatError(f"{text!r} is not a launcher; expected 'rust', 'go' or a path like './launcher'")
    return text


def _smoke(table: Table, commands: Collection[str]) -> dict[str, tuple[str, ...]]:
    for name in table:
        if name not in commands:
            table.problem(name, f"is not a command of the bundle; expected one of {', '.join(sorted(commands))}")
    return {name: table.texts(name) for name in table}


def _build(table: Table) -> BuildSpec:
    return BuildSpec(
        dependencies=table.parses("dependencies", _filled),
        extra_packages=table.parses("extra_packages", read_requirement),
        exclude=table.parses("exclude", _filled),
        manylinux=(table.parse("manylinux", _tag, ""),)
        if isinstance(table.raw("manylinux"), str)
        else table.parses("manylinux", _tag),
        pre_build=_hooks(table, "pre_build"),
        post_build=_hooks(table, "post_build"),
        hook_requires=table.parses("hook_requires", read_requirement),
        hook_inputs=table.parses("hook_inputs", read_source),
        hook_outputs=table.parses("hook_outputs", _hook_output),
        pip=table.flag("pip", True),
        strip=table.flag("strip"),
        trim=table.parses("trim", read_trim),
        keep=table.parses("keep", _filled),
        runtime=table.flag("runtime", True),
        include_tests=table.flag("include_tests"),
    )


def _hook_output(text: str) -> str:
    path = read_relpath(text)
    if not path or any(char in path for char in "*?["):
        raise FormatError(f"{text!r} is not a path below the member; expected a file or (with a trailing '/') a folder")
    return f"{path}/" if text.endswith("/") else path


def _hooks(table: Table, key: str) -> tuple[tuple[str, ...], ...]:
    """A string is one command, split as a shell would but run without one; an inner list is one argument vector."""
    value = table.raw(key)
    if not isinstance(value, list):
        return tuple((text,) for text in table.texts(key))  # reports that it expected a list
    hooks = []
    for position, hook in enumerate(value):
        argv = hook
        if isinstance(hook, str):
            try:
                argv = shlex.split(hook)
            except ValueError:
                argv = None
        if not isinstance(argv, list) or not argv or not all(isinstance(word, str) and word for word in argv):
            table.problem(f"{key}[{position}]", f"{hook!r} is not a command; expected a string or a list of words")
            continue
        hooks.append(tuple(argv))
    return tuple(hooks)


def _runtime_env(table: Table) -> RuntimeEnv:
    return RuntimeEnv(
        unset=table.parses("unset", _variable),
        pass_=table.parses("pass", _variable),
        set=_variables(table, "set"),
        map=_variables(table, "map"),
        isolated=table.flag("isolated", True),
    )


def _variables(table: Table, key: str) -> dict[str, str]:
    values = table.mapping(key)
    for name in values:
        try:
            _variable(name)
        except FormatError as error:
            table.problem(f"{key}.{name}", error.problems[0].message)
    return values


def _policy(table: Table) -> Policy:
    days = table.integer("max_age_days", 1) if "max_age_days" in table else None
    if days is not None and days < 1:
        table.problem("max_age_days", f"{days} is not a number of days; expected 1 or more")
    return Policy(
        platforms=table.parses("platforms", read_platform),
        refuse_root=table.flag("refuse_root"),
        max_age_days=days,
        require_env=table.parses("require_env", _variable),
    )


def _filled(text: str) -> str:
    if not text.strip():
        raise FormatError(f"{text!r} is empty; expected some text")
    return text


def _tag(text: str) -> str:
    if not re.fullmatch(r"manylinux(1|2010|2014|_[0-9]+_[0-9]+)", text):
        raise FormatError(f"{text!r} is not a manylinux tag; expected one like 'manylinux2014' or 'manylinux_2_28'")
    return text


def _variable(text: str) -> str:
    # A star stands for any characters: unset = ["*"] leaves nothing but what `pass` and `set` name.
    if not re.fullmatch(r"[A-Za-z_*?][A-Za-z0-9_*?]*", text):
        raise FormatError(f"{text!r} is not a variable; expected letters, digits and _")
    return text
