"""What a workspace gives to others: each final artifact of `dist/`, what it is, and where it belongs when installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packyard.formats.morloc.home import Installed, PlanePaths, exposed_paths, record_of
from packyard.formats.morloc.lock import LockedPackage
from packyard.formats.morloc.reference import archive_file
from packyard.tasks.kinds.delivery.make_installer import How
from packyard.tasks.kinds.mojo.plan import sound_packages
from packyard.tasks.kinds.morloc.archives import members_needed
from packyard.tasks.kinds.morloc.members import read_packages
from packyard.tasks.kinds.morloc.package import Package
from packyard.tasks.kinds.python.version import version
from packyard.tasks.target.target import Target, Use
from packyard.tasks.texts.installscript import Beside
from packyard.tasks.workspace.workspace import Workspace

_HOME = "share/morloc"  # below ~/.local, where the compiler looks
_PLANE = PlanePaths("default")
_KINDS = ("bundle", "mojo", "morloc", "archive", "docs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file that is installed: the artifact it comes from, its name in `dist/`, and where it goes below a prefix: a
    file, or for an archive the folder that it is unpacked into."""

    use: Use
    file: str
    how: How
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One artifact. `name` is its own among the products, `license` '' when nobody states one; `pieces` is empty for
    what cannot be installed by a shell script; `beside` is what goes with them."""

    kind: str
    target: str
    name: str
    file: str
    version: str
    license: str = ""
    description: str = ""
    platform: str = ""  # what it is for, in words; of a Mojo package its own manifest tells
    pieces: tuple[Piece, ...] = ()
    beside: tuple[Beside, ...] = ()
    notes: tuple[str, ...] = ()  # for people, at the top of its script


def find_products(workspace: Workspace, made: Mapping[str, Target]) -> tuple[Product, ...]:
    """The products among the targets of a workspace that distributes them, programs first, then by name."""
    if not workspace.manifest.distribute:
        return ()
    found: dict[str, Product] = {}
    known = dict(_described(workspace))
    packages = read_packages(workspace)
    targets = [target for target in made.values() if target.final and target.kind in _KINDS and target.outputs]
    for target in sorted(targets, key=lambda one: (_KINDS.index(one.kind), one.name)):
        artifact = target.outputs[0].artifact
        if not artifact or not artifact.startswith("dist/"):
            continue
        name = target.name.partition(":")[2]
        release, license, description = known.get(target.name.partition("@")[0], ("", "", ""))
        label = name if name not in found else f"{name}.{target.kind}"
        found[label] = Product(
            kind=target.kind,
            target=target.name,
            name=label,
            file=artifact.removeprefix("dist/"),
            version=release,
            license=license,
            description=description,
            platform=_platform(target, workspace, made, packages),
            pieces=tuple(_pieces(target, made, packages)),
            beside=tuple(_beside(target, packages)),
            notes=tuple(_notes(target, packages)),
        )
    return tuple(found.values())


def script_name(product: Product) -> str:
    """What the script of a product is called."""
    return f"install_{product.name}.sh"


def title_of(product: Product) -> str:
    """What a product is called in texts: its name and its version."""
    return f"{product.name} {product.version}".strip()


def _pieces(target: Target, made: Mapping[str, Target], packages: Mapping[str, Package]) -> Iterator[Piece]:
    artifact = str(target.outputs[0].artifact)
    name, file = target.name.partition(":")[2], artifact.removeprefix("dist/")

    def piece(one: Target, how: How, to: str) -> Piece:
        place = str(one.outputs[0].artifact).removeprefix("dist/")
        return Piece(use=Use(target=one.name, at=place), file=place, how=how, to=to)

    match target.kind:
        case "bundle" if not file.endswith(".exe"):
            yield piece(target, "program", f"bin/{name.partition('@')[0]}")
        case "mojo":
            for one in _with_needs(target, made):
                yield piece(one, "copy", f"lib/mojo/{one.outputs[0].at}")
        case "morloc":
            for needed in members_needed(name, packages)[0]:
                yield piece(made[f"morloc:{needed}"], "tar", f"{_HOME}/{_PLANE.packages}")
        case "archive":
            yield piece(target, "zip" if file.endswith(".zip") else "tar", f"share/{name}")
        case "docs":
            yield piece(target, "zip", f"share/doc/{name}")


def _beside(target: Target, packages: Mapping[str, Package]) -> Iterator[Beside]:
    """What a home of morloc has of a package besides its files: its record and what it exposes; and what it needs that
    is not a member. Whichever installer brings a package, its record is the same, for all share it."""
    if target.kind != "morloc":
        return
    names, others = members_needed(target.name.partition(":")[2], packages)
    for name in others:
        yield Beside(to=f"{_HOME}/{_PLANE.package(name)}", needed=f"the morloc package {name}")
    for name in names:
        package = packages[name]
        locked = LockedPackage(
            name=name,
            version=package.manifest.version,
            source=archive_file(name, package.manifest.version),
            dependencies=tuple(sorted(package.manifest.declared)),
        )
        installed = Installed(locked=locked, manifest=package.manifest, entries=(), reason="explicit")
        yield Beside(to=f"{_HOME}/{_PLANE.record(name)}", text=record_of(installed, epoch=0))
        for to, path in exposed_paths(package.manifest, name, package.files).items():
            yield Beside(to=f"{_HOME}/{to}", copied=f"{_HOME}/{_PLANE.package(name)}/{path}")


def _notes(target: Target, packages: Mapping[str, Package]) -> Iterator[str]:
    if target.kind != "morloc":
        return
    yield f"The home of morloc is {_HOME} below the prefix."
    for name in members_needed(target.name.partition(":")[2], packages)[0]:
        if setup := packages[name].manifest.setup:
            yield f"The setup script of {name} is not run: {setup} in {_PLANE.package(name)} of the home."


def _platform(target: Target, workspace: Workspace, made: Mapping[str, Target], packages: Mapping[str, Package]) -> str:
    """What a product is for; an archive is for all that is needed by what it carries."""
    if target.kind == "archive":
        carried = [made[use.target] for use in target.uses if use.target in made]
        compilers = [use.target for one in carried if one.kind == "mojo" for use in one.uses]
        needs = [f"Mojo {name.partition('mojo-')[2]}" for name in compilers if name.startswith("toolchain:mojo-")]
        needs += [_platform(one, workspace, made, packages) for one in carried if one.kind != "mojo"]
        return ", ".join(filter(None, dict.fromkeys(needs)))
    if target.kind == "morloc":
        name = target.name.partition(":")[2]
        others = members_needed(name, packages)[1] if name in packages else ()
        return f"morloc with {', '.join(others)} in its home" if others else "morloc"
    if target.kind != "bundle":
        return ""
    system, _, machine = (target.name.partition("@")[2] or workspace.platform).partition("_")
    names = {"linux": "Linux", "darwin": "macOS", "windows": "Windows", "amd64": "x86-64", "arm64": "ARM64"}
    return f"{names.get(system, system)} on {names.get(machine, machine)}"


def _with_needs(target: Target, made: Mapping[str, Target]) -> Iterator[Target]:
    """A Mojo package and all that it needs, which is all that it was compiled against."""
    names = {use.target for use in target.uses if use.target.startswith("mojo:")}
    yield from (made[name] for name in sorted({*names, target.name}) if name in made)


def _described(workspace: Workspace) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Version, licence and description of what manifests describe, by target."""
    for package in sound_packages(workspace).packages:
        about = package.manifest
        yield package.target, (about.version, about.license, about.description)
    for member in workspace.members:
        if member.project and member.project.flavor:
            project = member.project
            yield f"bundle:{member.name}", (version(member, workspace), project.license, project.description)
        if member.morloc:
            yield f"morloc:{member.name}", (member.morloc.version, member.morloc.license, member.morloc.synopsis)
    for archive in workspace.manifest.archives:
        yield f"archive:{archive.name}", (archive.version, "", "")
    for docs in workspace.manifest.docs:
        yield f"docs:{docs.name}", (docs.version, "", "")
