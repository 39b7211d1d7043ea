from __future__ import annotations

import pytest
from packyard.formats.errors import FormatError
from packyard.formats.morloc.reference import (
    GitRef,
    InstallRef,
    LocalRef,
    Named,
    over_ssh,
    read_install,
    read_plane_name,
    read_repository_template,
    read_source,
)

HOSTS = "github, gitlab, bitbucket, codeberg, azure"


@pytest.mark.parametrize(
    ("text", "expected", "name"),
    [
        ("math", Named("math"), "math"),
        ("root-py", Named("root-py"), "root-py"),
        ("github:u/r", GitRef("github:u/r", "https://github.com/u/r.git"), "r"),
        ("gitlab:u/r@branch:dev/x", GitRef("gitlab:u/r", "https://gitlab.com/u/r.git", "branch", "dev/x"), "r"),
        ("codeberg:u/r@tag:v1.2", GitRef("codeberg:u/r", "https://codeberg.org/u/r.git", "tag", "v1.2"), "r"),
        (
            "bitbucket:u/r@hash:ABCDEF0",
            GitRef("bitbucket:u/r", "https://bitbucket.org/u/r.git", "hash", "abcdef0"),
            "r",
        ),
        ("azure:o/p/r@tag:v1", GitRef("azure:o/p/r", "https://dev.azure.com/o/p/_git/r", "tag", "v1"), "r"),
        ("azure:o/r", GitRef("azure:o/r", "https://dev.azure.com/o/_git/r"), "r"),
        ("git+https://h/a/b.git", GitRef("git+https://h/a/b.git", "https://h/a/b.git"), "b"),
        ("git+ssh://git@h/b@tag:v1", GitRef("git+ssh://git@h/b", "ssh://git@h/b", "tag", "v1"), "b"),
        (
            "git+file:///srv/b.git@hash:0123456",
            GitRef("git+file:///srv/b.git", "file:///srv/b.git", "hash", "0123456"),
            "b",
        ),
        ("./x", LocalRef("./x"), None),
        ("/x/y", LocalRef("/x/y"), None),
        ("..", LocalRef(".."), None),
        ("dist/a-1.0.0.morloc.tar.gz", LocalRef("dist/a-1.0.0.morloc.tar.gz"), None),
        ("dist/w.plane.tar.gz", LocalRef("dist/w.plane.tar.gz"), None),
    ],
)
def test_install_string_is_read(text: str, expected: InstallRef, name: str | None) -> None:
    found = read_install(text)
    assert found == expected
    if not isinstance(found, LocalRef):
        assert found.name == name
    assert str(found) == text.replace("ABCDEF0", "abcdef0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["'' is not a package name; expected letters and digits joined by '-'"]),
        ("foo_bar", ["'foo_bar' is not a package name; expected letters and digits joined by '-'"]),
        ("u/r", ["'u/r' names no host", "  hint: write a repository as github:u/r, a folder as ./u/r"]),
        ("root@", ["'root@': a bare name takes no reference", "  hint: name the repository: github:morloclib/root@"]),
        (
            "root@v1",
            ["'root@v1': a bare name takes no reference", "  hint: name the repository: github:morloclib/root@v1"],
        ),
        (
            "gitlab:root",
            [
                f"'gitlab:root' is not a repository; expected HOST:USER/REPO (letters, digits and '-'; hosts: {HOSTS})",
                "  hint: write any other repository as git+https://..., and a folder as ./path",
            ],
        ),
        (
            "github:a/b_c",
            [
                f"'github:a/b_c' is not a repository; expected HOST:USER/REPO (letters, digits and '-'; hosts: "
                f"{HOSTS})",
                "  hint: write any other repository as git+https://..., and a folder as ./path",
            ],
        ),
        (
            "github:a/b/c",
            [
                f"'github:a/b/c' is not a repository; expected HOST:USER/REPO (letters, digits and '-'; hosts: "
                f"{HOSTS})",
                "  hint: write any other repository as git+https://..., and a folder as ./path",
            ],
        ),
        (
            "sourcehut:a/b",
            [
                f"'sourcehut' is not a known host; expected one of {HOSTS}",
                "  hint: write any other repository as git+https://...",
            ],
        ),
        (
            "github:u/r@v1",
            [
                "'github:u/r@v1' does not say what 'v1' is; expected @hash:, @tag: or @branch:",
                "  hint: write @tag:v1",
            ],
        ),
        (
            "github:u/r@",
            [
                "'github:u/r@' does not say what '' is; expected @hash:, @tag: or @branch:",
                "  hint: leave out '@' for the default branch",
            ],
        ),
        ("github:u/r@hash:abc", ["'abc' is not a commit; expected 7 to 64 hexadecimal digits"]),
        ("github:u/r@tag:--upload-pack=x", ["'--upload-pack=x' is not the name of a tag"]),
        ("github:u/r@branch:a..b", ["'a..b' is not the name of a branch"]),
        ("github:u/r@version:1", ["'version' is not a kind of reference; expected hash, tag or branch"]),
        (
            "git+http://h/x",
            ["'git+http://h/x' is not a repository; expected git+https://, git+ssh:// or git+file://"],
        ),
        (
            "git+https://user:secret@h/x",
            ["the repository URL contains a user or password", "  hint: store it in git's credential helper"],
        ),
        (
            "git+ssh://git:secret@h/x",
            ["the repository URL contains a user or password", "  hint: store it in git's credential helper"],
        ),
        ("~/x", ["'~/x' was not expanded by the shell", "  hint: write the folder as ./path or /path"]),
    ],
)
def test_install_string_wrong_is_said(text: str, expected: list[str]) -> None:
    with pytest.raises(FormatError) as caught:
        read_install(text)
    assert str(caught.value).splitlines() == expected


def test_source_is_no_name_alone() -> None:
    assert read_source("./x") == "./x"
    with pytest.raises(FormatError, match=r"'math' is only a name; expected a repository"):
        read_source("math")


@pytest.mark.parametrize(
    "text", ["https://h/x.git", "https://h/{name}\n", "https://h/{name}/{name}", "ext::sh -c {name}", "/srv/{name}"]
)
def test_template_wrong_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="is not a template"):
        read_repository_template(text)


@pytest.mark.parametrize("text", ["https://u:secret@h/{name}.git", "https://token@h/{name}", "ssh://u:pw@h/{name}"])
def test_template_with_a_password_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_repository_template(text)
    assert str(caught.value).splitlines() == [
        "the repository URL contains a user or password",
        "  hint: store it in git's credential helper",
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/u/r.git", "ssh://git@github.com/u/r.git"),
        ("https://dev.azure.com/o/p/_git/r", "ssh://git@ssh.dev.azure.com/v3/o/p/r"),
        ("https://dev.azure.com/o/_git/r", "ssh://git@ssh.dev.azure.com/v3/o/r/r"),
        ("file:///srv/r.git", "file:///srv/r.git"),
        ("ssh://me@h/r.git", "ssh://me@h/r.git"),
    ],
)
def test_repository_by_ssh_is_the_same_one(url: str, expected: str) -> None:
    assert over_ssh(url) == expected


def test_plane_name_is_one_of_a_folder() -> None:
    assert read_plane_name("my_plane-2") == "my_plane-2"
    with pytest.raises(FormatError, match=r"'\.\./x' is not the name of a plane"):
        read_plane_name("../x")
