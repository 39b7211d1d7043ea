"""mkdocs.yml, as far as it says which files a site is made from. Everything else is left to mkdocs: tags such as `!ENV`
and `!!python/name:...` are ignored.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from packyard.formats.errors import FormatError, Problem
from packyard.formats.text.yaml import yaml_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class MkdocsConfig:
    """The files that a configuration names: folders and files relative to its own folder, '' and () if there are
    none."""

    docs_dir: str = ""
    custom_dir: str = ""
    inherit: str = ""
    hooks: tuple[str, ...] = ()


def read_mkdocs(text: str, place: str) -> MkdocsConfig:
    """Read a mkdocs.yml; FormatError if it is not YAML, or names files from which no site can be made."""
    with yaml_errors(text, place):
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    top = dict(_items(root))
    if "site_name" not in top and "INHERIT" not in top:
        hint = "mkdocs requires at least a line 'site_name: TITLE'"
        raise FormatError(Problem("is missing; expected the title of the site", "site_name", place, hint))
    values = {
        "docs_dir": _text(top.get("docs_dir")),
        "theme.custom_dir": _text(dict(_items(top.get("theme"))).get("custom_dir")),
        "INHERIT": _text(top.get("INHERIT")),
    }
    hooks = top.get("hooks")
    hooked = [_text(item) for item in hooks.value] if isinstance(hooks, yaml.SequenceNode) else []
    named = [*values.items(), *((f"hooks[{position}]", path) for position, path in enumerate(hooked))]
    problems = [
        Problem(f"{path!r} is absolute; expected a path relative to {place}", key, place)
        for key, path in named
        if path.startswith("/")
    ]
    if problems:
        raise FormatError(*problems)
    return MkdocsConfig(
        docs_dir=values["docs_dir"],
        custom_dir=values["theme.custom_dir"],
        inherit=values["INHERIT"],
        hooks=tuple(filter(None, hooked)),
    )


def _items(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))


def _text(node: yaml.Node | None) -> str:
    """A path that is written as a plain string, normalised; '' for anything else."""
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str" and node.value:
        return posixpath.normpath(str(node.value))
    return ""
