from __future__ import annotations

import importlib.metadata

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.python.entrypoint import EntryPoint
from packyard.formats.python.entrypointsfile import (
    NAME,
    ObjectReference,
    read_commands,
    read_entry_points,
    read_object_reference,
    write_commands,
)

TEXT = b"""\
# of a distribution
[console_scripts]
  web = web.cli:App.run [ssl , fast]
WEB=web.cli:main

; a group of plug-ins, whose names are no files'
[web.plugins]
text/html = web.html
a name = web.more : thing[]
"""


def test_groups_names_and_references_are_read() -> None:
    assert read_entry_points(TEXT, NAME) == {
        "console_scripts": {
            "web": ObjectReference(module="web.cli", attribute="App.run", extras=("ssl", "fast")),
            "WEB": ObjectReference(module="web.cli", attribute="main"),
        },
        "web.plugins": {
            "text/html": ObjectReference(module="web.html"),
            "a name": ObjectReference(module="web.more", attribute="thing"),
        },
    }


def test_commands_are_the_functions_that_scripts_call() -> None:
    assert read_commands(TEXT, NAME) == {"web": EntryPoint("web.cli", "App.run"), "WEB": EntryPoint("web.cli", "main")}
    assert read_commands(b"", NAME) == read_commands(b"[a]\nb = c\n", NAME) == {}


def test_commands_are_read_as_they_are_written() -> None:
    commands = {"web": "web.cli:App.run", "Web": "web:main"}
    text = write_commands(commands)
    assert text == "[console_scripts]\nWeb = web:main\nweb = web.cli:App.run\n"
    assert {name: str(entry) for name, entry in read_commands(text.encode(), NAME).items()} == commands
    assert write_commands({}) == ""


def test_distributions_of_this_environment_are_read_as_python_reads_them() -> None:
    """What the strict reader refuses, real distributions have not."""
    checked = 0
    for distribution in importlib.metadata.distributions():
        text = distribution.read_text(NAME)
        if text is None:
            continue
        found = {
            (group, name, reference.module, reference.attribute, reference.extras)
            for group, names in read_entry_points(text.encode(), NAME).items()
            for name, reference in names.items()
        }
        python = {(e.group, e.name, e.module, e.attr or "", tuple(e.extras)) for e in distribution.entry_points}
        assert found == python, distribution.name
        checked += 1
    assert checked > 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = b:c\n", "line 1: 'x = b:c' stands in no group; expected a line like '[console_scripts]' above it"),
        ("[a]\nx = b:c\n[a]\n", "line 3: the group 'a' stands twice; expected each once"),
        ("[a]\nx = b:c\nx = b:d\n", "line 3: 'x' stands twice in the group 'a'; expected each name once"),
        (
            "[a]\nx\nx : y\n",
            "line 2: is not a name with its object; expected 'name = module:object'\n"
            "entry_points.txt: line 3: is not a name with its object; expected 'name = module:object'",
        ),
        ("[a b]\n", "'a b' is not the name of a group; expected letters, digits and _ joined by dots"),
        ("[a]\nx = b:c\n  y = b:d\n", "a: 'x': 'b:c\\ny = b:d' is not an object reference; expected 'module:object'"),
        (
            "[a]\nx = 1b\ny = b:c()\n",
            "a: 'x': '1b' is not an object reference; expected 'module:object'\n"
            "entry_points.txt: a: 'y': 'b:c()' is not an object reference; expected 'module:object'",
        ),
    ],
)
def test_file_that_means_several_things_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_entry_points(text.encode(), NAME)
    assert str(caught.value) == f"{NAME}: {message}"


def test_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(FormatError) as caught:
        read_entry_points(b"[a]\nx = \xff\n", NAME)
    assert str(caught.value) == f"{NAME}: is not UTF-8 (byte 8)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("../escaped = a:b", "'../escaped' contains a control character or slash; expected a plain file name"),
        ("/escaped = a:b", "'/escaped' contains a control character or slash; expected a plain file name"),
        (".. = a:b", "'..' is not a file name"),
        ("x = a", "'x' names the module 'a' alone; expected 'module:function'"),
    ],
)
def test_command_that_is_no_file_or_no_function_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_commands(f"[console_scripts]\n{text}\n".encode(), NAME)
    assert str(caught.value) == f"{NAME}: console_scripts: {message}"


@pytest.mark.parametrize("text", ["", "a:", ":b", "a.:b", "a b", "a:b:c", "a [x", "a [x,]", "a-b:c", "a:b]"])
def test_reference_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_object_reference(text)
    assert str(caught.value) == f"{text!r} is not an object reference; expected 'module:object'"
