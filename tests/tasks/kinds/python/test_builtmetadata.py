from __future__ import annotations

import pytest
from packyard.formats.archive.entry import Entry
from packyard.formats.python.wheel import Wheel
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.python.builtmetadata import check_requirements


def wheel(*requirements: str) -> Wheel:
    text = "Metadata-Version: 2.1\nName: a\nVersion: 1\n" + "".join(f"Requires-Dist: {one}\n" for one in requirements)
    info = "a-1.dist-info"
    path = f"{info}/METADATA"
    return Wheel(name="a", version="1", tags=("py3-none-any",), info=info, files={path: Entry(path, text.encode())})


def test_wheel_that_requires_what_was_planned_passes() -> None:
    check_requirements(wheel(), ())
    check_requirements(
        wheel("Rich_Text>=1", "attrs ; extra == 'x'", "click<9,>=8 ; python_version > '3'"), ("click", "rich-text")
    )


def test_wheel_that_requires_more_is_refused() -> None:
    with pytest.raises(ActionError) as error:
        check_requirements(wheel("rich", "click", "attrs>=1"), ("click",))
    assert str(error.value) == (
        "the wheel requires 'attrs', 'rich'; the manifest does not tell of it, because its dependencies are computed\n"
        "  hint: state it in dependencies of [project], or in extra_packages of [tool.flavor.build]"
    )


def test_wheel_with_metadata_that_is_none_is_refused() -> None:
    with pytest.raises(ActionError) as error:
        check_requirements(wheel("!"), ())
    assert str(error.value) == "the wheel requires '!', which is not a dependency (PEP 508)"
