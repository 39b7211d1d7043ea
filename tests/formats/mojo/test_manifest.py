from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.mojo.manifest import MojoManifest, read_mojo


def said(text: str) -> str:
    """What the reader says of a wrong manifest."""
    with pytest.raises(FormatError) as caught:
        read_mojo(text, "mojo/data/mojo.toml")
    return str(caught.value)


@pytest.mark.parametrize("spelling", ["project", "package"])
def test_mojo_full_manifest_is_read(spelling: str) -> None:
    text = f"""
        [{spelling}]
        name = "ml-odyssey-data"
        version = "0.1.0"
        description = "Data utilities"
        authors = ["ML Odyssey Contributors"]
        license = "BSD-3-Clause"
        readme = "./README.md"
        examples = ["examples/*.mojo"]

        [build]
        src = "src/"
        with_source = true

        [packages]
        data = "shared/data"

        [dependencies]
        ml-odyssey-utils = "0.1.0"
    """
    assert read_mojo(text, "mojo.toml") == MojoManifest(
        name="ml-odyssey-data",
        version="0.1.0",
        description="Data utilities",
        authors=("ML Odyssey Contributors",),
        license="BSD-3-Clause",
        readme="README.md",
        source="src",
        ships_source=True,
        packages={"data": "shared/data"},
        examples=("examples/*.mojo",),
        dependencies={"ml-odyssey-utils": "0.1.0"},
    )


def test_mojo_examples_may_stand_above_the_tables() -> None:
    manifest = read_mojo('examples = ["demo.mojo"]\n[package]\nname = "a"\nversion = "1.0.0"\n', "mojo.toml")
    assert manifest.examples == ("demo.mojo",)


def test_mojo_two_spellings_are_refused() -> None:
    assert said('[project]\nname = "a"\nversion = "0.1.0"\n[package]\nname = "b"\n') == (
        "mojo/data/mojo.toml: package: is given as well as [project]; expected only one of them"
    )


def test_mojo_problems_are_said_at_once() -> None:
    text = """
        [project]
        name = "ml odyssey"
        version = "0.1"
        verson = "0.1.0"
        authors = "me"
        [build]
        src = "../src"
        [packages]
        fn = "x"
        "a-b" = "y"
        c = 3
        [dependencies]
        d = 1
        [test]
    """
    assert said(text).splitlines() == [
        "mojo/data/mojo.toml: project.name: 'ml odyssey' is not a name; expected letters, digits and . _ + -, "
        "starting with a letter or digit",
        "mojo/data/mojo.toml: project.version: '0.1' is not a version; expected a SemVer version like 0.1.0",
        "mojo/data/mojo.toml: project.authors: 'me' is a string; expected a list",
        "mojo/data/mojo.toml: build.src: '../src' leaves its folder through '..'; expected a path inside",
        "mojo/data/mojo.toml: packages.fn: 'fn' cannot be imported: it is a keyword",
        "mojo/data/mojo.toml: packages.a-b: 'a-b' cannot be imported; expected an identifier (letters, digits, _)",
        "mojo/data/mojo.toml: packages.c: 3 is an integer; expected a string",
        "mojo/data/mojo.toml: dependencies.d: 1 is an integer; expected a string",
        "mojo/data/mojo.toml: test: unknown key",
        "  hint: known keys: build, dependencies, examples, packages, project",
        "mojo/data/mojo.toml: project.verson: unknown key",
        "  hint: did you mean 'version'?",
    ]


def test_mojo_empty_manifest_misses_its_head() -> None:
    assert said("") == (
        "mojo/data/mojo.toml: package: is missing; expected a table\n"
        "mojo/data/mojo.toml: package.name: is missing; expected a string\n"
        "mojo/data/mojo.toml: package.version: is missing; expected a string"
    )


def test_mojo_mistyped_head_is_told_by_its_name() -> None:
    assert said('[pacakge]\nname = "a"\n').splitlines()[-2:] == [
        "mojo/data/mojo.toml: pacakge: unknown key",
        "  hint: did you mean 'package'?",
    ]
