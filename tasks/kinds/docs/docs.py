"""The kind `docs`: a site made by mkdocs, as a folder to serve and as a zip to read without a network.

Both are made from the same pages. In the zip pages link each other by their files and ask for no fonts of others, since
nobody serves them. Every page says its version, and every link inside a site is followed before it is an artifact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.mkdocs import read_mkdocs
from packyard.formats.workspace.manifest import DocsSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.docs.make_docs import DocsParams, make_docs
from packyard.tasks.kinds.docs.site import (
    SITE,
    docs_pin,
    docs_python,
    docsenv_of,
    named_files,
    pages_folder,
    site_folder,
    zip_name,
)
from packyard.tasks.kinds.interpreter import choice
from packyard.tasks.kinds.python.buildenv import buildenv
from packyard.tasks.target.packing import Packing
from packyard.tasks.target.params import call
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.belonging import belongs, find_files
from packyard.tasks.workspace.workspace import MANIFEST, Workspace


def targets(workspace: Workspace) -> Iterator[Target]:
    """The site of each `[[docs]]`, and the environment that makes them all; FormatError with every file that is
    missing."""
    problems: list[FormatError] = []
    for position, spec in enumerate(workspace.manifest.docs):
        try:
            yield _target(workspace, spec, f"docs[{position}]")
        except FormatError as error:
            problems.append(error)
    gather(problems)
    if pin := docs_pin(workspace):
        yield buildenv(docsenv_of(pin), pin, MANIFEST, workspace)


def _target(workspace: Workspace, spec: DocsSpec, key: str) -> Target:
    pin = docs_pin(workspace)
    assert pin is not None
    config, pages, sources = _sources(workspace, spec, key)
    python, uses = choice.python_for(choice.find(docs_python(workspace), workspace))
    environment = docsenv_of(pin)
    site, file = site_folder(spec.name, workspace.manifest), zip_name(spec, workspace.manifest)
    return Target(
        name=f"docs:{spec.name}",
        doc=f"the site {site}/ and {file}",
        place=MANIFEST,
        **call(
            make_docs,
            DocsParams(
                file=file,
                label=f"{spec.name} {spec.version}",
                config=config,
                pages=pages,
                environment=environment,
                python=python,
                packing=Packing.of("small", epoch=workspace.epoch),
            ),
        ),
        sources=tuple(Source(path=path, at=path) for path in sources),
        uses=(*uses, Use(target=environment)),
        outputs=(
            Output(at=file, artifact=f"dist/{file}"),
            Output(part=SITE, at="site", artifact=site, tree=True),
        ),
        final=True,
    )


def _sources(workspace: Workspace, spec: DocsSpec, key: str) -> tuple[str, str, list[str]]:
    """The configuration, the folder of the pages, and every file that the site is made from."""
    watch = workspace.watch
    if not watch.is_file(spec.config):
        hint = f"mkdocs requires at least a {spec.config} with the line 'site_name: TITLE'"
        raise PlanError(Problem(f"{spec.config!r} does not exist", f"{key}.config", MANIFEST, hint))
    config = read_mkdocs(watch.text(spec.config), spec.config)
    pages = pages_folder(spec, config)
    problems: list[Problem] = []
    found: dict[str, None] = {spec.config: None}

    def add(text: str, where: str, place: str, *, needed: str = "matches no file") -> None:
        named = find_files(workspace, text, belongs(workspace))
        if not named.files:
            problems.append(Problem(f"{text!r} {needed}", where, place, named.hint))
        found.update(dict.fromkeys(named.files))

    if spec.source and config.docs_dir and pages_folder(replace(spec, source=""), config) != spec.source:
        message = f"{spec.source!r} is not the folder that {spec.config} names, '{config.docs_dir}'"
        problems.append(Problem(message, f"{key}.source", MANIFEST, "leave one of them out"))
    add(pages, f"{key}.source", MANIFEST, needed="contains no pages")
    for number, pattern in enumerate(spec.include):
        add(pattern, f"{key}.include[{number}]", MANIFEST)
    for where, text in named_files(spec, config).items():
        add(text, where, spec.config, needed="does not exist")
    if problems:
        raise PlanError(*problems)
    return spec.config, pages, sorted(found)
