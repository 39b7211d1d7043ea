"""What the user's settings for uv and pip come to: variables for uv, and passwords for what we fetch ourselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.host import network
from packyard.tasks.index import credentials

_HOMES = ("HOME", "XDG_CONFIG_DIRS")
URL = "https://index.example/simple/good/"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who configured nothing."""
    given(monkeypatch, tmp_path, {})
    return tmp_path


def given(monkeypatch: pytest.MonkeyPatch, home: Path, variables: Mapping[str, str]) -> None:
    monkeypatch.setattr(os, "environ", {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "etc"), **variables})
    monkeypatch.setattr(network, "_SYSTEM", str(home / "system"))


def write(home: Path, path: str, text: str) -> None:
    (home / path).parent.mkdir(parents=True, exist_ok=True)
    (home / path).write_text(text)


def seen(**how: bool) -> dict[str, str]:
    return {name: value for name, value in network.environment(**how).items() if name not in _HOMES}


def test_environment_is_an_explicit_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reaching = {
        "HTTPS_PROXY": "p", "UV_INDEX_URL": "u", "UV_INDEX_MINE_PASSWORD": "w", "UV_CACHE_DIR": "c", "PIP_CERT": "f",
        "SSL_CERT_FILE": "g",
    }  # fmt: skip
    changing = {"UV_NO_BINARY": "1", "UV_COMPILE_BYTECODE": "1", "UV_TARGET": "/t", "SECRET": "s", "PIP_TARGET": "/t"}
    wishes = {"UV_PRERELEASE": "allow", "UV_EXCLUDE_NEWER": "2026-01-01"}
    given(monkeypatch, home, {**reaching, **changing, **wishes})
    assert seen() == reaching
    assert seen(wishes=True) == {**reaching, **wishes}


def test_environment_takes_the_settings_of_pip_where_uv_has_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "system/pip.conf", "[global]\nindex-url = https://old.example/simple\ncert = /company.pem\n")
    write(
        home,
        ".config/pip/pip.conf",
        "[global]\nindex-url = https://index.example/simple\nproxy = http://proxy.example:3128\n"
        "[install]\nextra_index_url =\n    https://one.example/simple\n    https://two.example/simple\n"
        "trusted-host = index.example\n",
    )
    assert seen() == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "index.example",
        "HTTP_PROXY": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "SSL_CERT_FILE": "/company.pem",
    }
    assert network.trusts(URL)
    given(monkeypatch, home, {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "/a /b"})
    assert seen()["UV_FIND_LINKS"] == "/a,/b"
    assert "UV_DEFAULT_INDEX" not in seen()


@pytest.mark.parametrize("way", ["variable", "file"])
def test_environment_leaves_the_indexes_of_pip_where_uv_has_some(
    way: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, ".config/pip/pip.conf", "[global]\nindex-url = https://pip.example/simple\nproxy = http://p\n")
    if way == "variable":
        given(monkeypatch, home, {"UV_DEFAULT_INDEX": "https://uv.example/simple"})
    else:
        write(home, ".config/uv/uv.toml", '[[index]]\nname = "mine"\nurl = "https://uv.example/simple"\n')
    assert {name for name in seen() if name.startswith("UV_")} == ({"UV_DEFAULT_INDEX"} if way == "variable" else set())
    assert seen()["HTTPS_PROXY"] == "http://p"


def test_environment_says_which_file_of_pip_is_broken(home: Path) -> None:
    write(home, ".config/pip/pip.conf", "index-url = https://index.example\n")
    with pytest.raises(FormatError) as error:
        network.environment()
    assert str(error.value) == (
        f"{home}/.config/pip/pip.conf: is not a configuration of pip: File contains no section headers."
    )


@pytest.mark.parametrize(
    "variables",
    [
        {"UV_DEFAULT_INDEX": "https://me:wo%20rd@index.example/simple/"},
        {"UV_INDEX": "other=https://x:y@other.example/ mine=https://me:wo%20rd@index.example/"},
        {"UV_INDEX": "my-own=https://index.example/", "UV_INDEX_MY_OWN_USERNAME": "me",
         "UV_INDEX_MY_OWN_PASSWORD": "wo rd"},
        {"PIP_INDEX_URL": "https://me:wo%20rd@index.example/simple/"},
        {"UV_FIND_LINKS": "/wheels,https://me:wo%20rd@index.example/files/"},
    ],
)  # fmt: skip
def test_sign_in_by_what_is_told_of_the_index(
    variables: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, home, variables)
    assert credentials.sign_in(URL) == ("me", "wo rd")
    for other in ("https://index.example:8443/x", "http://index.example/x", "https://files.example/x"):
        assert credentials.sign_in(other) is None


def test_sign_in_by_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert credentials.sign_in(URL) is None
    write(home, ".netrc", "machine index.example login me password one\n")
    assert credentials.sign_in(URL) == ("me", "one")
    write(home, ".config/uv/uv.toml", '[[index]]\nurl = "https://me:two@index.example/simple"\n')
    assert credentials.sign_in(URL) == ("me", "two")
    given(monkeypatch, home, {"UV_NO_CONFIG": "1", "NETRC": str(home / "none")})
    assert credentials.sign_in(URL) is None


def test_sign_in_asks_the_keyring_that_uv_would_ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "bin/keyring", '#!/bin/sh\n[ "$2 $3" = "https://index.example/simple me" ] && echo from-keyring\n')
    (home / "bin/keyring").chmod(0o755)
    variables = {"UV_DEFAULT_INDEX": "https://me@index.example/simple", "PATH": f"{home}/bin:/usr/bin:/bin"}
    given(monkeypatch, home, variables)
    assert credentials.sign_in(URL) is None
    given(monkeypatch, home, {**variables, "UV_KEYRING_PROVIDER": "subprocess"})
    assert credentials.sign_in(URL) == ("me", "from-keyring")


def test_files_are_those_of_settings_and_indexes_on_this_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "etc/uv/uv.toml", '[[index]]\nname = "i"\nurl = "file:///srv/in%20dex"\n')
    more = {
        "UV_FIND_LINKS": "/opt/wheels, https://index.example/links",
        "UV_DEFAULT_INDEX": URL,
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    given(monkeypatch, home, more)
    found = network.files()
    assert {"/opt/wheels", "/srv/in dex", "/etc/ca.pem", str(home / "etc/uv/uv.toml")} <= {*found}
    assert not [path for path in found if "index.example" in path]
