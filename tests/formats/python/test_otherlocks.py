from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.otherlocks import (
    Hashed,
    keep_hashed,
    read_hashed_requirements,
    read_uv_extras,
    read_uv_lock,
)

A, B, C = "a" * 64, "b" * 64, "c" * 64
EXPORTED = f"""\
# exported by a tool
--index-url https://index.example/simple
-e ../lib
./local
Click==8.1.7 ; python_version >= "3.8" and python_version < "4.0" \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}  # two files
    # via flask
flask[async]==3.0.0 --hash=sha256:{C} --hash=md5:1234
"""
UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "1.0"
source = { virtual = "." }

[[package]]
name = "Click"
version = "8.1.7"
source = { registry = "https://index.example/simple" }
"""


def test_uv_lock_tells_with_which_extras_it_holds_what() -> None:
    edges = """\
dependencies = [{ name = "Click" }, { name = "flask", extra = ["Async_IO", "dotenv"] }]

[package.optional-dependencies]
more = [{ name = "click", extra = ["more"] }]
"""
    text = UV_LOCK.replace('source = { virtual = "." }\n', f'source = {{ virtual = "." }}\n{edges}')
    assert read_uv_extras(text, "uv.lock") == {
        "click": frozenset({"more"}), "flask": frozenset({"async-io", "dotenv"}),
    }  # fmt: skip


def test_requirements_with_hashes_are_a_lock() -> None:
    click, flask = read_hashed_requirements(EXPORTED, "requirements.txt")
    assert click == Hashed(
        name="click",
        version="8.1.7",
        text='Click==8.1.7 ; python_version >= "3.8" and python_version < "4.0"',
        hashes=frozenset({A, B}),
    )
    assert (flask.name, flask.version, flask.hashes) == ("flask", "3.0.0", frozenset({C}))


def test_requirements_without_hashes_are_none() -> None:
    assert read_hashed_requirements("click>=8\n-r other.txt\nnot a requirement at all\n", "requirements.txt") == ()


def test_requirements_say_every_line_that_is_not_pinned() -> None:
    text = f"{EXPORTED}attrs>=22\nsix==1.16\n-r more.txt\n??? --hash=sha256:{A}\n"
    with pytest.raises(FormatError) as error:
        read_hashed_requirements(text, "requirements.txt")
    assert str(error.value) == (
        "requirements.txt: line 10: 'attrs>=22' is not pinned; expected one version, like 'attrs==1.0'\n"
        "requirements.txt: line 11: 'six==1.16' has no SHA-256; expected --hash=sha256:...\n"
        "requirements.txt: line 12: '-r more.txt' refers to another file; expected one self-contained file\n"
        "requirements.txt: line 13: '???' is not a requirement; expected one like 'click==8.1.7'"
    )


def test_uv_lock_names_packages_and_folders() -> None:
    assert read_uv_lock(UV_LOCK, "uv.lock") == (("app", ""), ("click", "8.1.7"))


def test_uv_lock_of_another_version_is_refused() -> None:
    with pytest.raises(FormatError) as error:
        read_uv_lock(UV_LOCK.replace("version = 1\n", "version = 2\n", 1), "uv.lock")
    assert str(error.value) == "uv.lock: version: has version 2; expected 1"


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("package = ['x']", "uv.lock: package[0]: 'x' is a string; expected a table"),
        ("package = 'x'", "uv.lock: package: 'x' is a string; expected a list"),
        ("[[package]]\nname = 1", "uv.lock: package[0].name: 1 is an integer; expected a string"),
        ("[[package]]\nname = 'a'\nsource = 'b'", "uv.lock: package[0].source: 'b' is a string; expected a table"),
    ],
)
def test_uv_lock_wrong_is_refused(package: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_uv_lock(f"version = 1\n{package}\n", "uv.lock")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("dependencies = [1]", "uv.lock: package[0].dependencies[0]: 1 is an integer; expected a table"),
        (
            "optional-dependencies = { x = [{ name = 'b', extra = 'y' }] }",
            "uv.lock: package[0].optional-dependencies.x[0].extra: 'y' is a string; expected a list",
        ),
    ],
)
def test_uv_extras_wrong_are_refused(package: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read_uv_extras(f"version = 1\n[[package]]\nname = 'a'\n{package}\n", "uv.lock")
    assert str(error.value) == message


def lock(*hashes: str) -> str:
    wheels = ", ".join(
        f'{{ url = "https://x/click-8.1.7-{number}-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}'
        for number, digest in enumerate(hashes, 1)
    )
    head = 'lock-version = "1.0"\ncreated-by = "x"\n\n'
    return f'{head}[[packages]]\nname = "click"\nversion = "8.1.7"\nwheels = [{wheels}]\n'


def test_files_whose_hashes_were_not_named_are_left_out() -> None:
    lines = read_hashed_requirements(EXPORTED, "requirements.txt")
    kept = keep_hashed(lock(C, A), lines, "requirements.txt")
    assert A in kept and C not in kept
    with pytest.raises(FormatError) as error:
        keep_hashed(lock(C), lines, "requirements.txt")
    assert str(error.value) == "requirements.txt: no file of 'click' on the package index has one of its hashes"


@pytest.mark.parametrize("name", ["../escaped", "/escaped"])
def test_name_that_is_a_path_is_refused(name: str) -> None:
    wanted = f"{name!r} is not a distribution name; expected letters and digits with . _ - between them"
    with pytest.raises(FormatError) as caught:
        read_uv_lock(UV_LOCK.replace('"Click"', f'"{name}"'), "uv.lock")
    assert str(caught.value) == f"uv.lock: package[1].name: {wanted}"
    with pytest.raises(FormatError) as caught:
        read_uv_extras(UV_LOCK + f'dependencies = [{{ name = "{name}" }}]\n', "uv.lock")
    assert str(caught.value) == f"uv.lock: package[1].dependencies[0].name: {wanted}"
