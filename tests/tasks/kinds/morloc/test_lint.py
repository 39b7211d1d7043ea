from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.kinds.morloc.lint import lint
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.workspace.workspace import read_workspace

from tests.tasks.kinds.morloc.corpus import EXPECTED, MANIFESTS, PACKAGES, SOUND, write_corpus, write_package


def found(root: Path) -> list[str]:
    workspace = read_workspace(root)
    return [str(finding) for finding in lint(read_packages(workspace), root=root.name)]


def test_corpus_gives_exactly_the_expected_findings(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    codes: dict[str, list[str]] = defaultdict(list)
    for finding in lint(read_packages(read_workspace(tmp_path)), root=tmp_path.name):
        codes[finding.package].append(finding.code)
    assert {name: sorted(found) for name, found in codes.items()} == {
        name: sorted(expected) for name, expected in EXPECTED.items()
    }
    assert len(PACKAGES) + len(MANIFESTS) >= 40


def test_corpus_errors_come_before_warnings(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    levels = [finding.level for finding in lint(read_packages(read_workspace(tmp_path)))]
    assert levels == sorted(levels)


def test_corpus_in_any_order_gives_the_same_findings(tmp_path: Path) -> None:
    names = list(PACKAGES)
    write_corpus(tmp_path / "one" / "w", names)
    random.Random(6).shuffle(names)
    write_corpus(tmp_path / "two" / "w", names)
    assert found(tmp_path / "one" / "w") == found(tmp_path / "two" / "w")


def test_sound_packages_have_no_findings(tmp_path: Path) -> None:
    write_corpus(tmp_path, SOUND)
    assert found(tmp_path) == []


def test_range_that_a_member_is_out_of_is_an_error(tmp_path: Path) -> None:
    write_corpus(tmp_path, ["bottom"])
    [version] = [one.manifest.version for one in read_packages(read_workspace(tmp_path)).values()]
    files = {
        "package.yaml": 'name: top\nversion: 0.1.0\nx-packyard:\n  requires: {bottom: ">=9"}\n',
        "main.loc": "module top (f)\nimport bottom\nf x = x\n",
    }
    write_package(tmp_path / "m" / "top", files)
    assert found(tmp_path) == [
        f"error: m/top/package.yaml: x-packyard.requires.bottom: '>=9' does not admit version {version} of 'bottom' "
        "(m/bottom/package.yaml)"
    ]


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_trap_is_said(tmp_path: Path, name: str) -> None:
    text, expected = MANIFESTS[name]
    write_corpus(tmp_path, ["bottom"])
    write_package(tmp_path / "m" / name, {"package.yaml": text, "main.loc": ""})
    with pytest.raises(FormatError) as caught:
        read_workspace(tmp_path)
    said = str(caught.value).splitlines()
    assert said == [line if line.startswith("  ") else f"m/{name}/package.yaml: {line}" for line in expected]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unused", ["warning: m/unused/package.yaml: dependencies: 'bottom' is declared but not imported"]),
        (
            "sub-only",
            [
                "warning: m/sub-only/main.loc: 'root' is imported only in submodules, so the compiler's installer "
                "does not fetch it",
                "  hint: import root in main.loc too",
            ],
        ),
        (
            "dotty",
            [
                "warning: m/dotty/main.loc: line 2: '.inner' is looked up beside the entry file of the program "
                "being compiled",
                "  hint: import dotty.inner, or nothing can import this package",
            ],
        ),
        (
            "two-blanks",
            [
                "warning: m/two-blanks/main.loc: line 3: the compiler's installer does not see the import of 'bottom'",
                "  hint: write 'import bottom' at the start of a line, with one space",
                "warning: m/two-blanks/main.loc: line 2: the compiler's installer does not see the import of 'root'",
                "  hint: write 'import root' at the start of a line, with one space",
            ],
        ),
        (
            "in-a-string",
            [
                "warning: m/in-a-string/main.loc: the compiler's installer takes 'bottom' for an import, but it is "
                "in a comment or string"
            ],
        ),
        (
            "flagged",
            [
                "warning: m/flagged/package.yaml: dependencies[0]: the compiler also treats 'root' as a library, "
                "and links the C++ parts of programs with -lroot",
                "  hint: declare it with x-packyard: {requires: {root: '*'}}, which the compiler does not read",
            ],
        ),
        (
            "pinned",
            ["warning: m/pinned/package.yaml: morloc-dependencies: 'root' is pinned but not imported"],
        ),
        (
            "named",
            [
                "warning: m/named/named.loc: the package is installed, but 'import named' finds no file with this name",
                "  hint: call it main.loc",
            ],
        ),
        (
            "Upper",
            [
                "warning: m/Upper/package.yaml: name: 'Upper' has upper-case letters, and the compiler refuses such a "
                "module header"
            ],
        ),
        ("y", ["warning: m/y/package.yaml: name: 'y' is true or false in YAML unless it is quoted"]),
        ("leftover", ["warning: m/leftover: no module sources 'old.py'"]),
        (
            "ignoring",
            [
                "warning: m/ignoring: 'secret.tmp': git ignores it, but it belongs to the package",
                "  hint: also name it in .morlocignore, or set gitignore = true in [morloc] of packyard.toml",
            ],
        ),
        (
            "partly",
            [
                "warning: m/partly/package.yaml: include: 'p.py' is sourced but not included; an installed program "
                "lacks it"
            ],
        ),
        ("to-folder", ["warning: m/to-folder/again: is a link to a folder, so it is left out of the package"]),
        (
            "links",
            [
                "error: m/links/broken.txt: is a link to 'gone.txt', which is not a file of the package",
                "error: m/links/out.txt: is a link that leaves the package, to '../bottom/main.loc'",
            ],
        ),
    ],
)
def test_finding_is_said_whole(tmp_path: Path, name: str, expected: list[str]) -> None:
    write_corpus(tmp_path, ["bottom", name])
    assert "\n".join(found(tmp_path)).splitlines() == expected


def test_link_flag_reaches_packages_loaded_together_with_cpp(tmp_path: Path) -> None:
    """`lib` has no C++, but the program that imports it and `impl` is linked with the flags of both."""
    write_corpus(tmp_path, [])
    write_package(
        tmp_path / "m/lib",
        {
            "package.yaml": "name: lib\nversion: 0.1.0\ndependencies: [root]\n",
            "main.loc": "module lib (*)\nimport root\n",
        },
    )
    write_package(
        tmp_path / "m/impl",
        {
            "package.yaml": "name: impl\nversion: 0.1.0\nx-packyard: {requires: {lib: '*'}}\n",
            "main.loc": 'module impl (*)\nimport lib\nsource Cpp from "i.hpp" ("f")\n',
            "i.hpp": "",
        },
    )
    assert next(line for line in found(tmp_path) if "-lroot" in line).startswith("warning: m/lib/package.yaml")


def test_gitignored_files_stay_out_on_request(tmp_path: Path) -> None:
    write_corpus(tmp_path, ["ignoring"])
    (tmp_path / "packyard.toml").write_text('[workspace]\nname = "w"\nmembers = ["m/*"]\n[morloc]\ngitignore = true\n')
    assert found(tmp_path) == []
    package = read_packages(read_workspace(tmp_path))["ignoring"]
    assert sorted(package.files) == [".gitignore", "main.loc", "package.yaml"]
