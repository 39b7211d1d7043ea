"""Items shown by artifacts: that they exist, and what clean rooms proved about them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from packyard.formats.units import count_text, size_text
from packyard.formats.workspace.cleanroom import Check
from packyard.tasks.kinds.docs.onlinelinks import ask_links
from packyard.tasks.kinds.docs.site import site_folders
from packyard.tasks.publish.checklist.evidence import Evidence
from packyard.tasks.publish.checklist.item import Found, failed, passed, skipped
from packyard.tasks.publish.component import Component
from packyard.tasks.target.target import Target

_EXAMPLE = " runs"
_IMPORT = ("from ", "import ")


def artifact(component: Component, evidence: Evidence) -> Found:
    """Its artifacts exist and are up to date."""
    targets = evidence.targets(component)
    if not targets:
        return failed("no target makes it", f"'packyard list' shows the targets; {component.place} declares it")
    for target in targets:
        if not evidence.is_fresh(target):
            text, fix = evidence.why_not(target)
            return failed(f"{_main(target)}: {text}", fix)
    return passed(", ".join(f"{_main(target)}, {_size(target, evidence)}" for target in targets))


def file_name(component: Component, evidence: Evidence) -> Found:
    """The version is in the file's name."""
    paths = [path for target in evidence.targets(component) if (evidence.root / (path := _main(target))).exists()]
    without = [path for path in paths if component.version not in os.path.basename(path)]
    if not paths or without:
        what = f"{without[0]} does not contain {component.version}" if without else "there is no file to check"
        return failed(what, f"packyard {' '.join(target.name for target in evidence.targets(component))}".rstrip())
    return passed(", ".join(map(os.path.basename, paths)))


def exports(component: Component, evidence: Evidence) -> Found:
    """Everything it exports can be imported with only the package and what it declares."""
    return _shown(component, evidence, lambda check: check.what.startswith(_IMPORT), "import")


def examples(component: Component, evidence: Evidence) -> Found:
    """Its examples run there."""
    return _shown(component, evidence, lambda check: check.what.endswith(_EXAMPLE), "example")


def script(component: Component, evidence: Evidence) -> Found:
    """The script with which receivers can verify it exists; the clean room that wrote it passed."""
    for target in evidence.cleanrooms(component):
        path = evidence.artifacts(target).get("script")
        if path and evidence.is_fresh(target):
            return passed(path)
        if path:
            text, fix = evidence.why_not(target)
            return failed(f"{path}: {text}", fix)
    return failed(
        "nothing verifies it in a clean room", "it is part of an import cycle: make one package with [[meta]]"
    )


def trial(component: Component, evidence: Evidence) -> Found:
    """It works in a clean room."""
    targets = evidence.cleanrooms(component)
    if not targets:
        if component.kind == "archive":
            return failed("nothing says how to run it", 'smoke = ["./run.sh"] in its [[archive]] is run from its copy')
        return skipped("there is no clean room for it")
    for target in targets:
        if not evidence.is_fresh(target):
            text, fix = evidence.why_not(target)
            return failed(text, fix)
    count = sum(len(evidence.report(target)) for target in targets)
    return passed(f"{_main(targets[0])}: {count} of {count} checks passed")


def executable(component: Component, evidence: Evidence) -> Found:
    """Each script that starts with `#!` is executable."""
    scripts = [path for path in _sources(component, evidence) if evidence.starts_as_script(path)]
    wrong = without_bit(evidence, scripts)
    if wrong:
        return failed(f"not executable: {', '.join(wrong)}", f"chmod +x {' '.join(wrong)}, or packyard check --fix")
    return passed(f"{', '.join(scripts)}") if scripts else skipped("none of its files starts with #!")


def scripts_without_bit(evidence: Evidence) -> list[str]:
    """Every script of an archive that is not executable."""
    archives = (one for one in evidence.components if one.kind == "archive")
    paths = dict.fromkeys(path for one in archives for path in _sources(one, evidence))
    return without_bit(evidence, [path for path in paths if evidence.starts_as_script(path)])


def without_bit(evidence: Evidence, paths: list[str]) -> list[str]:
    """The files that their owner may not execute."""
    return [path for path in paths if not (evidence.root / path).stat().st_mode & stat.S_IXUSR]


def site(component: Component, evidence: Evidence) -> Found:
    """There is a site of HTML."""
    for target in evidence.targets(component):
        folder = next((path for path in evidence.artifacts(target).values() if path.split("/")[0] == "site"), "")
        pages = sum(1 for _ in (evidence.root / folder).rglob("*.html")) if folder else 0
        if not pages:
            return failed(f"{folder or 'site'} contains no pages", f"packyard {target.name}")
        if not evidence.is_fresh(target):
            return failed(f"{folder} is not up to date", f"packyard {target.name}")
        return passed(f"{folder}, {pages} pages")
    return failed("no target makes a site", f"packyard docs:{component.name}")


def links(component: Component, evidence: Evidence) -> Found:
    """Every link inside the site works: a site with a dead one is not built."""
    targets = evidence.targets(component)
    if targets and all(evidence.is_fresh(target) for target in targets):
        return passed("every link between its pages works")
    return failed("not checked, because the site is not built", f"packyard docs:{component.name}")


def addresses(component: Component, evidence: Evidence) -> Found:
    """Every address on another host that the site links to answers; other hosts are asked only on request."""
    if not evidence.online:
        return skipped("other hosts were not checked: packyard check --online")
    folders = [path for target in evidence.targets(component) for path in site_folders(target)]
    asked, dead = ask_links(evidence.root, folders)
    if dead:
        return failed("; ".join(map(str, dead)), "fix them in the pages")
    return passed(f"{asked} on other hosts answer")


def _shown(component: Component, evidence: Evidence, is_meant: Callable[[Check], bool], noun: str) -> Found:
    """What the clean rooms of a Mojo package showed about one kind of check."""
    targets = evidence.cleanrooms(component)
    if not targets:
        return failed(
            "nothing verifies it in a clean room", "it is part of an import cycle: make one package with [[meta]]"
        )
    for target in targets:
        if not evidence.is_fresh(target):
            text, fix = evidence.why_not(target)
            return failed(text, fix)
    count = sum(1 for target in targets for check in evidence.report(target) if is_meant(check))
    if not count and noun == "example":
        return skipped('none is declared: examples = ["examples/*.mojo"] in mojo.toml')
    return passed(f"{count_text(count, noun)} in a clean room")


def _main(target: Target) -> str:
    """The artifact that identifies a target: the first that is kept in the workspace."""
    return next((output.artifact for output in target.outputs if output.artifact), target.name)


def _size(target: Target, evidence: Evidence) -> str:
    sizes = [made.size for part, made in evidence.made(target).items() if part in ("", *_first_part(target))]
    return size_text(sizes[0]) if sizes else "0 B"


def _first_part(target: Target) -> Iterator[str]:
    yield from (output.part for output in target.outputs if output.artifact)


def _sources(component: Component, evidence: Evidence) -> list[str]:
    return [source.path for target in evidence.targets(component) for source in target.sources]
