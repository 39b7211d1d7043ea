from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import newest_python, pinned_files

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
