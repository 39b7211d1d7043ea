from __future__ import annotations

from dataclasses import replace

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import folders, misfits, newest_python, pinned_files, selected, unusable
from packyard.formats.python.pylock import divide_pylock

MACHINE = Machine(python="3.11", platform="linux_amd64", release="3.11.7")
HASHES = f'hashes = {{ sha256 = "{"a" * 64}" }}'


def package(name: str, *tags: str, more: str = "") -> str:
    files = [f'{{ url = "https://x/{name}-1.0-{tag}.whl", {HASHES} }}' for tag in tags]
    return f'[[packages]]\nname = "{name}"\nversion = "1.0"\n{more}wheels = [{", ".join(files)}]\n'


def lock(*packages: str) -> str:
    return "\n".join(['lock-version = "1.0"\ncreated-by = "x"\n', *packages])


@pytest.mark.parametrize(
    ("text", "newest"),
    [
        (lock(), ""),
        (lock(package("pure", "py3-none-any")), ""),
        (lock(package("stable", "cp38-abi3-manylinux_2_17_x86_64")), ""),
        (lock(package("bound", "cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64")), "3.11"),
        (lock(package("quick", "cp311-cp311-manylinux_2_17_x86_64", "py3-none-any")), "3.11"),
        (lock(package("later", "py3-none-any", more="marker = \"python_version >= '3.13'\"\n")), "3.12"),
        (lock(package("gone", "py3-none-any", more="marker = \"python_version < '3.12'\"\n")), "3.11"),
        (lock(package("capped", "py3-none-any", more='requires-python = "<3.14"\n')), "3.13"),
        (lock(package("other", "py3-none-any", more="marker = \"sys_platform == 'win32'\"\n")), ""),
    ],
    ids=["nothing", "pure", "stable", "bound", "quick", "later", "gone", "capped", "other"],
)
def test_newest_python_is_the_last_that_needs_the_same_files(text: str, newest: str) -> None:
    assert newest_python(text, "pylock.toml", MACHINE) == newest


def test_files_are_those_for_the_machine() -> None:
    text = lock(package("bound", "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_aarch64"))
    assert [file.file for file in pinned_files(text, "pylock.toml", MACHINE)] == [
        "bound-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
    ]


@pytest.mark.parametrize("sha256", ["../../escaped", "/escaped", "a" * 63])
def test_file_whose_digest_is_no_digest_is_refused(sha256: str) -> None:
    """It is kept under its digest, so that becomes a path."""
    text = lock(package("one", "py3-none-any").replace("a" * 64, sha256))
    with pytest.raises(FormatError) as caught:
        pinned_files(text, "pylock.toml", MACHINE)
    assert str(caught.value) == (
        f"pylock.toml: packages.one: {sha256!r} is not a digest; expected sha256: and 64 hexadecimal digits"
    )


@pytest.mark.parametrize("name", ["../escaped", "/escaped", ".."])
def test_package_whose_name_is_a_path_is_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        pinned_files(lock(package("one", "py3-none-any").replace('"one"', f'"{name}"')), "pylock.toml", MACHINE)
    assert str(caught.value) == f"pylock.toml: is not a lock: name {name!r} is not normalized in 'packages[0].name'"


def plain(name: str, version: str, marker: str) -> str:
    return package(name, "py3-none-any", more=f"marker = '''{marker}'''\n").replace("1.0", version)


FORKED = lock(plain("two", "1.0", "python_version < '3.11'"), plain("two", "2.0", "python_version >= '3.11'"))
# As PDM writes it: each package is for a group, and the head says which groups count.
GROUPED = 'dependency-groups = ["default"]\ndefault-groups = ["default"]\n' + plain(
    "one", "1.0", '"default" in dependency_groups'
)


def test_misfits_are_told_of_the_version_for_the_machine() -> None:
    wanted = ["two<2; python_version < '3.11'", "two>=2; python_version >= '3.11'"]
    assert list(misfits(FORKED, "pylock.toml", MACHINE, wanted)) == []
    old = replace(MACHINE, python="3.10", release="")
    assert list(misfits(FORKED, "pylock.toml", old, wanted)) == []
    assert list(misfits(FORKED, "pylock.toml", old, ["two>=2", "rare", "gone; python_version > '3.10'"])) == [
        "'two>=2' does not fit the 1.0 that is locked for linux_amd64",
        "'rare' is not in it for linux_amd64",
    ]


def test_misfits_are_told_of_another_address() -> None:
    text = lock(package("one", "py3-none-any"))
    assert list(misfits(text, "p", MACHINE, ["one @ https://me:word@x/one-1.0-py3-none-any.whl"])) == []
    url = "one @ https://other/one-1.0-py3-none-any.whl"
    assert list(misfits(text, "p", MACHINE, [url])) == [f"{url!r} is locked from another address"]


def test_package_for_a_group_is_there_when_the_whole_lock_says_so() -> None:
    assert [file.name for file in pinned_files(lock(GROUPED), "pylock.toml", MACHINE)] == ["one"]
    ((_, part),) = divide_pylock(lock(GROUPED), "pylock.toml").items()
    assert [file.name for file in pinned_files(part, "pylock.toml", MACHINE)] == ["one"]
    assert list(misfits(lock(GROUPED.replace('default-groups = ["default"]\n', "")), "p", MACHINE, ["one"])) == [
        "'one' is not in it for linux_amd64"
    ]


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (
            'requires-python = ">=3.12"\n',
            "pylock.toml: requires-python: is for Python '>=3.12'; expected 3.11\n"
            "  hint: lock again for this Python, or take another (tool.flavor.python_version)",
        ),
        (
            "environments = [\"sys_platform == 'win32'\"]\n",
            "pylock.toml: environments: is for other machines ('sys_platform == \"win32\"'); expected linux_amd64 with "
            "Python 3.11\n  hint: lock again for this machine too",
        ),
    ],
)
def test_lock_for_others_is_refused_whole_and_divided(head: str, problem: str) -> None:
    whole = lock(head + package("one", "py3-none-any"))
    for text in (whole, *divide_pylock(whole, "pylock.toml").values()):
        for ask in (pinned_files, selected):
            with pytest.raises(FormatError) as caught:
                ask(text, "pylock.toml", MACHINE)
            assert str(caught.value) == problem


def test_two_versions_for_one_machine_are_refused() -> None:
    with pytest.raises(FormatError) as caught:
        selected(FORKED.replace("'3.11'", "'3.99'").replace(">=", "<"), "pylock.toml", MACHINE)
    assert str(caught.value) == (
        "pylock.toml: does not fit linux_amd64: multiple packages with the name 'two' are selected at packages[1] and "
        "packages[0]"
    )


def test_packages_that_no_digest_identifies_are_unusable() -> None:
    git = '[[packages]]\nname = "far"\nvcs = { type = "git", url = "https://x/far.git", commit-id = "abc" }\n'
    here = '[[packages]]\nname = "here"\ndirectory = { path = "." }\n'
    hint = "list its folder in workspace.members, or depend on a version from the package index"
    assert [str(problem) for problem in unusable(lock(git, here), "p", MACHINE)] == [
        f"p: packages.far: is a repository; expected a file identified by a digest\n  hint: {hint}",
        f"p: packages.here: is a folder; expected a file identified by a digest\n  hint: {hint}",
    ]
    assert folders(lock(git, here), "p") == {"here"}
