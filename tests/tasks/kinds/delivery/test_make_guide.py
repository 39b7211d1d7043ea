from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from packyard.formats.digest import digest_of
from packyard.formats.mojo.packagemanifest import PackageManifest, Stamp, write_package_manifest
from packyard.tasks.kinds.delivery.make_guide import GuideParams, ProductParams, make_install, make_readme
from packyard.tasks.target.room import Room

STAMP = Stamp(version="1.0.0", identity="ed45d567", producer="MLIR", container=6)
NN = ProductParams(
    kind="mojo",
    name="nn",
    title="nn 0.1.0",
    file="nn-0.1.0.mojopkg",
    what="a Mojo package: networks",
    version="0.1.0",
    license="MIT",
    needs="",
    script="install_nn.sh",
    pieces=(("nn-0.1.0.mojopkg", "lib/mojo/nn.mojopkg"),),
)


def written(
    folder: Path, make: Callable[[Room[GuideParams]], None], template: str, product: ProductParams, name: str
) -> str:
    places = {place: folder / place for place in ("inputs", "outputs", "scratch", "home")}
    for place in places.values():
        place.mkdir()
    (places["inputs"] / product.file).write_bytes(b"bytes")
    manifest = PackageManifest(
        name="nn", distribution="nn", version="0.1.0", file=product.file, installed_as="nn.mojopkg", size=5,
        sha256=digest_of(b"bytes").hex, compiler=STAMP,
    )  # fmt: skip
    (places["inputs"] / f"{product.file}.json").write_text(write_package_manifest(manifest))
    params = GuideParams(title="w", template=template, products=(product,))
    make(Room(**places, params=params, log=folder / "log"))
    return (places["outputs"] / name).read_text()


def test_readme_says_what_each_file_is_and_takes(tmp_path: Path) -> None:
    text = written(tmp_path, make_readme, "@name@\n@contents@\n@needs@\n@licences@\n", NN, "README.md")
    assert text.splitlines() == [
        "w",
        "| file | description | version | licence | bytes | SHA-256 |",
        "|---|---|---|---|---|---|",
        f"| `nn-0.1.0.mojopkg` | a Mojo package: networks | 0.1.0 | MIT | 5 | `{digest_of(b'bytes').hex}` |",
        f"- {STAMP.accepted_by}: `nn-0.1.0.mojopkg`",
        "- MIT: `nn-0.1.0.mojopkg`",
    ]


def test_guide_says_where_a_script_puts_things(tmp_path: Path) -> None:
    text = written(tmp_path, make_install, "@title@\n@sections@\n", NN, "INSTALL.md")
    assert text.startswith("w\n")
    assert f"## nn 0.1.0\n\nA Mojo package: networks, for {STAMP.accepted_by}.\n" in text
    assert "    sh install_nn.sh --dry-run\n" in text


def test_guide_to_what_no_script_installs_names_what_it_takes(tmp_path: Path) -> None:
    program = replace(
        NN, kind="bundle", file="app.exe", what="a program", needs="Windows on x86-64", script="", pieces=()
    )
    text = written(tmp_path, make_install, "@sections@\n", program, "INSTALL.md")
    assert "A program, for Windows on x86-64.\n" in text
    assert "install_nn.sh" not in text
