"""How the user reaches the package index: what uv and pip are told by their variables and configuration files.

uv's settings count as they are; if uv knows no index, pip's settings count. What tools see of the caller's environment
is an explicit list: a variable that changes what is installed would change bytes under one key. Passwords stay in
variables and files: they are in no command line, log, lock or parameter.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packyard.formats.python.pipconfig import KEYS, read_pip_config

_CONNECTING = frozenset({
    "HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "NETRC",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
})  # fmt: skip
_REACHING = _CONNECTING | frozenset({
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_INDEX_STRATEGY", "UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
    "UV_CACHE_DIR", "UV_OFFLINE", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_CONCURRENT_DOWNLOADS",
    "UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_CREDENTIALS_DIR",
})  # fmt: skip
_REACHING_PATTERN = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)|PIP_(?:{})".format(
    "|".join(key.upper().replace("-", "_") for key in (*KEYS, "config-file"))
))  # fmt: skip
# The user's preferences for versions: a lock records the outcome.
_WISHES = frozenset({
    "UV_PRERELEASE", "UV_RESOLUTION", "UV_EXCLUDE_NEWER", "UV_EXCLUDE_NEWER_PACKAGE", "UV_FORK_STRATEGY",
    "UV_CONSTRAINT", "UV_OVERRIDE",
})  # fmt: skip
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_SYSTEM = "/etc"
_SWITCHED_OFF = ("", "0", "false", "no", "off")


def environment(*, wishes: bool = False) -> dict[str, str]:
    """What a tool that downloads sees of the user's environment, with pip's settings translated for uv; with `wishes`,
    also what uv is told about the choice of versions."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name in _REACHING or _REACHING_PATTERN.fullmatch(name) or (wishes and name in _WISHES)
    }
    return {**_of_pip(found), **found}


def connection() -> dict[str, str]:
    """Homes, proxies and certificates: what every tool that reaches a server needs."""
    return {name: value for name, value in os.environ.items() if name in _CONNECTING}


def files() -> list[str]:
    """The files and folders that hold the settings: certificates, passwords, uv's configuration; and the indexes that
    are folders of this machine."""
    known = environment()
    named = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "UV_CONFIG_FILE")
    places = (unquote(index.removeprefix("file://")) for _, index in _indexes(known))
    return [
        *(known[name] for name in named if known.get(name)),
        os.fspath(_netrc(known)),
        *_uv_paths(known),
        *(place for place in places if place.startswith("/")),
    ]


def offline() -> bool:
    """Whether downloads are disabled (`--offline`, UV_OFFLINE)."""
    return os.environ.get("UV_OFFLINE", "").lower() not in _SWITCHED_OFF


def trusts(url: str) -> bool:
    """Whether the user disabled certificate checks for the host of a URL."""
    parts = urlsplit(url)
    hosts = environment().get("UV_INSECURE_HOST", "").split()
    return any(host.rpartition("//")[2] in (parts.hostname, parts.netloc.rpartition("@")[2]) for host in hosts)


def _indexes(known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every index and folder of files that uv is told about, with its name or ''."""
    for variable in _INDEXES:
        for word in re.split(r"[\s,]+" if variable == "UV_FIND_LINKS" else r"\s+", known.get(variable, "")):
            name, separator, url = word.partition("=")
            named = separator and re.fullmatch(r"[\w.-]+", name)
            yield (name, url) if named else ("", word)
    for settings in _uv_files(known):
        for table in (settings, settings.get("pip", {})):
            for index in table.get("index", []):
                yield str(index.get("name", "")), str(index.get("url", ""))
            for key in ("index-url", "extra-index-url", "find-links"):
                value = table.get(key, [])
                yield from (("", str(url)) for url in ([value] if isinstance(value, str) else value))


def _uv_files(known: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The existing configuration files of uv; uv complains about one that cannot be read."""
    for path in _uv_paths(known):
        try:
            yield tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue


def _uv_paths(known: Mapping[str, str]) -> list[str]:
    """Where uv's configuration may be, outside of projects."""
    if known.get("UV_NO_CONFIG", "").lower() not in _SWITCHED_OFF:
        return []
    if "UV_CONFIG_FILE" in known:
        return [known["UV_CONFIG_FILE"]]
    folders = [_user_folder(known), *_system_folders(known), Path(_SYSTEM)]
    return [os.fspath(folder / "uv/uv.toml") for folder in folders]


def _of_pip(known: Mapping[str, str]) -> dict[str, str]:
    """What pip is told, in uv's variables."""
    pip = _pip_settings(known)
    found = {
        variable: pip[key]
        for key, variable in (("cert", "SSL_CERT_FILE"), ("client-cert", "SSL_CLIENT_CERT"))
        if pip.get(key)
    }
    found |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY") if pip.get("proxy") else (), pip.get("proxy", ""))
    if pip.get("trusted-host"):
        found["UV_INSECURE_HOST"] = pip["trusted-host"]
    if pip.get("keyring-provider") in ("subprocess", "import"):
        found["UV_KEYRING_PROVIDER"] = "subprocess"
    if not any(url for _, url in _indexes(known)) and known.get("UV_NO_INDEX", "").lower() in _SWITCHED_OFF:
        found |= {
            variable: pip[key]
            for key, variable in (
                ("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"), ("find-links", "UV_FIND_LINKS"),
                ("no-index", "UV_NO_INDEX"),
            )
            if pip.get(key)
        }  # fmt: skip
        if "UV_FIND_LINKS" in found:
            found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
        if "UV_INDEX" in found:
            found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip takes the best version of all its indexes
    return found


def _pip_settings(known: Mapping[str, str]) -> dict[str, str]:
    """The settings of pip's files and variables, the nearest last."""
    given = known.get("PIP_CONFIG_FILE", "")
    paths: list[Path] = []
    if given != os.devnull:
        paths += [folder / "pip/pip.conf" for folder in reversed(_system_folders(known))]
        paths += [Path(_SYSTEM, "pip.conf"), Path(known.get("HOME", "/"), ".pip/pip.conf")]
        paths += [_user_folder(known) / "pip/pip.conf", Path(sys.prefix, "pip.conf")]
        paths += [Path(given)] if given else []
    found: dict[str, str] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found |= read_pip_config(text, os.fspath(path))
    found |= {key: " ".join(known[name].split()) for key in KEYS if (name := _pip_variable(key)) in known}
    return {key: value for key, value in found.items() if key != "no-index" or value.lower() not in _SWITCHED_OFF}


def _pip_variable(key: str) -> str:
    return f"PIP_{key.upper().replace('-', '_')}"


def _user_folder(known: Mapping[str, str]) -> Path:
    return Path(known.get("XDG_CONFIG_HOME") or Path(known.get("HOME", "/"), ".config"))


def _system_folders(known: Mapping[str, str]) -> list[Path]:
    return [Path(folder) for folder in (known.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep) if folder]


def _netrc(known: Mapping[str, str]) -> Path:
    return Path(known.get("NETRC") or Path(known.get("HOME", "/"), ".netrc"))
