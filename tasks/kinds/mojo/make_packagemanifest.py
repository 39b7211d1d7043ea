"""Make the manifest of a compiled Mojo package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packyard.formats.digest import digest_file
from packyard.formats.mojo.exports import exports, module_names
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.mojo.packagemanifest import Needed, PackageManifest, stamp_of
from packyard.formats.relpath import read_file_name
from packyard.tasks.target.room import Room


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededParams:
    """A package that must lie beside the one that is made; `range` is what this one declares of it, '' when only others
    do."""

    name: str
    distribution: str
    version: str
    range: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestParams:
    """What the manifest of a package says and no file does: the names and texts of its own manifest, the `file` that
    it is distributed as, the parts of a meta-package, and what it needs."""

    distribution: str
    version: str
    description: str
    authors: tuple[str, ...]
    license: str
    file: str
    components: tuple[str, ...]
    dependencies: tuple[NeededParams, ...]


def make_manifest(
    room: Room[object], said: ManifestParams, made: Path, package: MojoPackage, folder: Path
) -> PackageManifest:
    """The manifest of a package that was just compiled from `folder`."""
    name = made.stem
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.mojo")}
    return PackageManifest(
        name=name,
        distribution=said.distribution,
        version=said.version,
        description=said.description,
        authors=said.authors,
        license=said.license,
        file=read_file_name(said.file),
        installed_as=read_file_name(made.name),
        size=made.stat().st_size,
        sha256=digest_file(made).hex,
        compiler=stamp_of(package),
        dependencies=tuple(
            _needed(one, room.inputs / "deps" / f"{one.name}{made.suffix}") for one in said.dependencies
        ),
        exports={
            f"{name}.{module}".rstrip("."): exports(name, texts, path) for module, path in module_names(texts).items()
        },
        components=said.components,
    )


def _needed(one: NeededParams, file: Path) -> Needed:
    return Needed(
        name=one.name,
        distribution=one.distribution,
        version=one.version,
        sha256=digest_file(file).hex,
        range=one.range,
    )
