"""The kind `plane`: every morloc package of the workspace with all that it needs, as a home to unpack and use offline.

It is made from locked packages alone, and is built by name only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.archive.tarball import write_tar
from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.home import Installed, PlanePaths, exposed_folders, home_files, plane_listing
from packyard.formats.morloc.lock import LockedPackage, content_digest, content_listing, write_morloc_lock
from packyard.formats.morloc.reference import PLANE_SUFFIX
from packyard.tasks.errors import ActionError
from packyard.tasks.kinds.morloc.archivefile import place_of, read_archive
from packyard.tasks.kinds.morloc.archives import archives_of
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.setup import read_tree, set_up
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json, Output, Target
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
        run="packyard.tasks.kinds.morloc.plane:make_plane",
        params={
            "file": file,
            "plane": spec.plane,
            "epoch": workspace.epoch,
            "compressor": COMPRESSOR,
            "level": LEVELS["small"],
            "packages": [_written(package, members) for package in archives.packages],
            "allow_setup": sorted(spec.allow_setup),
            "missing": list(archives.missing),
        },
        uses=archives.uses,
        sources=archives.sources,
        outputs=(Output(at=file, artifact=f"dist/{file}"),),
    )


def make_plane(room: Room[Any]) -> None:
    """Assemble the home in memory and write it as one archive; ActionError when the lock does not say everything."""
    if room.params["missing"]:
        raise ActionError(
            "the plane cannot be made from the lock",
            detail="\n".join(f"{LOCK}: {line}" for line in room.params["missing"]),
            hint="run 'packyard lock'",
        )
    paths, epoch = PlanePaths(room.params["plane"]), room.params["epoch"]
    packages = [_read(room, values) for values in room.params["packages"]]
    entries = list(_assembled(room, paths, packages))
    with (room.outputs / room.params["file"]).open("wb") as out, compressing(out, level=room.params["level"]) as packed:
        write_tar(entries, packed, epoch=epoch)


def _assembled(room: Room[Any], paths: PlanePaths, packages: Sequence[Installed]) -> Iterator[Entry]:
    """All files of the home: the packages, dependencies first, and the lock over them."""
    epoch = room.params["epoch"]
    home = room.scratch / "home"
    allowed = room.params["allow_setup"]
    scripted = {package.locked.name for package in packages if package.manifest.setup}
    locked: list[LockedPackage] = []
    listings: dict[str, str] = {}
    for package in packages:
        name = package.locked.name
        if name in scripted and name in allowed:
            room.say(f"{name}: running {package.manifest.setup}")
            changed = set_up(
                home, paths, package, lambda words, cwd, env: room.run(words, cwd=cwd, env=env), epoch=epoch
            )
            locked.append(replace(package.locked, installed=content_digest(changed)))
            listings[name] = content_listing(changed)
            kept = replace(package, locked=locked[-1], entries=changed)
            outside = tuple(f"{folder}/" for folder in exposed_folders(name).values())
            yield from (e for e in home_files(paths, kept, epoch=epoch) if not e.path.startswith(outside))
            for folder in exposed_folders(name).values():
                yield from (replace(e, path=f"{folder}/{e.path}") for e in read_tree(home / folder))
            continue
        if name in scripted:
            room.say(f"{name}: its setup script {package.manifest.setup} was not run, it is not in allow_setup")
        locked.append(package.locked)
        listings[name] = content_listing(package.entries)
        yield from home_files(paths, package, epoch=epoch)
    yield Entry(paths.lock, write_morloc_lock(locked).encode())
    yield Entry(paths.listing, plane_listing(listings).encode("utf-8", "surrogateescape"))


def _read(room: Room[Any], values: Mapping[str, Json]) -> Installed:
    """A package as its archive holds it, compared with the lock."""
    name = values["name"]
    try:
        package = read_archive(room.inputs / place_of(name), name)
    except FormatError as error:
        raise ActionError(str(error)) from None
    entries = tuple(package.entries())
    content = content_digest(entries)
    if values["content"] and str(content) != values["content"]:
        raise ActionError(f"{name}: its content is {content}, but {values['content']} is locked")
    locked = LockedPackage(
        name=name,
        version=values["version"],
        source=values["source"],
        commit=values["commit"],
        content=Digest(content.hex),
        dependencies=tuple(values["dependencies"]),
    )
    return Installed(locked=locked, manifest=package.manifest, entries=entries, reason=values["reason"])


def _written(package: LockedPackage, members: Mapping[str, object]) -> dict[str, Json]:
    return {
        "name": package.name,
        "version": package.version,
        "source": package.source,
        "commit": package.commit,
        "content": str(package.content or ""),
        "dependencies": list(package.dependencies),
        "reason": "explicit" if package.name in members else "auto",
    }
