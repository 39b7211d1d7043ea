from __future__ import annotations

from pathlib import Path

import pytest
from packyard.formats.errors import FormatError
from packyard.tasks.engine.execute.action import invoke
from packyard.tasks.engine.graph.graph import Graph, build_graph
from packyard.tasks.kinds import TABLE
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Output, Use
from packyard.tasks.workspace.workspace import read_workspace

HEAD = '[workspace]\nname = "w"\n'
DOCS = '[[docs]]\nname = "guide"\nversion = "0.1.0"\n'
FILES = {"packyard.toml": HEAD + DOCS, "mkdocs.yml": "site_name: X\n", "docs/index.md": "# X\n"}


def graph(root: Path, files: dict[str, str]) -> Graph:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return build_graph(read_workspace(root), TABLE)


def problems(root: Path, files: dict[str, str]) -> str:
    with pytest.raises(FormatError) as caught:
        graph(root, files)
    return str(caught.value)


def test_one_site_is_kept_in_site_and_its_copy_in_dist(tmp_path: Path) -> None:
    made = graph(tmp_path, FILES)
    target = made.targets["docs:guide"]
    assert target.outputs == (
        Output(at="docs-offline-0.1.0.zip", artifact="dist/docs-offline-0.1.0.zip"),
        Output(part="site", at="site", artifact="site", tree=True),
    )
    assert [source.path for source in target.sources] == ["docs/index.md", "mkdocs.yml"]
    assert target.params["label"] == "guide 0.1.0"
    assert "docs:guide" in made.final
    (env,) = (target for target in made.targets.values() if target.kind == "buildenv")
    assert env.doc == "mkdocs-material>=9.5,<10, mkdocs>=1.6,<2, for builds"
    assert env.place == "packyard.toml"
    assert Use(target=env.name) in target.uses


def test_several_sites_have_folders_and_names_of_their_own_and_one_environment(tmp_path: Path) -> None:
    other = '[[docs]]\nname = "api"\nversion = "2.0.0"\nsource = "api"\nconfig = "api.yml"\n'
    other += 'requires = ["mkdocs", "mkdocs-x"]\n'
    made = graph(tmp_path, {**FILES, "packyard.toml": HEAD + DOCS + other, "api/a.md": "", "api.yml": "site_name: A\n"})
    assert [output.artifact for output in made.targets["docs:guide"].outputs] == [
        "dist/guide-docs-offline-0.1.0.zip",
        "site/guide",
    ]
    assert [output.artifact for output in made.targets["docs:api"].outputs] == [
        "dist/api-docs-offline-2.0.0.zip",
        "site/api",
    ]
    (env,) = (target for target in made.targets.values() if target.kind == "buildenv")
    wanted = ["mkdocs", "mkdocs-material>=9.5,<10", "mkdocs-x", "mkdocs>=1.6,<2"]
    assert env.prepares[0].params["requirements"] == wanted


def test_every_file_that_the_configuration_names_is_an_input(tmp_path: Path) -> None:
    config = "INHERIT: base.yml\ndocs_dir: pages\ntheme: {name: null, custom_dir: theme}\nhooks: [hook.py]\n"
    made = graph(
        tmp_path,
        {
            "packyard.toml": HEAD + DOCS + 'config = "web/mkdocs.yml"\ninclude = ["snippets/*.md", "CHANGELOG.md"]\n',
            "web/mkdocs.yml": config,
            **dict.fromkeys(
                ["web/base.yml", "web/pages/index.md", "web/pages/a/b.png", "web/theme/main.html", "web/hook.py"], ""
            ),
            **dict.fromkeys(["snippets/a.md", "snippets/a.txt", "CHANGELOG.md", "web/notes.md"], ""),
        },
    )
    target = made.targets["docs:guide"]
    assert [source.path for source in target.sources] == [
        "CHANGELOG.md",
        "snippets/a.md",
        "web/base.yml",
        "web/hook.py",
        "web/mkdocs.yml",
        "web/pages/a/b.png",
        "web/pages/index.md",
        "web/theme/main.html",
    ]
    assert (target.params["config"], target.params["pages"]) == ("web/mkdocs.yml", "web/pages")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"packyard.toml": HEAD + DOCS},
            "packyard.toml: docs[0].config: 'mkdocs.yml' does not exist\n"
            "  hint: mkdocs requires at least a mkdocs.yml with the line 'site_name: TITLE'",
        ),
        (
            {
                "packyard.toml": HEAD + DOCS + 'source = "pages"\ninclude = ["x/*"]\n',
                "mkdocs.yml": "site_name: X\ndocs_dir: text\ntheme: {custom_dir: over}\nhooks: [h.py]\n",
            },
            "packyard.toml: docs[0].source: 'pages' is not the folder that mkdocs.yml names, 'text'\n"
            "  hint: leave one of them out\n"
            "packyard.toml: docs[0].source: 'pages' contains no pages\n"
            "packyard.toml: docs[0].include[0]: 'x/*' matches no file\n"
            "mkdocs.yml: theme.custom_dir: 'over' does not exist\n"
            "mkdocs.yml: hooks[0]: 'h.py' does not exist",
        ),
        (
            {**FILES, "packyard.toml": HEAD + DOCS + 'requires = ["mkdocs=1"]\nsorce = "x"\n'},
            "packyard.toml: docs[0].requires[0]: 'mkdocs=1' is not a dependency; expected one like 'flask>=2.0' "
            "(expected semicolon (after name with no version specifier) or end)\n"
            "packyard.toml: docs[0].sorce: unknown key\n"
            "  hint: did you mean 'source'?",
        ),
        (
            {**FILES, "pylock.docs.toml": 'lock-version = "1.0"\ncreated-by = "uv"\n'},
            "pylock.docs.toml: no longer fits the dependencies of 'docs': ",
        ),
    ],
)
def test_bad_site_is_told_whole(tmp_path: Path, files: dict[str, str], message: str) -> None:
    said = problems(tmp_path, files)
    assert said.startswith(message)
    assert "pylock" not in message or said.endswith("\n  hint: run 'packyard lock'")


def test_archive_carries_the_site_and_the_copy(tmp_path: Path) -> None:
    archive = (
        '[[archive]]\nname = "all"\nversion = "1.0.0"\nprefix = "all"\ninclude = ["docs:guide", "docs:guide#site"]\n'
    )
    target = graph(tmp_path, {**FILES, "packyard.toml": HEAD + DOCS + archive}).targets["archive:all"]
    assert target.uses == (
        Use(target="docs:guide", at="docs-offline-0.1.0.zip"),
        Use(target="docs:guide", part="site"),
    )
    work = tmp_path / "room"
    room = Room(
        inputs=work / "in", outputs=work / "out", scratch=work, home=work, params=target.params, log=work / "log",
        trees={"docs:guide": work / "tree"},
    )  # fmt: skip
    for folder in (room.inputs, room.outputs, work / "tree/a"):
        folder.mkdir(parents=True)
    (room.inputs / "docs-offline-0.1.0.zip").write_bytes(b"zip")
    (work / "tree/a/index.html").write_text("page")
    invoke(target.run, room)
    import tarfile

    with tarfile.open(room.outputs / "all-1.0.0.tar.gz") as made:
        assert made.getnames() == ["all/docs-offline-0.1.0.zip", "all/site/a/index.html"]


def test_unknown_part_of_a_site_is_told(tmp_path: Path) -> None:
    archive = '[[archive]]\nname = "all"\nversion = "1.0.0"\ninclude = ["docs:guide#html", "docs:gide"]\n'
    assert problems(tmp_path, {**FILES, "packyard.toml": HEAD + DOCS + archive}) == (
        "packyard.toml: 'archive:all' needs 'docs:guide#html', which has no such part (parts: 'site')\n"
        "packyard.toml: 'archive:all' needs 'docs:gide', which no member or tool makes\n"
        "  hint: did you mean 'docs:guide'?"
    )
