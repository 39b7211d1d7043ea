"""The manifest beside a compiled package, as far as the plan knows it."""

from __future__ import annotations

from packyard.tasks.kinds.mojo.dependencies import Needs
from packyard.tasks.kinds.mojo.make_packagemanifest import ManifestParams, NeededParams
from packyard.tasks.kinds.mojo.package import Package, artifact_name


def said_of(package: Package, needs: Needs) -> ManifestParams:
    """What a manifest says that no file does."""
    manifest = package.manifest
    return ManifestParams(
        distribution=manifest.name,
        version=manifest.version,
        description=manifest.description,
        authors=manifest.authors,
        license=manifest.license,
        file=artifact_name(package),
        components=tuple(part.name for part in package.parts),
        dependencies=tuple(
            NeededParams(
                name=other.name,
                distribution=other.manifest.name,
                version=other.manifest.version,
                range=_range(package, other) if other in needs.direct else "",
            )
            for other in needs.all
        ),
    )


def _range(package: Package, other: Package) -> str:
    """What a package, or the parts of a meta-package, declare of another."""
    ranges = [part.manifest.dependencies for part in package.parts or (package,)]
    spellings = (other.name, other.manifest.name)
    return ",".join(dict.fromkeys(table[name] for table in ranges for name in spellings if name in table))
