"""INSTALL.md: a section for each thing to install. Every indented line is a command that can be run as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packyard.tasks.texts.template import fill

INSTALL = "install_instructions.md"  # the name of the workspace's own template
PLACES = ("title", "sections")
BUILT_IN = """\
# Installing @title@

@sections@
"""
_FIRST = """\
Run each command in the folder that contains this file and the files it names. Scripts install to `~/.local`;
`--prefix DIR` chooses another folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installable:
    """One product as its section needs it: `pieces` are names of files and where each goes below a prefix, `script` is
    its installer ('' for none), `needs` what is required to use it."""

    kind: str
    name: str
    title: str
    what: str
    file: str
    script: str = ""
    pieces: tuple[tuple[str, str], ...] = ()
    needs: str = ""


def guide_text(template: str, title: str, products: Sequence[Installable]) -> str:
    """The guide to these products."""
    sections = [_FIRST, *("\n".join(_section(product)).rstrip() for product in products)]
    return fill(template, {"title": title, "sections": "\n\n".join(sections)})


def _section(product: Installable) -> list[str]:
    lines = [f"## {product.title}", "", f"{product.what}{f', for {product.needs}' if product.needs else ''}.", ""]
    if product.script:
        lines += [
            "The script checks every file before it writes anything, and replaces nothing that it did not install:",
            "",
            f"    sh {product.script} --dry-run",
            f"    sh {product.script}",
            "",
            _placed(product),
            "",
            f"    sh {product.script} --uninstall",
            "",
        ]
    return [*lines, *_by_hand(product)]


def _placed(product: Installable) -> str:
    where = f"~/.local/{product.pieces[0][1]}"
    said: Mapping[str, str] = {
        "bundle": f"It is installed as `{where}`, a self-contained program. To remove it:",
        "morloc": "The compiler finds it in its own home, `~/.local/share/morloc`. To remove it:",
        "mojo": "Programs find it with `mojo run -I ~/.local/lib/mojo PROGRAM.mojo`. To remove it:",
        "archive": f"It is unpacked to `{where}`. To remove it:",
        "docs": f"Its start page is `{where}/site/index.html`. To remove it:",
    }
    return said[product.kind]


def _by_hand(product: Installable) -> list[str]:
    match product.kind:
        case "bundle":
            copy = ["mkdir -p bin", f"cp {product.file} bin/{product.name}", f"chmod 755 bin/{product.name}"]
            return _ways("By hand, into a folder of your own:", copy, [f"rm bin/{product.name}"])
        case "mojo":
            files = " ".join(file for file, _ in product.pieces)
            names = " ".join(_last(to).rpartition(".")[0] for _, to in product.pieces)
            packyard = [f"packyard install {files} --to lib", "packyard installed --to lib"]
            copy = ["mkdir -p copied", *(f"cp {file} copied/{_last(to)}" for file, to in product.pieces)]
            return [
                *_ways(
                    "With Packyard, which also checks the compiler and the dependencies:",
                    packyard,
                    [f"packyard uninstall {names} --to lib"],
                ),
                *_ways("By hand; each file must have the name that is compiled into it:", copy, ["rm -r copied"]),
            ]
        case "archive" | "docs":
            unpack = f"tar -xzf {product.file} -C {product.name}"
            if product.file.endswith(".zip"):
                unpack = f"unzip -q {product.file} -d {product.name}"
            return _ways("By hand:", [f"mkdir {product.name}", unpack], [f"rm -r {product.name}"])
        case "morloc":
            install = [f"packyard install ./{product.file} --to morloc"]
            removal = [f"packyard uninstall {product.name} --to morloc"]
            return _ways("With Packyard, into a morloc home, with all its dependencies:", install, removal)
    return []


def _ways(before: str, commands: Sequence[str], removal: Sequence[str]) -> list[str]:
    return [before, "", *_indented(commands), "", "To remove it:", "", *_indented(removal), ""]


def _indented(commands: Sequence[str]) -> list[str]:
    return [f"    {command}" for command in commands]


def _last(path: str) -> str:
    return path.rpartition("/")[2]
