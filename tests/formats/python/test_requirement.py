from __future__ import annotations

from collections.abc import Callable

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.requirement import (
    passwords,
    read_distribution_name,
    read_python_release,
    read_python_version,
    read_requirement,
    read_specifier,
    requirement_for,
    without_password,
)


def test_release_is_in_its_normal_form() -> None:
    assert [read_python_release(text) for text in ("1.0.0", "1.0-RC1", "v2")] == ["1.0.0", "1.0rc1", "2"]


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_python_release, "one", "'one' is not a version; expected a PEP 440 version like 1.2.0"),
        (
            read_distribution_name,
            "my app",
            "'my app' is not a distribution name; expected letters and digits with . _ - between them",
        ),
        (
            read_requirement,
            "flask >=",
            "'flask >=' is not a dependency; expected one like 'flask>=2.0' (expected semicolon (after name with no "
            "version specifier) or end)",
        ),
        (read_specifier, "3.11", "'3.11' is not a version range; expected one like '>=3.11'"),
        (read_python_version, "3.11.7", "'3.11.7' is not a Python version; expected one like '3.12'"),
        (read_python_version, "3.1\u0661", "'3.1\u0661' is not a Python version; expected one like '3.12'"),
        (read_python_version, "2.7", "'2.7' is not a Python version; expected one like '3.12'"),
    ],
)
def test_text_wrong_is_refused(read: Callable[[str], str], text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "version", "after"),
    [
        ("core", "0.2.0", "core"),
        ("core>=0.1", "0.2.0", "core>=0.1"),
        ("core==0.1.0", "0.1.1", "core==0.1.1"),
        ("core ~= 0.1.0", "0.2.0", "core ~=0.2.0"),
        ("core[all] (>=0.1,<0.2) ; python_version > '3'", "0.2.0", "core[all] >=0.2.0,<0.3 ; python_version > '3'"),
        ("core==0.1.*", "0.2.0", "core>=0.2.0,<0.3"),
        ("core (==0.1.0) ", "0.2.0", "core ==0.2.0 "),
        ("core<2", "2.0.0", "core>=2.0.0,<3"),
    ],
)
def test_requirement_for_follows_a_version(text, version, after):
    assert requirement_for(text, version) == after


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("a @ https://me:word@host/a.whl", "a @ https://host/a.whl"),
        ("git+https://token@host/a.git@v1", "git+https://host/a.git@v1"),
        ("git+ssh://git@host/a.git", "git+ssh://git@host/a.git"),
        ("https://host/@scope/a.whl", "https://host/@scope/a.whl"),
        ('url = "http://a/", mail = "me@host"', 'url = "http://a/", mail = "me@host"'),
        ("http://a:1@h/ http://b:p%40q@h:80/x", "http://h/ http://h:80/x"),
    ],
)
def test_passwords_are_taken_out_of_urls_alone(text: str, bare: str) -> None:
    assert without_password(text) == bare
    assert passwords(bare) == []
    assert bool(passwords(text)) == (text != bare)


def test_requirement_and_what_is_said_of_a_wrong_one_have_no_password() -> None:
    assert read_requirement("a @ https://me:word@host/a.whl") == "a @ https://host/a.whl"
    with pytest.raises(FormatError) as caught:
        read_requirement("a b @ https://me:word@host/a.whl")
    assert "word" not in str(caught.value)
