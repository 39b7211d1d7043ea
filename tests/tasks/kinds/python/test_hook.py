"""The hooks that manifests declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyard.tasks.kinds.python.hook import targets
from packyard.tasks.workspace.workspace import read_workspace

HOOKED = """\
[project]
name = "web"
version = "1.0"
[tool.flavor]
entry_point = "web:main"
[tool.flavor.build]
pip = false
pre_build = ["make.py"]
hook_outputs = ["made/"]
"""


@pytest.mark.parametrize("folder", ["apps/web", "."])
def test_hook_may_write_the_private_keys_that_are_let_through_in_its_member(tmp_path: Path, folder: str) -> None:
    below = "" if folder == "." else f"{folder}/"
    for path, text in {
        "packyard.toml": f'[workspace]\nname = "w"\nmembers = ["{folder}"]\n'
        f'allow_keys = ["{below}made/test.pem", "elsewhere/test.pem"]\n',
        f"{below}pyproject.toml": HOOKED,
        f"{below}web.py": "def main(): ...\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (hook,) = targets(read_workspace(tmp_path))
    elsewhere = ["elsewhere/test.pem"] if folder == "." else []
    assert [list(output.keys or ()) for output in hook.outputs] == [["made/test.pem", *elsewhere]]
