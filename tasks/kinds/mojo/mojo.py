"""The kind `mojo`: a member's package compiled by a Mojo toolchain, the same bytes wherever the workspace lies.

Sources are staged as `package/NAME/` and the packages they import as `deps/DEP.ext`: the compiler is called beside
the first with relative arguments only, because it writes the spelling of its argument, in 0.x even the absolute
path, into the package. The name of its output is part of the package too, so it is never compiled to another one.

A meta-package is compiled from the sources of its parts, staged as `package/META/PART/`; what they import of each
other is moved below META first, for there is no other place where they could find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packyard.formats.mojo.packagemanifest import SUFFIX
from packyard.tasks.kinds.mojo.compiler import bare_modules, extension, toolchain_of
from packyard.tasks.kinds.mojo.dependencies import Needs, together
from packyard.tasks.kinds.mojo.make_meta import MetaParams
from packyard.tasks.kinds.mojo.make_mojo import SOURCE, MojoParams, RefusalParams, make_mojo, refuse_mojo
from packyard.tasks.kinds.mojo.meta import flat_exports
from packyard.tasks.kinds.mojo.package import Package, artifact_name, sources
from packyard.tasks.kinds.mojo.packagemanifest import said_of
from packyard.tasks.kinds.mojo.plan import plan_packages
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.watch import Watch
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """One target for each Mojo package; FormatError with every dependency, range and import that is wrong.

    A package in a cycle of imports gets a target that only says so, and what does not need it is built all the same.
    """
    plan = plan_packages(workspace)
    for package in plan.packages:
        needs = plan.needs[package.name]
        if needs.cycle:
            yield _refusal(package, needs, plan.packages, workspace)
        else:
            yield _target(package, needs, workspace)


def _target(package: Package, needs: Needs, workspace: Workspace) -> Target:
    version = package.compiler
    end = extension(version)
    params = MojoParams(
        name=package.name,
        compiler=version,
        folders={f"{package.name}/{part.name}": part.folder for part in package.parts}
        or {package.name: package.folder},
        manifest=said_of(package, needs),
        source=Packing.of("small", epoch=workspace.epoch) if package.manifest.ships_source else None,
        meta=_meta(package, workspace) if package.parts else None,
    )
    return Target(
        name=package.target,
        doc=package.manifest.description or f"the Mojo package {package.name}",
        place=package.place,
        **call(make_mojo, params),
        sources=tuple(_staged(package, workspace.watch)),
        uses=(
            Use(target=toolchain_of(version)),
            *(Use(target=other.target, at=f"deps/{other.name}.{end}") for other in needs.all),
        ),
        outputs=_outputs(package),
        final=True,
    )


def _meta(package: Package, workspace: Workspace) -> MetaParams:
    moved = {part.name for part in package.parts} - bare_modules(package.compiler)
    exports = flat_exports(package, workspace) if package.is_flat else {}
    return MetaParams(moved=tuple(sorted(moved)), exports=exports)


def _refusal(package: Package, needs: Needs, packages: Sequence[Package], workspace: Workspace) -> Target:
    """The target of a package in a cycle. When a meta-package holds the whole cycle, it is none of `all`."""
    holder = next((meta for meta in packages if all(other in meta.parts for other in needs.knot)), None)
    shown = " -> ".join(other.name for other in needs.cycle)
    if holder is not None:
        hint = f"it is part of {holder.target!r}: import '{holder.name}.{package.name}', and depend on that"
    else:
        block = together(needs.knot, packages, workspace.manifest.name)
        hint = f"they compile as one package; declare it in {MANIFEST} like this:\n\n{block}\n"
    return Target(
        name=package.target,
        doc=f"the Mojo package {package.name}, which cannot be compiled alone",
        place=package.place,
        **call(
            refuse_mojo,
            RefusalParams(message=f"{package.place}: the packages import each other in a cycle: {shown}", hint=hint),
        ),
        outputs=_outputs(package),
        final=holder is None,
    )


def _outputs(package: Package) -> tuple[Output, ...]:
    end = extension(package.compiler)
    artifact = f"dist/{artifact_name(package)}"
    outputs = (
        Output(at=f"{package.name}.{end}", artifact=artifact),
        Output(part="manifest", at=f"{package.name}.{end}{SUFFIX}", artifact=f"{artifact}{SUFFIX}"),
    )
    if not package.manifest.ships_source:
        return outputs
    stem = artifact.removesuffix(f".{end}")
    return (*outputs, Output(part="source", at=f"{package.name}{SOURCE}", artifact=f"{stem}{SOURCE}"))


def _staged(package: Package, watch: Watch) -> list[Source]:
    """The sources of a package, each where it stands when it is compiled."""
    staged: list[Source] = []
    for part in package.parts or (package,):
        below = f"package/{package.name}/{part.name}" if package.parts else f"package/{package.name}"
        prefix = f"{part.folder}/" if part.folder else ""
        for path in sources(part, watch):
            staged.append(Source(path=path, at=f"{below}/{path.removeprefix(prefix)}"))
    return staged
