from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.manifest import Expose, ForeignDep, LocalDep, ModulePin, MorlocManifest, read_morloc

HEAD = "name: math\nversion: 0.1.0\n"
COMMIT = "1a2b3c4d5e6f7890abcdef1234567890abcdef12"


def said(text: str) -> list[str]:
    """What the reader says of a wrong manifest, without the place."""
    with pytest.raises(FormatError) as caught:
        read_morloc(text, "math/package.yaml")
    return [line.removeprefix("math/package.yaml: ") for line in str(caught.value).splitlines()]


def test_morloc_documented_manifest_is_read() -> None:
    text = """\
name: math
version: 0.1.0
homepage: https://example.org/math
synopsis: Mathematical functions for morloc
description: Provides trigonometric, exponential, and other math functions
bug-reports: https://example.org/math/issues
license: MIT
author: Morloc Project
dependencies:
  - root
"""
    assert read_morloc(text, "p") == MorlocManifest(
        name="math",
        version="0.1.0",
        homepage="https://example.org/math",
        synopsis="Mathematical functions for morloc",
        description="Provides trigonometric, exponential, and other math functions",
        bug_reports="https://example.org/math/issues",
        license="MIT",
        author="Morloc Project",
        dependencies=("root",),
    )


def test_morloc_template_with_nulls_is_read() -> None:
    text = (
        "name: x\nversion: 0.1.0\nlicense: MIT\nhomepage: null\nsynopsis:\nauthor: ~\nexpose: null\ndependencies: []\n"
    )
    assert read_morloc(text, "p") == MorlocManifest(name="x", version="0.1.0", license="MIT")


def test_morloc_compiler_keys_are_read() -> None:
    text = f"""
name: tensor-cpp
version: 0.3.0
category: math
maintainer: me
github: me/tensor-cpp
cpp-version: 20
cxx-flags: [-O3]
dependencies: [m, gslcblas, root]
x-packyard: {{native: [m, gslcblas]}}
rust-deps: {{ndarray: "0.16"}}
py-deps:
  numpy: {{version: ">=2,<3", source: conda, channel: mine}}
  requests: {{source: pypi}}
  torch: {{channel: pytorch}}
r-deps: {{dplyr: "*"}}
cpp-deps: {{opencv: ">=4.8"}}
julia-deps: {{DataFrames: null}}
lang-versions: {{python: ">=3.10"}}
local-deps: {{py: {{helper: {{path: ./helper, editable: true}}}}}}
morloc-version: ">=0.98"
morloc-dependencies: [{{name: root, git-hash: {COMMIT.upper()}}}]
include: [src/, "*.hpp"]
setup: ./setup.sh
expose: {{cpp: [mdspan.hpp], py: [], r: null}}
"""
    assert read_morloc(text, "p") == MorlocManifest(
        name="tensor-cpp",
        version="0.3.0",
        category="math",
        maintainer="me",
        github="me/tensor-cpp",
        cpp_version=20,
        cxx_flags=("-O3",),
        dependencies=("m", "gslcblas", "root"),
        native=("m", "gslcblas"),
        rust_deps={"ndarray": ForeignDep(version="0.16", source="crates")},
        py_deps={
            "numpy": ForeignDep(version=">=2,<3", source="conda", channel="mine"),
            "requests": ForeignDep(source="pypi"),
            "torch": ForeignDep(source="conda", channel="pytorch"),
        },
        r_deps={"dplyr": ForeignDep(source="conda")},
        cpp_deps={"opencv": ForeignDep(version=">=4.8", source="conda")},
        julia_deps={"DataFrames": ForeignDep(source="pkg")},
        lang_versions={"python": ">=3.10"},
        local_deps={"py": {"helper": LocalDep(path="helper", editable=True)}},
        morloc_version=">=0.98",
        morloc_dependencies=(ModulePin(name="root", git_hash=COMMIT),),
        include=("src", "*.hpp"),
        setup="setup.sh",
        expose=Expose(cpp=("mdspan.hpp",)),
    )


@pytest.mark.parametrize("word", ["y", "n", "Y", "yes", "on", "off", "True"])
def test_morloc_boolean_word_as_name_is_refused_with_the_fix(word: str) -> None:
    assert said(f"name: {word}\nversion: 0.1.0\n") == [
        f"name: {word} is true or false in YAML; expected a string",
        f'  hint: write name: "{word}"',
    ]


def test_morloc_boolean_word_in_quotes_is_a_name() -> None:
    assert read_morloc('name: "y"\nversion: 0.1.0\n', "p").name == "y"


@pytest.mark.parametrize("version", ["1", "1.0", "1e3"])
def test_morloc_number_as_version_is_refused_with_the_fix(version: str) -> None:
    assert said(f"name: math\nversion: {version}\n") == [
        f"version: {version} is a number in YAML; expected a string",
        "  hint: write three numbers, like 1.0.0",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("homepage: x\n", ["name: is missing; expected a string", "version: is missing; expected a string"]),
        (
            "name: null\nversion: ''\n",
            [
                "name: is missing; expected a string",
                "version: '' is not a version; expected a SemVer version like 0.1.0",
            ],
        ),
        (
            "name: foo_bar\nversion: not-semver\n",
            [
                "name: 'foo_bar' is not a package name; expected letters and digits joined by '-'",
                "version: 'not-semver' is not a version; expected a SemVer version like 0.1.0",
            ],
        ),
        (
            HEAD + "dependencies: root\n",
            [
                "dependencies: 'root' is not a list; expected a list of strings",
                "  hint: write dependencies: [root]",
            ],
        ),
        (
            HEAD + "dependencies: [{name: root}, on, 3, root >=0.7]\n",
            [
                "dependencies[0]: is a mapping; expected a string",
                "dependencies[1]: on is true or false in YAML; expected a string",
                '  hint: write "on"',
                "dependencies[2]: 3 is a number in YAML; expected a string",
                '  hint: write "3"',
            ],
        ),
        (
            HEAD + "dependencies: [root >=0.7]\n",
            [
                "dependencies[0]: 'root >=0.7' is not a name; expected letters, digits and . _ + -, starting with a "
                "letter or digit"
            ],
        ),
        (
            HEAD + 'cpp-version: "20"\n',
            ["cpp-version: '20' is a string; expected an integer", "  hint: write cpp-version: 20"],
        ),
        (HEAD + "licence: MIT\n", ["licence: unknown key", "  hint: did you mean 'license'?"]),
        (HEAD + "licence: null\n", ["licence: unknown key", "  hint: did you mean 'license'?"]),
        (
            HEAD + "morloc-dependencies: [{name: root}, {name: a, git-hash: abc}, x]\n",
            [
                "morloc-dependencies[2]: 'x' is a string; expected a table",
                "morloc-dependencies[0].git-hash: is missing; expected a string",
                "morloc-dependencies[1].git-hash: 'abc' is not a commit; expected 40 or 64 hexadecimal digits",
            ],
        ),
        (
            HEAD + "morloc-deps: []\nmorloc-dependencies: []\n",
            ["morloc-dependencies: is the old name of morloc-deps; expected only one of them"],
        ),
        (
            HEAD + "setup: /bin/sh\nexpose: {py: [../x.py], go: []}\ninclude: [../a]\n",
            [
                "include[0]: '../a' leaves its folder through '..'; expected a path inside",
                "setup: '/bin/sh' is absolute; expected a relative path",
                "expose.py[0]: '../x.py' leaves its folder through '..'; expected a path inside",
                "expose.go: unknown key",
                "  hint: known keys: cpp, py, r",
            ],
        ),
        (
            HEAD + 'py-deps: {numpy: ">=2", x: {source: pkg}, y1: 2, z: {channel: c, source: pypi}}\n',
            [
                "py-deps.numpy: names no source; expected conda or pypi",
                '  hint: write numpy: {version: ">=2", source: conda}',
                "py-deps.x.source: unknown source 'pkg'; expected one of conda or pypi",
                "py-deps.y1: 2 is a number in YAML; expected a string",
                '  hint: write y1: "2"',
                "py-deps.z.channel: is only for conda, but the source is 'pypi'",
            ],
        ),
        (
            HEAD + "local-deps: {cpp: {}, py: {x: {path: ../y}, z: {}}}\n",
            [
                "local-deps.cpp: has no local packages; expected py or rust",
                "local-deps.py.x.path: '../y' leaves its folder through '..'; expected a path inside",
                "local-deps.py.z.path: is missing; expected a string",
            ],
        ),
        (HEAD + "x-packyard: {native: [m]}\n", ["x-packyard.native[0]: 'm' is not in dependencies"]),
    ],
)
def test_morloc_wrong_is_said(text: str, expected: list[str]) -> None:
    assert said(text) == expected
