from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.pyproject import ProjectManifest, read_project

PROJECT = '[project]\nname = "webapp"\nversion = "1.0.0"\n'


def said(text: str) -> list[str]:
    """What the reader says of a wrong manifest, without the place."""
    with pytest.raises(FormatError) as caught:
        read_project(text, "p.toml")
    return [line.removeprefix("p.toml: ") for line in str(caught.value).splitlines()]


def test_project_library_has_no_flavor() -> None:
    text = """
        [project]
        name = "My.Lib"
        dynamic = ["version"]
        requires-python = ">=3.11"
        description = "d"
        dependencies = ["flask>=2.0", "tomli; python_version < '3.11'"]
        [project.optional-dependencies]
        dev = ["pytest"]
        [project.entry-points."my.plugins"]
        csv = "my.plugins:Csv"
        [dependency-groups]
        test = ["pytest"]
        [build-system]
        requires = ["flit_core>=3"]
        build-backend = "local"
        backend-path = ["backend"]
        [tool.black]
        anything = 1
    """
    assert read_project(text, "p.toml") == ProjectManifest(
        name="My.Lib",
        dynamic=("version",),
        requires_python=">=3.11",
        description="d",
        dependencies=("flask>=2.0", "tomli; python_version < '3.11'"),
        optional_dependencies={"dev": ("pytest",)},
        build_backend="local",
        build_requires=("flit_core>=3",),
        backend_path=("backend",),
    )


@pytest.mark.parametrize(
    ("value", "license"),
    [
        ('"Apache-2.0"', "Apache-2.0"),
        ('{ text = "MIT  or\\n such" }', "MIT or such"),
        ('{ file = "F" }', ""),
        ("1", ""),
    ],
)
def test_project_license_is_read_as_far_as_it_is_a_text(value: str, license: str) -> None:
    assert read_project(f'[project]\nname = "a"\nversion = "1"\nlicense = {value}\n', "p.toml").license == license


def test_project_build_system_without_backend_is_setuptools() -> None:
    manifest = read_project(PROJECT + '[build-system]\nrequires = ["setuptools"]\n', "p.toml")
    assert manifest.build_backend == "setuptools.build_meta:__legacy__"


def test_project_version_is_in_its_normal_form() -> None:
    assert read_project('[project]\nname = "a"\nversion = "1.0-RC1"\n', "p.toml").version == "1.0rc1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            [
                "project: is missing; expected a table",
                "project.name: is missing; expected a string",
                "project.version: is missing; expected a PEP 440 version like 1.2.0",
                '  hint: a backend that computes it needs dynamic = ["version"]',
            ],
        ),
        ('[project]\nversion = "1"\n', ["project.name: is missing; expected a string"]),
        (PROJECT + "[tool.flavour]\n", ["tool.flavour: unknown key", "  hint: did you mean 'flavor'?"]),
        (
            '[project]\nname = "a"\n',
            [
                "project.version: is missing; expected a PEP 440 version like 1.2.0",
                '  hint: a backend that computes it needs dynamic = ["version"]',
            ],
        ),
        (
            PROJECT + 'dynamic = ["version", "nmae"]\n',
            [
                "project.dynamic[0]: 'version' is both given and dynamic; expected only one of them",
                "project.dynamic[1]: 'nmae' cannot be dynamic",
            ],
        ),
        (
            PROJECT + 'dependancies = ["flask"]\n',
            ["project.dependancies: unknown key", "  hint: did you mean 'dependencies'?"],
        ),
        (
            PROJECT + '[project.scripts]\n"a b" = "a.b"\n',
            [
                "project.scripts.a b: 'a b' is not a command name; expected letters, digits and . _ -",
                "project.scripts.a b: 'a.b' is not an entry point; expected 'module:function'",
            ],
        ),
        (PROJECT + "[build-system]\n", ["build-system.requires: is missing; expected a list"]),
    ],
)
def test_project_wrong_is_said(text: str, expected: list[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize("name", [".", "..", "../escaped"])
def test_command_whose_name_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_project(PROJECT + f'[project.scripts]\n"{name}" = "webapp:main"\n', "p.toml")
    assert str(caught.value) == (
        f"p.toml: project.scripts.{name}: {name!r} is not a command name; expected letters, digits and . _ -"
    )


def test_backend_path_that_leads_out_is_refused() -> None:
    system = '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["../escaped"]\n'
    with pytest.raises(FormatError) as caught:
        read_project(PROJECT + system, "p.toml")
    assert str(caught.value) == (
        "p.toml: build-system.backend-path[0]: '../escaped' leaves its folder through '..'; expected a path inside"
    )
