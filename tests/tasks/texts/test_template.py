from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.texts.template import fill, read_template
from packyard.tasks.workspace.watch import Watch

BUILT_IN = "# @name@ @version@\n"
KNOWN = ("name", "version", "packages")


def own(root: Path, text: str) -> Watch:
    (root / "templates").mkdir()
    (root / "templates/package_readme.md").write_text(text)
    return Watch(root)


def test_built_in_text_is_taken_where_the_workspace_has_none(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    assert read_template("package_readme.md", BUILT_IN, watch, KNOWN) == BUILT_IN
    assert "" in watch.seen  # a template that is added later is seen


def test_file_of_the_workspace_takes_its_place(tmp_path: Path) -> None:
    watch = own(tmp_path, "@name@, by us\n")
    assert read_template("package_readme.md", BUILT_IN, watch, KNOWN) == "@name@, by us\n"
    assert "templates/package_readme.md" in watch.seen


def test_every_unknown_place_is_told_by_line(tmp_path: Path) -> None:
    watch = own(tmp_path, "@name@ @versoin@\n\n@licence_text@ and mail@example.org, ${{ github.ref }}\n")
    with pytest.raises(FormatError) as caught:
        read_template("package_readme.md", BUILT_IN, watch, KNOWN)
    assert str(caught.value) == (
        "templates/package_readme.md:1: unknown place '@versoin@'\n"
        "  hint: did you mean '@version@'?\n"
        "templates/package_readme.md:3: unknown place '@licence_text@'\n"
        "  hint: known: @name@, @packages@, @version@"
    )


def test_places_are_filled_and_all_else_stands_as_it_is() -> None:
    text = "# @name@ @version@\n\n@packages@\n\n    run: echo $HOME ${{ github.ref }} a@b.c\n"
    values = {"name": "box", "version": "0.1.0", "packages": ""}
    assert fill(text, values) == "# box 0.1.0\n\n\n    run: echo $HOME ${{ github.ref }} a@b.c\n"


def test_value_of_several_lines_keeps_the_indent_of_its_place() -> None:
    assert fill("steps:\n  @packages@\n", {"packages": "- one\n\n- two\n"}) == "steps:\n  - one\n\n  - two\n"
