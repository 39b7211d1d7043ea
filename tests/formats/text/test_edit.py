from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.edit import edit_toml, edit_yaml

TOML = """\
# above
[project]   # the table
name='a'
version   =   '0.1.0'   # the version
dependencies = [
  "x>=0.1,<0.2",   # why
  'y',
]

[[meta]]
name = "m"
version = "0.1.0"
"""
YAML = """\
# above
name:    shapes
version: "0.1.0"   # the version
x-packyard:
  requires: {root: '0.1', shapes: 0.2.0}
description: |
  several
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("project", "version"), "0.2.0", "version   =   '0.1.0'   # the", "version   =   '0.2.0'   # the"),
        (("project", "dependencies", 0), "x>=0.2", '"x>=0.1,<0.2",   # why', '"x>=0.2",   # why'),
        (("meta", 0, "version"), "1.0.0", 'name = "m"\nversion = "0.1.0"', 'name = "m"\nversion = "1.0.0"'),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_edit_toml_changes_one_value_and_no_other_byte(path, value, old, new, line_end):
    before, old, new = (text.replace("\n", line_end) for text in (TOML, old, new))
    assert before.count(old) == 1
    assert edit_toml(before, path, value, "f") == before.replace(old, new)


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("version",), "0.2.0", '"0.1.0"', '"0.2.0"'),
        (("name",), "forms", "name:    shapes", "name:    forms"),
        (("x-packyard", "requires", "root"), "0.3", "'0.1'", "'0.3'"),
        (("x-packyard", "requires", "shapes"), "0.3.0", "shapes: 0.2.0", "shapes: 0.3.0"),
    ],
)
def test_edit_yaml_changes_one_value_and_no_other_byte(path, value, old, new):
    assert edit_yaml(YAML, path, value, "f") == YAML.replace(old, new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name:\ta\nversion: \t0.1.0\t\n", "name:\ta\nversion: \t0.2.0\t\n"),
        ("\ufeffversion: 0.1.0\n", "\ufeffversion: 0.2.0\n"),
        ("name: \U0001f600 \nversion: '0.1.0'\r\n", "name: \U0001f600 \nversion: '0.2.0'\r\n"),
    ],
)
def test_edit_yaml_takes_tabs_marks_and_characters_of_every_size(before, after):
    assert edit_yaml(before, ("version",), "0.2.0", "f") == after


def test_edit_yaml_refuses_what_it_cannot_replace_in_place():
    with pytest.raises(FormatError) as caught:
        edit_yaml(YAML, ("description",), "one", "package.yaml")
    assert str(caught.value) == (
        "package.yaml: description: cannot be changed to 'one' without reformatting the file\n  hint: change it by hand"
    )


def test_edit_yaml_refuses_a_value_that_would_be_read_as_another():
    with pytest.raises(FormatError):
        edit_yaml("version: 0.1.0\n", ("version",), "1", "package.yaml")
