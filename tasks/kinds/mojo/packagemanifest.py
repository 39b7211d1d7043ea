"""Making the manifest beside a compiled package: what the plan knows, and what only the compiled file tells."""

from __future__ import annotations

from pathlib import Path

from packyard.formats.digest import digest_stream
from packyard.tasks.kinds.mojo.dependencies import Needs
from packyard.tasks.kinds.mojo.package import Package, artifact_name
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


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return digest_stream(stream).hex
