"""Making the manifest beside a compiled package: what the plan knows, and what only the compiled file tells."""

from __future__ import annotations

from pathlib import Path

from packyard.formats.digest import digest_stream
from packyard.formats.mojo.exports import exports, module_names
from packyard.formats.mojo.package import MojoPackage
from packyard.formats.mojo.packagemanifest import Needed, PackageManifest, stamp_of
from packyard.tasks.kinds.mojo.dependencies import Needs
from packyard.tasks.kinds.mojo.package import Package, artifact_name
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


def said_of(package: Package, needs: Needs) -> dict[str, Json]:
    """What a manifest says that no file does, as the parameter `manifest` of an action."""
    manifest = package.manifest
    ranges = [part.manifest.dependencies for part in package.parts or (package,)]
    return {
        "distribution": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "authors": list(manifest.authors),
        "license": manifest.license,
        "file": artifact_name(package),
        "components": [part.name for part in package.parts],
        "dependencies": [
            {
                "name": other.name,
                "distribution": other.manifest.name,
                "version": other.manifest.version,
                "range": ",".join(dict.fromkeys(
                    table[spelling] for table in ranges for spelling in (other.name, other.manifest.name)
                    if spelling in table and other in needs.direct
                )),
            }
            for other in needs.all
        ],
    }  # fmt: skip


def make_manifest(room: Room, made: Path, package: MojoPackage, folder: Path) -> PackageManifest:
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
        installed_as=made.name,
        size=made.stat().st_size,
        sha256=_sha256(made),
        compiler=stamp_of(package),
        dependencies=tuple(needed),
        exports={
            f"{name}.{module}".rstrip("."): exports(name, texts, path) for module, path in module_names(texts).items()
        },
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_stream(stream).hex
