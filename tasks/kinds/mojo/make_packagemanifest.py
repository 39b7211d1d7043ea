"""Make the manifest of a compiled Mojo package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packyard.formats.mojo.exports import exports, module_names
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.mojo.packagemanifest import Needed, PackageManifest, stamp_of
from packyard.formats.relpath import read_file_name
from packyard.tasks.kinds.mojo.packagemanifest import _sha256
from packyard.tasks.target.room import Room


def make_manifest(room: Room[Any], made: Path, package: MojoPackage, folder: Path) -> PackageManifest:
    """The manifest of a package that was just compiled from `folder`."""
    said = dict(room.params["manifest"])
    end = made.suffix
    needed = [
        Needed(**values, sha256=_sha256(room.inputs / "deps" / f"{values['name']}{end}"))
        for values in said.pop("dependencies")
    ]
    name = made.stem
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.mojo")}
    return PackageManifest(
        **said | {"authors": tuple(said["authors"]), "components": tuple(said["components"])},
        name=name,
        installed_as=read_file_name(made.name),
        size=made.stat().st_size,
        sha256=_sha256(made),
        compiler=stamp_of(package),
        dependencies=tuple(needed),
        exports={
            f"{name}.{module}".rstrip("."): exports(name, texts, path) for module, path in module_names(texts).items()
        },
    )
