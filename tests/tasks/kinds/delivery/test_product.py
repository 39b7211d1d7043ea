"""What is distributed, and what it takes to use it."""

from __future__ import annotations

from pathlib import Path

from packyard.tasks.engine.build.opening import open_workspace
from packyard.tasks.kinds import TABLE
from packyard.tasks.kinds.delivery.product import find_products
from packyard.tasks.workspace.workspace import read_workspace

FILES = {
    "packyard.toml": """\
[workspace]
name = "w"
members = ["tensor", "app", "shapes"]
distribute = true

[toolchain]
mojo = "1.0.0"

[[archive]]
name = "all"
version = "0.1.0"
include = ["mojo:tensor", "bundle:app", "morloc:shapes"]

[[archive]]
name = "plain"
version = "0.1.0"
include = ["app/app.py"]
""",
    "tensor/mojo.toml": '[package]\nname = "tensor"\nversion = "0.1.0"\n',
    "tensor/__init__.mojo": "",
    "app/pyproject.toml": '[project]\nname = "app"\nversion = "1"\n[tool.flavor]\nentry_point = "app:main"\n',
    "app/app.py": "def main():\n    pass\n",
    "shapes/package.yaml": "name: shapes\nversion: 0.1.0\n",
    "shapes/main.loc": "module shapes (Point)\ntype Point = Int\n",
}


def test_archives_take_what_they_carry_takes(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    opened = open_workspace(tmp_path, TABLE, readonly=True)
    try:
        products = find_products(read_workspace(tmp_path), opened.graph.targets)
    finally:
        opened.trace.close()
    needs = {one.name: one.platform for one in products if one.kind == "archive"}
    assert needs == {"all": f"Mojo 1.0.0, {products[0].platform}, morloc", "plain": ""}
    assert products[0].target == "bundle:app"
