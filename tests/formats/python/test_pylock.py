from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python import pylock
from packyard.formats.python.pylock import (
    divide_pylock,
    drift,
    read_pylock,
    stamp_pylock,
    with_packages,
    without_packages,
)

BARE = f"""\
lock-version = "1.0"
created-by = "x"

[[packages]]
name = "Click"
version = "8.1.7"
wheels = [{{ url = "https://x/click.whl", hashes = {{ sha256 = "{"a" * 64}" }} }}]

[[packages]]
name = "here"
directory = {{ path = "." }}
"""


def test_stamp_then_read_gives_the_question_back() -> None:
    text = stamp_pylock(BARE, requirements=["click>=8", 'x; python_version < "3.13"'], python="3.12")
    lock = read_pylock(text, "pylock.toml")
    assert lock.packages == (("click", "8.1.7"), ("here", ""))
    assert (lock.requirements, lock.python, lock.ours) == (("click>=8", 'x; python_version < "3.13"'), "3.12", True)


def test_stamp_twice_replaces_the_first() -> None:
    once = stamp_pylock(BARE, requirements=["click>=8"], python="3.12")
    assert (
        stamp_pylock(
            stamp_pylock(BARE, requirements=["other"], python="3.11"), requirements=["click>=8"], python="3.12"
        )
        == once
    )
    assert stamp_pylock(once, requirements=[], python="3.12").endswith('python = "3.12"\nrequirements = []\n')


def test_read_of_the_same_text_again_is_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of many applications reads the same lock many times."""
    text = stamp_pylock(BARE, requirements=["only-here"], python="3.12")
    first = read_pylock(text, "one/pylock.toml")
    monkeypatch.setattr(pylock, "read_toml", lambda *_: pytest.fail("it was parsed again"))
    assert read_pylock(text, "two/pylock.toml") is first


def test_read_of_the_same_broken_text_names_each_place() -> None:
    for place in ("one/pylock.toml", "two/pylock.toml"):
        with pytest.raises(FormatError) as caught:
            read_pylock("lock-version =", place)
        assert str(caught.value) == f"{place}: line 1, column 15: is not TOML: invalid value"


@pytest.mark.parametrize(
    ("locked", "wanted", "python", "changes"),
    [
        (["click>=8"], ["Click >=8"], "3.12", []),
        (["a", "b"], ["b", "a"], "3.12", []),
        (["a[x,y]>=1,<2"], ["a[y,x]<2,>=1"], "3.12", []),
        (["a>=1"], ["a>=2"], "3.12", ["'a>=2' was added", "'a>=1' was removed"]),
        (["a"], ["a", "b"], "3.12", ["'b' was added"]),
        (["a"], ["a"], "3.13", ["it is for Python 3.12, not 3.13"]),
    ],
)
def test_drift_of_our_own_lock(locked: list[str], wanted: list[str], python: str, changes: list[str]) -> None:
    lock = read_pylock(stamp_pylock(BARE, requirements=locked, python="3.12"), "pylock.toml")
    assert list(drift(lock, requirements=wanted, python=python)) == changes


def test_drift_of_a_lock_that_others_made_compares_versions() -> None:
    lock = read_pylock(BARE, "pylock.toml")
    wanted = ["click>=8", "click<8", "flask", 'colorama; sys_platform == "win32"', "here>=9"]
    assert list(drift(lock, requirements=wanted, python="3.12")) == [
        "'click<8' does not fit the locked 8.1.7",
        "'flask' is not in it",
    ]


def test_drift_of_a_forked_lock_is_that_no_version_fits() -> None:
    text = BARE + '[[packages]]\nname = "click"\nversion = "7.0"\nmarker = "python_version < \'3.7\'"\n'
    lock = read_pylock(text, "pylock.toml")
    assert list(drift(lock, requirements=["click>=8", "click<8"], python="3.12")) == []
    assert list(drift(lock, requirements=["click>=9"], python="3.12")) == [
        "'click>=9' does not fit the locked 8.1.7 and 7.0"
    ]


def test_read_file_without_digest_and_unknown_version_are_refused() -> None:
    text = 'lock-version = "2.0"\n[[packages]]\nname = "a"\nversion = "1"\nwheels = [{ url = "https://x/a.whl" }]\n'
    with pytest.raises(FormatError) as error:
        read_pylock(text, "pylock.toml")
    assert str(error.value) == (
        "pylock.toml: lock-version: '2.0' is not a known version; expected '1.0'\n"
        "pylock.toml: packages[0].wheels[0].hashes.sha256: 'a' has a file without a SHA-256, so it cannot be verified"
    )


BLOCKS = """\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "Flask"
version = "3.0"
wheels = [{ url = "https://example.org/[[packages]].whl", hashes = { sha256 = "SUM" } }]

[[packages]]
name = "idna"
version = "3.1"

[packages.sdist]
name = "idna.tar.gz"
hashes = { sha256 = "SUM" }

[[packages.wheels]]
name = "idna.whl"
hashes = { sha256 = "SUM" }

[tool.packyard]
python = "3.12"
requirements = []
""".replace("SUM", "ab" * 32)


def test_divide_gives_a_lock_for_each_package() -> None:
    parts = divide_pylock(BLOCKS, "pylock.toml")
    assert list(parts) == [("flask", "3.0"), ("idna", "3.1")]
    for package, text in parts.items():
        assert read_pylock(text, "part").packages == (package,)
        assert not read_pylock(text, "part").ours
    assert parts["idna", "3.1"].count("sha256") == 2


def test_divide_keeps_what_decides_of_the_whole_lock() -> None:
    head = 'requires-python = ">=3.10"\ndefault-groups = ["default"]\nenvironments = ["os_name == \'posix\'"]\n'
    for text in divide_pylock(BLOCKS.replace("\n\n", f"\n{head}\n", 1), "pylock.toml").values():
        assert text.startswith(
            'lock-version = "1.0"\ncreated-by = "packyard"\nrequires-python = ">=3.10"\n'
            'environments = [\n    "os_name == \'posix\'",\n]\ndefault-groups = [\n    "default",\n]\n\n[[packages]]\n'
        )


@pytest.mark.parametrize("form", [BARE, 'lock-version = "1.0"\npackages = [{ name = "click", version = "8.1.7" }]\n'])
def test_packages_are_added_and_taken_out_whatever_the_form(form: str) -> None:
    forked = [f'[[packages]]\nname = "two"\nversion = "{n}.0"\nmarker = "os_name == \'{n}\'"\n' for n in (1, 2)]
    more = 'lock-version = "1.0"\n' + "".join(forked) + '[[packages]]\nname = "click"\nversion = "9"\n'
    text = with_packages(form, more, "pylock.toml")
    added = (("two", "1.0"), ("two", "2.0"))
    known = read_pylock(form, "pylock.toml").packages
    assert read_pylock(text, "pylock.toml").packages == (*known, *added)
    assert read_pylock(without_packages(text, {"click", "here"}, "pylock.toml"), "").packages == added


@pytest.mark.parametrize(
    "text",
    [
        'lock-version = "1.0"\npackages = [{ name = "a", version = "1" }]\n',
        'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\n[[packages]]\nname = "A"\nversion = "2"\n',
        'lock-version = "1.0"\npackages = []\n',
    ],
)
def test_divide_leaves_a_lock_of_another_form_whole(text: str) -> None:
    assert divide_pylock(text, "pylock.toml") == {}


@pytest.mark.parametrize("name", ["../escaped", "/escaped", ".."])
def test_read_name_that_is_a_path_is_refused(name: str) -> None:
    """Names of distributions become names of files and of folders."""
    wanted = f"{name!r} is not a distribution name; expected letters and digits with . _ - between them"
    with pytest.raises(FormatError) as caught:
        read_pylock(BARE.replace('"here"', f'"{name}"'), "pylock.toml")
    assert str(caught.value) == f"pylock.toml: packages[1].name: {wanted}"
    build = f'\n[[tool.packyard.build]]\nname = "{name}"\nrequires = []\nlock = "x"\n'
    with pytest.raises(FormatError) as caught:
        read_pylock(stamp_pylock(BARE, requirements=[], python="3.12") + build, "pylock.toml")
    assert str(caught.value) == f"pylock.toml: tool.packyard.build[0].name: {wanted}"


def test_read_version_that_is_none_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        read_pylock(BARE.replace('"8.1.7"', '"../8"'), "pylock.toml")
    assert str(caught.value) == (
        "pylock.toml: packages[0].version: '../8' is not a version; expected a PEP 440 version like 1.2.0"
    )
