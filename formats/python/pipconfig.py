"""pip's configuration files (its documentation, "Configuration"): what they say about indexes and how to reach them."""

from __future__ import annotations

from configparser import Error, RawConfigParser

from packyard.formats.errors import FormatError, Problem

# Each with whether it is a list of words.
KEYS = {
    "index-url": False, "extra-index-url": True, "find-links": True, "no-index": False, "trusted-host": True,
    "cert": False, "client-cert": False, "proxy": False, "keyring-provider": False,
}  # fmt: skip
_SECTIONS = ("global", "download", "install")  # a later one overrides


def read_pip_config(text: str, place: str) -> dict[str, str]:
    """The values of one file, the words of a list separated by a space; FormatError if it is not such a file."""
    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error as error:
        reason = str(error).splitlines()[0]
        raise FormatError(Problem(f"is not a configuration of pip: {reason}", place=place)) from None
    found: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            for key, value in parser.items(section):
                name = key.replace("_", "-")
                if name in KEYS:
                    found[name] = " ".join(value.split())
    return found
