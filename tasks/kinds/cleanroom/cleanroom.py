"""The kind `cleanroom`: what was packaged is tried where there is nothing else, and what was shown is written down.

The room is an empty folder with an empty home and a constant environment. It gets the package and what it declares to
need, never the sources; the workspace's own paths are not known there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packyard.formats.mojo.packagemanifest import SUFFIX
from packyard.formats.morloc.reference import archive_file
from packyard.formats.workspace.manifest import ArchiveSpec
from packyard.tasks.kinds.archive.distribution import folder_name
from packyard.tasks.kinds.bundle.launcherchoice import LANGUAGES
from packyard.tasks.kinds.bundle.program import program_of
from packyard.tasks.kinds.cleanroom.make_cleanroom import (
    ArchiveProofParams,
    BundleProofParams,
    MojoProofParams,
    MorlocProofParams,
    prove_archive,
    prove_bundle,
    prove_mojo,
    prove_morloc,
)
from packyard.tasks.kinds.cleanroom.report import FILE, TABLE
from packyard.tasks.kinds.interpreter.platforms import platforms_of_all
from packyard.tasks.kinds.mojo.compiler import extension, toolchain_of
from packyard.tasks.kinds.mojo.dependencies import Needs
from packyard.tasks.kinds.mojo.package import Package, artifact_name, placed_examples
from packyard.tasks.kinds.mojo.plan import MojoPlan, sound_packages
from packyard.tasks.kinds.morloc.archives import archives_of
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.package import MANIFEST as YAML
from packyard.tasks.kinds.morloc.package import Package as MorlocPackage
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.workspace import LOCK, MANIFEST, Member, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """A clean room for each Mojo package that can be compiled, each bundle for this machine, each morloc package, and
    each archive that says how to try it; by name only.

    What has the name of a package is tried as `cleanroom:NAME.FORMAT`, a bundle as `cleanroom:NAME.psp`, a morloc
    package as `cleanroom:NAME.morloc`.
    """
    plan = sound_packages(workspace)
    labels = set()
    for package in plan.packages:
        if not plan.needs[package.name].cycle:
            labels.add(package.label)
            yield _of_package(package, plan.needs[package.name], workspace)
    for member, platforms in platforms_of_all(workspace).values():
        if workspace.platform in platforms:
            name = f"{member.name}.psp" if member.name in labels else member.name
            labels.add(name)
            yield _of_bundle(member, name, workspace)
    members = read_packages(workspace)
    for other in members.values():
        name = f"{other.name}.morloc" if other.name in labels else other.name
        labels.add(name)
        yield _of_morloc(other, name, members, workspace)
    for spec in workspace.manifest.archives:
        if spec.smoke or spec.layout:
            name = f"{spec.name}.{spec.format}" if spec.name in labels else spec.name
            yield _of_archive(spec, name, _compiler_for(spec, plan, workspace))


def _compiler_for(spec: ArchiveSpec, plan: MojoPlan, workspace: Workspace) -> str:
    """The compiler of the packages in an archive; else the workspace's, for the smoke command may run programs."""
    found = (package.compiler for package in plan.packages if package.target in spec.include)
    return next(found, workspace.manifest.toolchain.mojo)


def _of_archive(spec: ArchiveSpec, name: str, version: str) -> Target:
    stem = folder_name(spec) if spec.layout else f"{spec.name}-{spec.version}"
    file = f"{stem}.{spec.format}"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"whether {file} works where there is nothing else",
        place=MANIFEST,
        **call(
            prove_archive,
            ArchiveProofParams(
                file=file,
                compiler=version,
                layout=spec.layout,
                top=stem if spec.layout else spec.prefix,
                smoke=spec.smoke,
            ),
        ),
        uses=(
            Use(target=f"archive:{spec.name}", at=file),
            *((Use(target=toolchain_of(version)),) if version else ()),
        ),
        outputs=_outputs(file),
    )


def _of_package(package: Package, needs: Needs, workspace: Workspace) -> Target:
    version = package.compiler
    end = f".{extension(version)}"
    programs = placed_examples(package, workspace.watch)
    uses = [Use(target=toolchain_of(version))]
    for other in (package, *needs.all):
        at = f"packages/{other.name}{end}"
        uses += [Use(target=other.target, at=at), Use(target=other.target, part="manifest", at=f"{at}{SUFFIX}")]
    return Target(
        name=f"cleanroom:{package.label}",
        doc=f"whether {artifact_name(package)} works where there is nothing else",
        place=package.place,
        **call(
            prove_mojo,
            MojoProofParams(
                name=package.name,
                compiler=version,
                end=end,
                examples=tuple(sorted(programs.values())),
                moved=tuple(sorted(part.name for part in package.parts)),
            ),
        ),
        sources=tuple(Source(path=path, at=at) for path, at in programs.items()),
        uses=tuple(uses),
        outputs=(
            *_outputs(f"{package.label}-{package.manifest.version}"),
            Output(part="script", at="verify.sh", artifact=f"dist/install_verify_{package.label}.sh"),
        ),
    )


def _of_bundle(member: Member, name: str, workspace: Workspace) -> Target:
    project = member.project
    assert project is not None and project.flavor is not None
    program = program_of(project, version(member, workspace), workspace.platform)
    file = f"{program.name}-{program.version}.psp"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"whether {file} works where there is nothing else",
        place=member.path("pyproject.toml"),
        **call(
            prove_bundle,
            BundleProofParams(
                file=file,
                commands={command: project.flavor.smoke.get(command, ("--help",)) for command in program.commands},
            ),
        ),
        uses=(
            Use(target=f"bundle:{member.name}", at=file),
            *(Use(target=f"launcher:{language}-{workspace.platform}", at=language) for language in LANGUAGES),
        ),
        outputs=_outputs(file),
    )


def _of_morloc(package: MorlocPackage, name: str, members: Mapping[str, MorlocPackage], workspace: Workspace) -> Target:
    file = archive_file(package.name, package.manifest.version)
    archives = archives_of([package.name], members, workspace)
    own = f"morloc:{package.name}"
    return Target(
        name=f"cleanroom:{name}",
        doc=f"whether {file} works where there is nothing else",
        place=package.path(YAML),
        **call(
            prove_morloc,
            MorlocProofParams(
                name=package.name,
                file=file,
                missing=tuple(f"{LOCK}: {line}" for line in archives.missing),
            ),
        ),
        uses=(Use(target=own, at=file), *(use for use in archives.uses if use.target != own)),
        sources=archives.sources,
        outputs=_outputs(file),
    )


def _outputs(stem: str) -> tuple[Output, Output]:
    return (
        Output(at=FILE, artifact=f"dist/{stem}.cleanroom.json"),
        Output(part="table", at=TABLE, artifact=f"dist/{stem}.cleanroom.txt"),
    )
