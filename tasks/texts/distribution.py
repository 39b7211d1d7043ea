"""INSTALL and CONTENTS of a distribution."""

from __future__ import annotations

from collections.abc import Sequence

from packyard.formats.mojo.packagemanifest import PackageManifest
from packyard.tasks.texts.readme import Row, readme_text
from packyard.tasks.texts.template import fill

INSTALL = "INSTALL.md"
CONTENTS = "packages/README.md"


def contents_text(template: str, title: str, packages: Sequence[PackageManifest]) -> str:
    """The README of the folder `packages/`."""
    rows = [
        Row(
            file=package.installed_as,
            what=package.description or "a Mojo package",
            version=package.version,
            license=package.license,
            size=package.size,
            sha256=package.sha256,
            needs=package.compiler.accepted_by,
        )
        for package in packages
    ]
    return readme_text(template, title, rows, "See [INSTALL.md](../INSTALL.md).")


def install_text(template: str, title: str, packages: Sequence[PackageManifest], examples: Sequence[str]) -> str:
    """INSTALL.md of a distribution. Every indented line is a command that can be run as it is."""
    return fill(template, {"title": title, "sections": "\n".join(_install_lines(packages, examples))})


def _install_lines(packages: Sequence[PackageManifest], examples: Sequence[str]) -> list[str]:
    if not packages:
        return ["This archive is self-contained: unpack it and read its README.md."]
    made = sorted({package.compiler.accepted_by for package in packages})
    files = " ".join(f"packages/{package.installed_as}" for package in packages)
    end = packages[0].installed_as.rpartition(".")[2]
    return [
        f"The packages in `packages/` are compiled. They require {' and '.join(made)}.",
        "",
        "| package | version | licence | needs | SHA-256 |",
        "|---|---|---|---|---|",
        *(
            f"| `{package.name}` | {package.version} | {package.license or 'not stated'} | "
            f"{', '.join(f'`{needed.name}`' for needed in package.dependencies) or 'nothing'} | `{package.sha256}` |"
            for package in packages
        ),
        "",
        "Run the commands below in this folder.",
        "",
        "## Use them where they are",
        "",
        "A compiler finds them with `-I packages`; use your own program in place of the example.",
        "",
        *(f"    mojo run -I packages {example}" for example in examples[:1]),
        *([] if examples else ["    mojo run -I packages PROGRAM.mojo"]),
        "",
        "## Install them",
        "",
        "With Packyard, which checks the files, the compiler and the dependencies before it writes anything:",
        "",
        f"    packyard install {files} --to lib",
        "    packyard installed --to lib",
        "",
        "Without it, copy them. Keep their names: each is compiled into its file.",
        "",
        "    mkdir -p copied",
        f"    cp packages/*.{end} copied/",
        "",
        "## Remove them",
        "",
        f"    packyard uninstall {' '.join(package.name for package in packages)} --to lib",
        "    rm -r copied",
    ]
