from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.workspace.manifest import (
    ArchiveSpec,
    CacheSpec,
    DocsSpec,
    MorlocSpec,
    SignSpec,
    ToolchainSpec,
    WorkspaceManifest,
    read_workspace,
)
from packyard.formats.workspace.metaspec import MetaSpec

HEAD = '[workspace]\nname = "w"\n'
ARCHIVE = '[[archive]]\nname = "t"\nversion = "0.1.0"\ninclude = ["README.md"]\n'


def said(text: str) -> str:
    with pytest.raises(FormatError) as caught:
        read_workspace(text, "packyard.toml")
    return str(caught.value)


def test_workspace_smallest_is_read() -> None:
    assert read_workspace(HEAD, "packyard.toml") == WorkspaceManifest(name="w")


def test_workspace_full_manifest_is_read() -> None:
    text = """
        [workspace]
        name = "ml-odyssey"
        members = ["apps/*", "mojo/**"]
        compression = "small"
        [toolchain]
        mojo = "1.0.0"
        python = "3.12"
        launcher = "./launchers/mine"
        [sign]
        seed_env = "RELEASE_SEED"
        [[archive]]
        name = "toolbox"
        version = "0.1.0"
        format = "zip"
        include = ["mojo:tensor", "docs:guide#site", "README.md", "scripts/**"]
        exclude = ["scripts/old"]
        prefix = "toolbox"
        smoke = ["./scripts/run.sh", "--quick"]
        [[docs]]
        name = "guide"
        version = "0.1.0"
        [[meta]]
        name = "odyssey"
        version = "0.1.0"
        members = ["tensor", "nn"]
        [cache]
        directory = "../cache"
        limit = "10 GiB"
    """
    assert read_workspace(text, "packyard.toml") == WorkspaceManifest(
        name="ml-odyssey",
        members=("apps/*", "mojo/**"),
        compression="small",
        toolchain=ToolchainSpec(mojo="1.0.0", python="3.12", launcher="./launchers/mine"),
        sign=SignSpec(seed_env="RELEASE_SEED"),
        archives=(
            ArchiveSpec(
                name="toolbox",
                version="0.1.0",
                format="zip",
                include=("mojo:tensor", "docs:guide#site", "README.md", "scripts/**"),
                exclude=("scripts/old",),
                prefix="toolbox",
                smoke=("./scripts/run.sh", "--quick"),
            ),
        ),
        docs=(DocsSpec(name="guide", version="0.1.0", source="", config="mkdocs.yml"),),
        metas=(MetaSpec(name="odyssey", version="0.1.0", members=("tensor", "nn")),),
        cache=CacheSpec(directory="../cache", limit=10 * 2**30),
    )


def test_workspace_names_twice_are_refused_for_each_kind() -> None:
    docs = '[[docs]]\nname = "g"\nversion = "0.1.0"\n'
    assert said(HEAD + ARCHIVE * 2 + docs * 2) == (
        "packyard.toml: archive[1].name: 't' is also the name of archive[0]; each needs its own\n"
        "packyard.toml: docs[1].name: 'g' is also the name of docs[0]; each needs its own"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[workspce]\n",
            "packyard.toml: workspace: is missing; expected a table\n"
            "packyard.toml: workspace.name: is missing; expected a string\n"
            "packyard.toml: workspce: unknown key\n"
            "  hint: did you mean 'workspace'?",
        ),
        (
            '[workspace]\nname = "w"\nmembers = ["/abs", "../x"]\n',
            "packyard.toml: workspace.members[0]: '/abs' is absolute; expected a relative path\n"
            "packyard.toml: workspace.members[1]: '../x' leaves its folder through '..'; expected a path inside",
        ),
        (
            HEAD + '[toolchain]\nmojo = 1.0\nlauncher = "rst"\n',
            "packyard.toml: toolchain.mojo: 1.0 is a number; expected a string\n"
            "packyard.toml: toolchain.launcher: 'rst' is not a launcher; expected 'rust', 'go' or a path like "
            "'./launcher'",
        ),
        (
            HEAD + '[sign]\nkey = "a.key"\nseed_env = "9"\n',
            "packyard.toml: sign.seed_env: is given as well as key; expected only one of them\n"
            "packyard.toml: sign.seed_env: '9' is not the name of an environment variable",
        ),
        (
            HEAD + '[[archive]]\nname = "t"\nversion = "1"\nformat = "targz"\n',
            "packyard.toml: archive[0].version: '1' is not a version; expected a SemVer version like 0.1.0\n"
            "packyard.toml: archive[0].format: unknown value 'targz'; expected one of 'tar.gz', 'zip'\n"
            "  hint: did you mean 'tar.gz'?\n"
            "packyard.toml: archive[0].include: is missing; expected a list",
        ),
        (
            HEAD + ARCHIVE + 'layout = "distribution"\nprefix = "t"\n',
            "packyard.toml: archive[0].prefix: cannot be combined with a layout, which has its own top folder",
        ),
        (
            HEAD + '[[archive]]\nname = "t"\nversion = "0.1.0"\ninclude = ["a:/b"]\n',
            "packyard.toml: archive[0].include[0]: 'a:/b' is not a target; expected KIND:NAME or KIND:NAME#PART\n"
            "  hint: start a path that contains a colon with './': './a:/b'",
        ),
        (
            HEAD + '[cache]\nremote = "grpc://x"\nlimit = 10\n',
            "packyard.toml: cache.remote: is not supported yet; the store is local\n"
            "packyard.toml: cache.limit: 10 has no unit; expected a size like '10 GB'",
        ),
        (
            HEAD + '[cache]\nlimit = "10"\n',
            "packyard.toml: cache.limit: '10' is not a size; expected one like '10 GB'",
        ),
        (
            HEAD + f'[cache]\nlimit = "{"9" * 400} TB"\n',
            f"packyard.toml: cache.limit: '{'9' * 400} TB' is not a size; expected one like '10 GB'",
        ),
    ],
)
def test_workspace_wrong_is_said(text: str, message: str) -> None:
    assert said(text) == message


def test_morloc_table_is_read() -> None:
    text = '[workspace]\nname = "w"\n[morloc]\n'
    assert read_workspace(text, "packyard.toml").morloc == MorlocSpec()
    more = (
        'default_repository = "file:///srv/{name}.git"\nplane = "mine"\nvendor = ["vendor/*"]\ncontent = "closure"\n'
        'gitignore = true\nallow_setup = ["a"]\n[morloc.sources]\nb = "github:u/b@tag:v1"\nc = "./c"\n'
    )
    assert read_workspace(text + more, "packyard.toml").morloc == MorlocSpec(
        default_repository="file:///srv/{name}.git",
        plane="mine",
        vendor=("vendor/*",),
        sources={"b": "github:u/b@tag:v1", "c": "./c"},
        content="closure",
        gitignore=True,
        allow_setup=("a",),
    )


def test_morloc_table_wrong_is_said() -> None:
    text = (
        '[workspace]\nname = "w"\n[morloc]\ndefault_repository = "x"\nplane = "a/b"\ncontent = "all"\n'
        'planes = 1\n[morloc.sources]\nb = "b"\nc = "u/c"\n'
    )
    with pytest.raises(FormatError) as caught:
        read_workspace(text, "packyard.toml")
    assert str(caught.value).splitlines() == [
        "packyard.toml: morloc.default_repository: 'x' is not a template; expected a URL with {name} in it, like "
        "https://github.com/morloclib/{name}.git",
        "packyard.toml: morloc.plane: 'a/b' is not the name of a plane; expected letters, digits, - and _",
        "packyard.toml: morloc.sources.b: 'b' is only a name; expected a repository (github:user/repo) or a path "
        "(./folder)",
        "packyard.toml: morloc.sources.c: 'u/c' names no host",
        "  hint: write a repository as github:u/c, a folder as ./u/c",
        "packyard.toml: morloc.content: unknown value 'all'; expected one of 'tree', 'closure'",
        "packyard.toml: morloc.planes: unknown key",
        "  hint: did you mean 'plane'?",
    ]


def test_workspace_compression_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(FormatError) as error:
        read_workspace('[workspace]\nname = "w"\ncompression = "smal"\n', "packyard.toml")
    assert str(error.value) == (
        "packyard.toml: workspace.compression: unknown value 'smal'; expected one of 'fast', 'small'\n"
        "  hint: did you mean 'small'?"
    )


def test_workspace_keys_that_are_let_through_are_files() -> None:
    text = HEAD + 'allow_keys = ["tests/data/key.pem", "./k"]\n'
    assert read_workspace(text, "packyard.toml").allow_keys == ("tests/data/key.pem", "k")
    wrong = "packyard.toml: workspace.allow_keys[0]: "
    one_file = "is not the path of one file; expected one like 'tests/data/key.pem'"
    assert said(HEAD + 'allow_keys = ["tests/*.pem"]\n') == f"{wrong}'tests/*.pem' {one_file}"
    assert said(HEAD + 'allow_keys = ["."]\n') == f"{wrong}'.' {one_file}"
    assert said(HEAD + 'allow_keys = ["../k"]\n') == (
        f"{wrong}'../k' leaves its folder through '..'; expected a path inside"
    )
