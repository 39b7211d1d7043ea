"""How a morloc package is named where it is requested: by name, by git repository, by folder or by archive.

    math                                 a package of the default repository
    stdlib-core                          the standard set, by one name
    github:user/repo                     a repository of a known host, its default branch
    github:user/repo@tag:v1.2            a tag, likewise @branch:dev and @hash:0a1b2c3 (7 digits or more)
    azure:owner/project/repo             Azure keeps them in projects; azure:owner/repo is in one of its own name
    git+https://host/repo.git@tag:v1     any repository
    ./folder, /folder, ./a-1.0.0.morloc.tar.gz

Nothing is dropped or guessed: what the compiler's installer reads only in part (`u/r`, `foo_bar`, `root@`) is an error
here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packyard.formats.errors import FormatError

DEFAULT_REPOSITORY = "https://github.com/morloclib/{name}.git"
ARCHIVE_SUFFIX = ".morloc.tar.gz"
PLANE_SUFFIX = ".plane.tar.gz"
# What every morloc installation has, in the order of the compiler's own documentation; and the name of that set.
STANDARD = ("internal", "root", "root-py", "root-cpp", "root-r", "math")
STANDARD_SET = "stdlib-core"

_HOSTS = {
    "github": "https://github.com/{path}.git",
    "gitlab": "https://gitlab.com/{path}.git",
    "bitbucket": "https://bitbucket.org/{path}.git",
    "codeberg": "https://codeberg.org/{path}.git",
    "azure": "https://dev.azure.com/{path}",
}
_FORMS = ("hash", "tag", "branch")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PACKAGE = re.compile(_NAME)
_PLANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_HOSTED = re.compile(rf"(?P<host>[a-z]+):(?P<path>{_NAME}/{_NAME}(?P<third>/{_NAME})?)")
_AZURE = re.compile(r"https://dev\.azure\.com/(?P<owner>[^/]+)/(?:(?P<project>[^/]+)/)?_git/(?P<repo>[^/]+)")
_URL = re.compile(
    r"git\+(?P<scheme>https|ssh|file)://(?P<rest>[^\s]+?)(?:@(?P<ref>(?:hash|tag|branch):.*|[^/:@]*))?", re.DOTALL
)
_HASH = re.compile(r"[0-9a-fA-F]{7,64}")
_REF_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")


@dataclass(frozen=True, slots=True)
class Named:
    """A package of the default repository, or the standard set."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GitRef:
    """A repository, `place` as it is written ('github:user/repo'), and what to take from it: `form` is '' (its default
    branch), 'hash', 'tag' or 'branch'."""

    place: str
    url: str
    form: str = ""
    ref: str = ""

    @property
    def name(self) -> str:
        """The package it is expected to contain: the last part of the path."""
        return self.url.rstrip("/").rpartition("/")[2].removesuffix(".git")

    def __str__(self) -> str:
        return f"{self.place}@{self.form}:{self.ref}" if self.form else self.place


@dataclass(frozen=True, slots=True)
class LocalRef:
    """A folder, or an archive of ours, on this machine."""

    path: str

    @property
    def is_archive(self) -> bool:
        """Whether it is an archive of one package."""
        return self.path.endswith(ARCHIVE_SUFFIX)

    def __str__(self) -> str:
        return self.path


InstallRef = Named | GitRef | LocalRef


def archive_file(name: str, version: str) -> str:
    """The name of a package's archive: 'root-py-0.7.0.morloc.tar.gz'."""
    return f"{name}-{version}{ARCHIVE_SUFFIX}"


def read_install(text: str) -> InstallRef:
    """What one word of an installation request names; FormatError with what was expected."""
    if text.startswith(("./", "../", "/")) or text in (".", "..") or text.endswith((ARCHIVE_SUFFIX, PLANE_SUFFIX)):
        return LocalRef(text)
    if text.startswith("~"):
        raise FormatError(f"{text!r} was not expanded by the shell", hint="write the folder as ./path or /path")
    if text.startswith("git+"):
        return _url(text)
    place, at, ref = text.partition("@")
    if ":" in place:
        return _hosted(text, place, ref if at else None)
    return _named(text, place, ref if at else None)


def read_source(text: str) -> str:
    """`text` when it says where a package comes from: a repository, folder or archive; a bare name does not."""
    if isinstance(read_install(text), Named):
        raise FormatError(f"{text!r} is only a name; expected a repository (github:user/repo) or a path (./folder)")
    return text


def read_repository_template(text: str) -> str:
    """A URL with {name} in it."""
    scheme, separator, rest = text.partition("://")
    if separator:
        _refuse_credentials(scheme, rest)
    if text.count("{name}") != 1 or not re.fullmatch(r"(?:https|ssh|file)://\S+", text):
        raise FormatError(f"{text!r} is not a template; expected a URL with {{name}} in it, like {DEFAULT_REPOSITORY}")
    return text


def over_ssh(url: str) -> str:
    """The same repository by ssh, where `url` names it by https."""
    if match := _AZURE.fullmatch(url):
        return f"ssh://git@ssh.dev.azure.com/v3/{match['owner']}/{match['project'] or match['repo']}/{match['repo']}"
    return re.sub(r"^https://", "ssh://git@", url)


def read_plane_name(text: str) -> str:
    """The name of a plane, which is that of a folder."""
    if not _PLANE.fullmatch(text):
        raise FormatError(f"{text!r} is not the name of a plane; expected letters, digits, - and _")
    return text


def _hosted(text: str, place: str, ref: str | None) -> GitRef:
    match = _HOSTED.fullmatch(place)
    if match is None or (match["third"] and match["host"] != "azure"):
        known = ", ".join(_HOSTS)
        raise FormatError(
            f"{text!r} is not a repository; expected HOST:USER/REPO (letters, digits and '-'; hosts: {known})",
            hint="write any other repository as git+https://..., and a folder as ./path",
        )
    if match["host"] not in _HOSTS:
        raise FormatError(
            f"{match['host']!r} is not a known host; expected one of {', '.join(_HOSTS)}",
            hint="write any other repository as git+https://...",
        )
    form, name = _ref(text, ref)
    path = match["path"]
    if match["host"] == "azure":
        owner, _, repo = path.rpartition("/")
        path = f"{owner}/_git/{repo}"
    return GitRef(place, _HOSTS[match["host"]].format(path=path), form, name)


def _url(text: str) -> GitRef:
    match = _URL.fullmatch(text)
    if match is None:
        raise FormatError(f"{text!r} is not a repository; expected git+https://, git+ssh:// or git+file://")
    _refuse_credentials(match["scheme"], match["rest"])
    form, name = _ref(text, match["ref"])
    url = f"{match['scheme']}://{match['rest']}"
    return GitRef(f"git+{url}", url, form, name)


def _refuse_credentials(scheme: str, rest: str) -> None:
    """Refuse what would be written to locks and shown in logs; a user name for ssh is not secret."""
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (scheme != "ssh" or ":" in user):
        raise FormatError("the repository URL contains a user or password", hint="store it in git's credential helper")


def _ref(text: str, ref: str | None) -> tuple[str, str]:
    """(form, name) of what follows the '@'; a bare reference, at which the compiler guesses, is refused."""
    if ref is None:
        return "", ""
    form, colon, name = ref.partition(":")
    if not colon:
        raise FormatError(
            f"{text!r} does not say what {ref!r} is; expected @hash:, @tag: or @branch:",
            hint=f"write @tag:{ref}" if ref else "leave out '@' for the default branch",
        )
    if form not in _FORMS:
        raise FormatError(f"{form!r} is not a kind of reference; expected hash, tag or branch")
    if form == "hash" and not _HASH.fullmatch(name):
        raise FormatError(f"{name!r} is not a commit; expected 7 to 64 hexadecimal digits")
    if form != "hash" and (not _REF_NAME.fullmatch(name) or ".." in name or name.endswith((".lock", "/", "."))):
        raise FormatError(f"{name!r} is not the name of a {form}")
    return form, name.lower() if form == "hash" else name


def _named(text: str, name: str, ref: str | None) -> Named:
    if "/" in name:
        raise FormatError(
            f"{text!r} names no host",
            hint=f"write a repository as github:{name}, a folder as ./{name}",
        )
    if not _PACKAGE.fullmatch(name):
        raise FormatError(f"{name!r} is not a package name; expected letters and digits joined by '-'")
    if ref is not None:
        raise FormatError(
            f"{text!r}: a bare name takes no reference", hint=f"name the repository: github:morloclib/{name}@{ref}"
        )
    return Named(name)
