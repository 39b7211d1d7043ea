"""Make a documentation site by mkdocs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from packyard.formats.archive.entry import Entry
from packyard.formats.archive.gzipped import compressing
from packyard.formats.archive.zipball import write_zip
from packyard.tasks.kinds.docs.links import Site, check_links
from packyard.tasks.kinds.interpreter.program import PythonParams, program_in
from packyard.tasks.target.packing import PackingParams
from packyard.tasks.target.room import Room

_SERVED = ("404.html", "sitemap.xml", "sitemap.xml.gz")  # for servers and crawlers, of no use in a zip
_COPY_HINT = "it is an address of the served site; write [text](PAGE.md) in Markdown, and mkdocs makes the right one"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DocsParams(PackingParams):
    """The parameters of a site: the name of its offline copy, the `label` that each page says ('guide 0.1.0'), mkdocs'
    configuration and the folder of the pages, the target of the environment that mkdocs is in, and the Python that
    runs it."""

    file: str
    label: str
    config: str
    pages: str
    environment: str
    python: PythonParams


def make_docs(room: Room[DocsParams]) -> None:
    """Build the site and its offline copy, check the links of both, and put the copy into a zip."""
    params = room.params
    site, copy = room.outputs / "site", room.scratch / "copy" / "site"
    url = _run_mkdocs(room, site, copy)
    if (site / "sitemap.xml.gz").exists():  # other machines have another zlib
        with (site / "sitemap.xml.gz").open("wb") as out, compressing(out, level=params.packing.level) as packed:
            packed.write((site / "sitemap.xml").read_bytes())
    pages = room.inputs / params.pages
    for name in _SERVED:
        (copy / name).unlink(missing_ok=True)
    for folder in (site, copy):
        _say_version(folder, pages, params.label)
    check_links(Site(site, url), pages, params.pages)
    check_links(Site(copy, what="the offline copy"), pages, params.pages, _COPY_HINT)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    entries = [Entry(path.relative_to(copy.parent).as_posix(), path) for path in files]
    with (room.outputs / params.file).open("wb") as out:
        write_zip(entries, out, epoch=params.packing.epoch)


def _run_mkdocs(room: Room[DocsParams], site: Path, copy: Path) -> str:
    """Make both sites; where the configuration says that the first will be served."""
    params = room.params
    facts = room.scratch / "facts.json"
    order = {
        "config": str(room.inputs / params.config),
        "pages": str(room.inputs / params.pages),
        "label": params.label,
        "sites": {str(site): {}, str(copy): {"use_directory_urls": False}},
        "facts": str(facts),
    }
    tree = room.trees[params.environment]
    python = program_in(room, params.python)
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
