from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.text.mkdocs import MkdocsConfig, read_mkdocs

FULL = """\
INHERIT: ../base.yml
site_name: !ENV [NAME, Guide]
docs_dir: ./pages/
theme:
  name: material
  custom_dir: overrides
hooks:
  - hooks/one.py
  - hooks/two.py
markdown_extensions:
  - pymdownx.emoji:
      emoji_index: !!python/name:material.extensions.emoji.twemoji
"""


def test_files_that_a_configuration_names() -> None:
    assert read_mkdocs(FULL, "mkdocs.yml") == MkdocsConfig(
        docs_dir="pages", custom_dir="overrides", inherit="../base.yml", hooks=("hooks/one.py", "hooks/two.py")
    )


def test_least_configuration_names_none() -> None:
    assert read_mkdocs("site_name: X\ntheme: readthedocs\n", "mkdocs.yml") == MkdocsConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "site_name: [\n",
            "mkdocs.yml: line 2, column 1: is not YAML: while parsing a flow node, expected the node content, "
            "but found '<stream end>'",
        ),
        ("site_name: a\x07b\n", "mkdocs.yml: line 1, column 13: is not YAML: the character '\\x07' is not allowed"),
        ("site_name: " + "[" * 1000, "mkdocs.yml: is nested too deeply"),
        (
            "theme: material\n",
            "mkdocs.yml: site_name: is missing; expected the title of the site\n"
            "  hint: mkdocs requires at least a line 'site_name: TITLE'",
        ),
        (
            "site_name: X\ndocs_dir: /docs\nhooks: [/h.py]\n",
            "mkdocs.yml: docs_dir: '/docs' is absolute; expected a path relative to mkdocs.yml\n"
            "mkdocs.yml: hooks[0]: '/h.py' is absolute; expected a path relative to mkdocs.yml",
        ),
    ],
)
def test_bad_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_mkdocs(text, "mkdocs.yml")
    assert str(caught.value) == message
