"""The kind `docs`: a site made by mkdocs, as a folder to serve and as a zip to read without a network.

Both are made from the same pages. In the zip pages link each other by their files and ask for no fonts of others, since
nobody serves them. Every page says its version, and every link inside a site is followed before it is an artifact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import COMPRESSOR, LEVELS, compressing
from packyard.formats.archive.zipball import write_zip
from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.mkdocs import read_mkdocs
from packyard.formats.workspace.manifest import DocsSpec
from packyard.tasks.errors import PlanError, gather
from packyard.tasks.kinds.docs.links import Site, check_links
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
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Source, Target, Use
from packyard.tasks.workspace.workspace import MANIFEST, Workspace

_SERVED = ("404.html", "sitemap.xml", "sitemap.xml.gz")  # for servers and crawlers, of no use in a zip
_COPY_HINT = "it is an address of the served site; of [text](PAGE.md) in Markdown mkdocs makes the one that fits"
# What mkdocs' own command does, with the last word on a few settings. It tells where the site will be served.
_BUILD = """
import json, logging, sys
tree, order = sys.argv[1:]
sys.path[0] = tree
order = json.loads(order)
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import MkDocsException
logging.basicConfig(format="%(levelname)-8s%(message)s", level=logging.WARNING, stream=sys.stdout)
for folder, settings in order["sites"].items():
    try:
        config = load_config(order["config"], docs_dir=order["pages"], site_dir=folder, **settings)
        config.copyright = " \\u00b7 ".join(filter(None, [config.copyright, order["label"]]))
        if "use_directory_urls" in settings and "font" in config.theme:
            config.theme["font"] = False
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
    except MkDocsException as error:
        sys.exit(f"ERROR   {error}")
with open(order["facts"], "w", encoding="utf-8") as facts:
    json.dump({"url": config.site_url or ""}, facts)
"""


def targets(workspace: Workspace) -> Iterator[Target]:
    """The site of each `[[docs]]`; FormatError with every file that is missing."""
    problems: list[FormatError] = []
    for position, spec in enumerate(workspace.manifest.docs):
        try:
            yield _target(workspace, spec, f"docs[{position}]")
        except FormatError as error:
            problems.append(error)
    gather(problems)


def make_docs(room: Room) -> None:
    """Build the site and its offline copy, check the links of both, and put the copy into a zip."""
    site, copy = room.outputs / "site", room.scratch / "copy" / "site"
    url = _run_mkdocs(room, site, copy)
    if (site / "sitemap.xml.gz").exists():  # other machines have another zlib
        with (site / "sitemap.xml.gz").open("wb") as out, compressing(out, level=room.params["level"]) as packed:
            packed.write((site / "sitemap.xml").read_bytes())
    pages = room.inputs / room.params["pages"]
    for name in _SERVED:
        (copy / name).unlink(missing_ok=True)
    for folder in (site, copy):
        _say_version(folder, pages, room.params["label"])
    check_links(Site(site, url), pages, room.params["pages"])
    check_links(Site(copy, what="the offline copy"), pages, room.params["pages"], _COPY_HINT)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    entries = [Entry(path.relative_to(copy.parent).as_posix(), path) for path in files]
    with (room.outputs / room.params["zip"]).open("wb") as out:
        write_zip(entries, out, epoch=room.params["epoch"])


def _run_mkdocs(room: Room, site: Path, copy: Path) -> str:
    """Make both sites; where the configuration says that the first will be served."""
    facts = room.scratch / "facts.json"
    order = {
        "config": str(room.inputs / room.params["config"]),
        "pages": str(room.inputs / room.params["pages"]),
        "label": room.params["label"],
        "sites": {str(site): {}, str(copy): {"use_directory_urls": False}},
        "facts": str(facts),
    }
    tree = room.trees[room.params["buildenv"]]
    python = choice.program_in(room, room.params["runtime"], room.params["version"])
    path = f"{tree}/bin:{room.environment()['PATH']}"
    env = {"PATH": path, "PYTHONPATH": str(tree), "NO_MKDOCS_2_WARNING": "1"}
    # Not -I, which would pass over PYTHONHASHSEED: plug-ins may write what they have in sets.
    room.run([python, "-s", "-S", "-c", _BUILD, tree, json.dumps(order)], cwd=room.inputs, env=env)
    url: str = json.loads(facts.read_text(encoding="utf-8"))["url"]
    return url


def _say_version(site: Path, pages: Path, label: str) -> None:
    """Put the version on each page whose theme did not; what was copied as it is stays so."""
    for path in sorted(site.rglob("*.html")):
        data, wanted = path.read_bytes(), label.encode()
        if wanted not in data and not (pages / path.relative_to(site)).exists():
            head, end, tail = data.rpartition(b"</body>")
            before, after = (head, end + tail) if end else (data, b"")
            path.write_bytes(before + b"<p>" + wanted + b"</p>\n" + after)


def _target(workspace: Workspace, spec: DocsSpec, key: str) -> Target:
    pin = docs_pin(workspace)
    assert pin is not None
    config, pages, sources = _sources(workspace, spec, key)
    python = docs_python(workspace)
    one = choice.find(python, workspace)
    program, uses = choice.build_program(one)
    buildenv = docsenv_of(pin)
    site, file = site_folder(spec.name, workspace.manifest), zip_name(spec, workspace.manifest)
    return Target(
        name=f"docs:{spec.name}",
        doc=f"the site {site}/ and {file}",
        place=MANIFEST,
        run="packyard.tasks.kinds.docs.docs:make_docs",
        params={
            "zip": file,
            "label": f"{spec.name} {spec.version}",
            "config": config,
            "pages": pages,
            "buildenv": buildenv,
            "python": program,
            "runtime": one.target,
            "version": python,
            "epoch": workspace.epoch,
            "compressor": COMPRESSOR,
            "level": LEVELS["small"],
        },
        sources=tuple(Source(path=path, at=path) for path in sources),
        uses=(*uses, Use(target=buildenv)),
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
        hint = f"the least that mkdocs needs is a {spec.config} with the line 'site_name: TITLE'"
        raise PlanError(Problem(f"{spec.config!r} does not exist", f"{key}.config", MANIFEST, hint))
    config = read_mkdocs(watch.text(spec.config), spec.config)
    pages = pages_folder(spec, config)
    problems: list[Problem] = []
    found: dict[str, None] = {spec.config: None}

    def add(text: str, where: str, place: str, *, needed: str = "matches no file") -> None:
        files = watch.matching_files(text)
        if not files:
            problems.append(Problem(f"{text!r} {needed}", where, place))
        found.update(dict.fromkeys(files))

    if spec.source and config.docs_dir and pages_folder(replace(spec, source=""), config) != spec.source:
        message = f"{spec.source!r} is not the folder that {spec.config} names, '{config.docs_dir}'"
        problems.append(Problem(message, f"{key}.source", MANIFEST, "leave one of them out"))
    add(pages, f"{key}.source", MANIFEST, needed="holds no page")
    for number, pattern in enumerate(spec.include):
        add(pattern, f"{key}.include[{number}]", MANIFEST)
    for where, text in named_files(spec, config).items():
        add(text, where, spec.config, needed="does not exist")
    if problems:
        raise PlanError(*problems)
    return spec.config, pages, sorted(found)
