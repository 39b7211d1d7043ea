"""The kind `plane`: every morloc package of the workspace with all that it needs, as a home to unpack and use offline.

It is made from locked packages alone, and is built by name only.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyard.formats.morloc.reference import PLANE_SUFFIX
from packyard.tasks.kinds.morloc.archives import archives_of
from packyard.tasks.kinds.morloc.make_plane import PlacedPackage, PlaneParams, make_plane
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Target
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The plane of the workspace, when it has morloc members.

    What the lock lacks is no error here, because only who asks for the plane needs it: the action says it.
    """
    members = read_packages(workspace)
    if not members:
        return
    spec = workspace.manifest.morloc
    archives = archives_of(members, members, workspace)
    file = f"{workspace.manifest.name}-{spec.plane}{PLANE_SUFFIX}"
    yield Target(
        name=f"plane:{spec.plane}",
        doc="an offline morloc plane of all packages and what they need",
        place=MANIFEST,
        **call(
            make_plane,
            PlaneParams(
                file=file,
                plane=spec.plane,
                packages=tuple(
                    PlacedPackage(locked=package, reason="explicit" if package.name in members else "auto")
                    for package in archives.packages
                ),
                allow_setup=tuple(sorted(spec.allow_setup)),
                missing=tuple(f"{LOCK}: {line}" for line in archives.missing),
                packing=Packing.of("small", epoch=workspace.epoch),
            ),
        ),
        uses=archives.uses,
        sources=archives.sources,
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
    )
