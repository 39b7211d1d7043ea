from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyard.formats.digest import digest_of
from packyard.formats.errors import FormatError
from packyard.formats.morloc.lock import LockedPackage
from packyard.formats.workspace.lock import (
    HEAD,
    InterpreterPin,
    ToolchainPin,
    WorkspaceLock,
    read_lock,
    with_interpreters,
    write_lock,
)

PLACE = "packyard.lock"
SUM = digest_of(b"archive")
COMMIT = "0123456789abcdef" * 2 + "01234567"
MOJO = ToolchainPin(mojo="1.0.0", lock="pylock.mojo.toml")
ARCHIVE = InterpreterPin(version="3.12", platform="linux_amd64", url="https://x/y.tar.gz", sha256=SUM)
FOLDER = InterpreterPin(version="3.11", platform="linux_arm64", folder="python")
ROOT = LockedPackage(
    name="root", version="0.7.0", source="default", commit=COMMIT, content=SUM, dependencies=("internal",)
)
SHAPES = LockedPackage(name="shapes", version="0.1.0", source="member", dependencies=("root",))
LOCK = WorkspaceLock(toolchains=(MOJO,), interpreters=(ARCHIVE, FOLDER), morloc=(ROOT, SHAPES))
TEXT = f"""\
[[toolchain]]
mojo = "1.0.0"
lock = "pylock.mojo.toml"

[[interpreter]]
version = "3.12"
platform = "linux_amd64"
url = "https://x/y.tar.gz"
sha256 = "{SUM}"

[[interpreter]]
version = "3.11"
platform = "linux_arm64"
folder = "python"

[[morloc]]
name = "root"
version = "0.7.0"
source = "default"
commit = "{COMMIT}"
content = "{SUM}"
dependencies = ["internal"]

[[morloc]]
name = "shapes"
version = "0.1.0"
source = "member"
dependencies = ["root"]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(FormatError) as caught:
        read_lock(text, PLACE)
    return str(caught.value).splitlines()


def test_lock_is_written_in_one_order_and_read_back() -> None:
    assert write_lock(replace(LOCK, morloc=(SHAPES, ROOT))) == TEXT
    assert read_lock(TEXT, PLACE) == LOCK
    assert LOCK.packages == {"root": ROOT, "shapes": SHAPES}
    assert read_lock("", PLACE) == WorkspaceLock()
    assert write_lock(WorkspaceLock()) == ""


def test_lock_with_wrong_pins_is_refused_with_all_of_them() -> None:
    assert problems(
        '[[toolchain]]\nmojo = "new"\nlok = "x"\n'
        + '[[toolchain]]\nmojo = "1.0.0"\nlock = "a"\n' * 2
        + '[[interpreter]]\nversion = "3"\nplatform = "linux_amd64"\npath = "a.tar.gz"\n'
        + '[[interpreter]]\nversion = "3.12"\nplatform = "linux_amd64"\n' * 2
    ) == [
        "packyard.lock: toolchain[0].mojo: 'new' is not a version; expected a PEP 440 version like 1.2.0",
        "packyard.lock: toolchain[0].lock: is missing; expected a string",
        "packyard.lock: toolchain[2].mojo: '1.0.0' is pinned twice",
        "packyard.lock: interpreter[0].version: '3' is not a Python version; expected one like '3.12'",
        "packyard.lock: interpreter[0].sha256: is missing; expected the SHA-256 of the archive",
        "packyard.lock: interpreter[1]: expected one of url, path and folder",
        "packyard.lock: interpreter[2]: expected one of url, path and folder",
        "packyard.lock: interpreter[2].version: '3.12' for 'linux_amd64' is pinned twice",
        "packyard.lock: toolchain[0].lok: unknown key",
        "  hint: did you mean 'lock'?",
    ]


def test_lock_with_wrong_packages_is_refused_with_all_of_them() -> None:
    assert problems(
        '[[morloc]]\nname = "a_b"\nversion = "1"\ncommit = "abc"\n[[morloc]]\nname="x"\nversion="1.0.0"\nsource="s"\n'
        '[[morloc]]\nname="x"\nversion="1.0.0"\nsource="s"\ntime=1\n'
    ) == [
        "packyard.lock: morloc[0].name: 'a_b' is not a package name; expected letters and digits joined by '-'",
        "packyard.lock: morloc[0].version: '1' is not a version; expected a SemVer version like 0.1.0",
        "packyard.lock: morloc[0].source: is missing; expected a string",
        "packyard.lock: morloc[0].commit: 'abc' is not a commit; expected 40 or 64 hexadecimal digits",
        "packyard.lock: morloc[2].name: 'x' is pinned twice",
        "packyard.lock: morloc[2].time: unknown key",
        "  hint: known keys: commit, content, dependencies, installed, name, source, version",
    ]


def test_lock_with_an_unknown_table_is_refused() -> None:
    assert problems('[[interpretor]]\nversion = "3.12"\n[uv]\n') == [
        "packyard.lock: interpretor: unknown key",
        "  hint: did you mean 'interpreter'?",
        "packyard.lock: uv: unknown key",
        "  hint: known keys: interpreter, morloc, toolchain",
    ]


def test_lock_of_a_repository_with_quotes_in_its_path_is_read_back() -> None:
    lock = WorkspaceLock(morloc=(LockedPackage(name="a", version="1.0.0", source="git+file:///it's/\"a\\b"),))
    assert read_lock(write_lock(lock), PLACE) == lock


def test_lock_that_says_the_same_stays_to_the_letter() -> None:
    text = '\n# ours\n\n\n[[ interpreter ]]\nversion="3.11"  # old\nplatform="linux_arm64"\nfolder="python"\n\n# end'
    assert write_lock(WorkspaceLock(interpreters=(FOLDER,)), text) == text


BY_HAND = """\
# Pinned by us.
# Ask before you change it.

# for the benchmarks
[[interpreter]]
platform = "linux_arm64"   # the board
version = "3.11"
folder = "python"

# What follows is for releases.

# the newest
[[interpreter]]
version = "3.12"
platform = "linux_amd64"
path = "old.tar.gz"   # not for long
sha256 = "{old}"
# below the last one
""".format(old="ab" * 32)


def test_lock_keeps_the_words_of_tables_that_stay_and_comments_of_those_that_change() -> None:
    lock = with_interpreters(replace(read_lock(BY_HAND, PLACE), toolchains=(MOJO,), morloc=(SHAPES,)), [ARCHIVE])
    assert lock.interpreters == (FOLDER, ARCHIVE)
    written = f"""\
# Pinned by us.
# Ask before you change it.

# for the benchmarks
[[interpreter]]
platform = "linux_arm64"   # the board
version = "3.11"
folder = "python"

# the newest
[[interpreter]]
version = "3.12"
platform = "linux_amd64"
url = "https://x/y.tar.gz"
sha256 = "{SUM}"

# What follows is for releases.

[[toolchain]]
mojo = "1.0.0"
lock = "pylock.mojo.toml"

[[morloc]]
name = "shapes"
version = "0.1.0"
source = "member"
dependencies = ["root"]

# below the last one
"""
    assert write_lock(lock, BY_HAND) == written
    assert write_lock(lock, written) == written


def test_lock_loses_tables_that_go_and_what_stands_right_above_them() -> None:
    assert write_lock(WorkspaceLock(toolchains=(MOJO,)), BY_HAND) == (
        "# Pinned by us.\n# Ask before you change it.\n\n# What follows is for releases.\n\n"
        '[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n\n# below the last one\n'
    )


def test_lock_that_is_begun_has_its_head_first() -> None:
    lock = WorkspaceLock(toolchains=(MOJO,))
    assert write_lock(lock, HEAD) == f'{HEAD}\n[[toolchain]]\nmojo = "1.0.0"\nlock = "pylock.mojo.toml"\n'


def test_lock_in_another_form_of_toml_is_written_anew() -> None:
    text = '# lost\ninterpreter = [{version = "3.11", platform = "linux_arm64", folder = "python"}]\n'
    lock = read_lock(text, PLACE)
    assert write_lock(lock, text) == text
    assert write_lock(replace(lock, toolchains=(MOJO,)), text) == write_lock(replace(lock, toolchains=(MOJO,)))


def test_lock_that_is_wrong_is_not_written_over() -> None:
    with pytest.raises(FormatError, match=r"^packyard\.lock: line 1, column 1: is not TOML: "):
        write_lock(LOCK, "<<<<<<< ours\n")


locks = st.builds(
    WorkspaceLock,
    toolchains=st.lists(st.sampled_from([MOJO, replace(MOJO, mojo="1.2.0"), replace(MOJO, mojo="2.0.0")]), unique=True),
    interpreters=st.lists(
        st.sampled_from([ARCHIVE, FOLDER, replace(FOLDER, version="3.12")]),
        unique_by=lambda pin: (pin.version, pin.platform),
    ),
    morloc=st.lists(st.sampled_from([ROOT, SHAPES, replace(ROOT, version="0.8.0")]), unique_by=lambda one: one.name),
)


@given(locks, locks)
def test_lock_says_what_was_written_whatever_stood_there(one: WorkspaceLock, other: WorkspaceLock) -> None:
    one, other = (replace(lock, **{key: tuple(getattr(lock, key)) for key in lock.__slots__}) for lock in (one, other))
    commented = "# head\n\n" + write_lock(one).replace("[[", "# above\n[[").replace('"\n', '"  # behind\n')
    wanted = replace(other, morloc=tuple(sorted(other.morloc, key=lambda package: package.name)))
    text = write_lock(other, commented)
    assert read_lock(text, PLACE) == wanted
    assert write_lock(other, text) == text
    assert text.startswith("# head\n")
