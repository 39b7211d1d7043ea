"""What a bundle may hold and say, case by case: built by every builder, read by every reader (test_interop_table)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from dataclasses import dataclass, field
from typing import Any, Final

REFUSED: Final = "refused"
READ: Final = "read"
TEXT: Final = b"content\n"

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that a bundle does, and what the format wants to come of it.

    `slots` are manifest entries (what is not said is filled in), `stored` the bytes of each (TEXT unless said).
    `script` is what the bundle runs, in its work environment; `runs` is what that prints, or REFUSED; `reads` is what
    a reader that starts nothing says. A case that is not `built` is one that no builder should take.
    """

    name: str
    script: str = "cat more"
    runs: str = "content"
    reads: str = READ
    built: bool = True
    slots: tuple[dict[str, Json], ...] = ()
    stored: tuple[bytes, ...] = ()
    setup: tuple[Json, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)


def operations() -> list[Case]:
    tar = tarred(("more", TEXT))
    tgz = gzip.compress(tar)
    known = {"raw": TEXT, "none": TEXT, "gzip": gzip.compress(TEXT), "tar": tar, "tgz": tgz, "tar.gz": tgz}
    unknown = {
        "tar,gzip": tgz,
        "tar|gzip": tgz,
        "bzip2": bz2.compress(TEXT),
        "tar.bz2": bz2.compress(tar),
        "xz": lzma.compress(TEXT),
        "tar.xz": lzma.compress(tar),
        "zstd": b"\x28\xb5\x2f\xfd",
        "tar.zst": b"\x28\xb5\x2f\xfd",
    }
    whole = "grep -q ^content more && echo content || echo as stored"
    return [
        *(
            Case(name=f"operations {name}", slots=one(operations=name), stored=(data,), script=whole)
            for name, data in known.items()
        ),
        *(
            Case(
                name=f"operations {name.replace('|', ' pipe ')}",  # which stands in a table of Markdown
                slots=one(operations=name),
                stored=(data,),
                script=whole,
                built=False,
            )
            for name, data in unknown.items()
        ),
    ]


def trees() -> list[Case]:
    said = {"target": "{workenv}", "operations": "tgz"}
    long = "a/" + "long-name-" * 15
    plain = tarred(("more", TEXT))
    good = {
        "in ustar": plain,
        "in pax": tarred((long, TEXT), style=tarfile.PAX_FORMAT),
        "in gnu": tarred((long, TEXT), style=tarfile.GNU_FORMAT),
        "with dotted paths": tarred(("./more", TEXT)),
    }
    bad = {
        "with a symlink": tarred(("more", TEXT), ("link", b""), kind=tarfile.SYMTYPE),
        "with a hard link": tarred(("more", TEXT), ("link", b""), kind=tarfile.LNKTYPE),
        "with a fifo": tarred(("more", TEXT), ("link", b""), kind=tarfile.FIFOTYPE),
        "with a path that leaves": tarred(("more", TEXT), ("../more", TEXT)),
        "with an absolute path": tarred(("more", TEXT), ("/packyard-interop", TEXT)),
        "with one file twice": tarred(("more", b"other\n"), ("more", TEXT)),
    }
    packed = gzip.compress(plain)
    twice = gzip.compress(plain[:512]) + gzip.compress(plain[512:])
    damaged = {
        **{name: gzip.compress(tar) for name, tar in bad.items()},
        "in two gzip members": twice,
        "cut short": packed[:-12],
    }
    show = f"cat more {long} 2>/dev/null; :"
    return [
        *(
            Case(name=f"tree {name}", slots=one(**said), stored=(gzip.compress(tar),), script=show)
            for name, tar in good.items()
        ),
        *(
            Case(name=f"tree {name}", slots=one(**said), stored=(data,), runs=REFUSED, reads=REFUSED)
            for name, data in damaged.items()
        ),
        Case(name="tree of nothing", slots=one(**said), stored=(gzip.compress(bytes(10240)),), script="echo content"),
        Case(name="tree with a target", slots=one(**{**said, "target": "{workenv}/sub"}), stored=(packed,)),
    ]


def files() -> list[Case]:
    def wrong(name: str, target: str) -> Case:
        return Case(name=f"file {name}", slots=one(target=target), script="echo written", runs=REFUSED, reads=REFUSED)

    many = tuple({"id": f"s{number}", "target": f"d/{number}"} for number in range(40))
    return [
        Case(name="file of nothing", slots=one(), stored=(b"",), script="cat more; echo content"),
        Case(name="file that begins like JSON", slots=one(), stored=(b'{"a": 1}',), runs='{"a": 1}'),
        Case(name="file with a mode", slots=one(permissions="0750"), script="stat -c %a more", runs="750"),
        Case(name="file below a folder", slots=one(target="{workenv}/a/b/more"), script="cat a/b/more"),
        wrong("without a target", "{workenv}"),
        wrong("with an absolute target", "/packyard-interop"),
        wrong("with a target that leaves", "../more"),
        Case(name="no slot", script="echo content"),
        Case(name="many slots", slots=many, script="cat d/* | sort -u"),
    ]


def words() -> list[Case]:
    purposes = ("data", "code", "config", "media")
    lifecycles = ("runtime", "startup", "shutdown", "cache", "temporary", "lazy", "eager", "dev", "config", "platform")
    gone = {"slots": one(lifecycle="init"), "script": "test -e more && echo there || echo gone", "runs": "gone"}
    return [
        *(Case(name=f"purpose {word}", slots=one(purpose=word)) for word in purposes),
        *(Case(name=f"lifecycle {word}", slots=one(lifecycle=word)) for word in lifecycles),
        Case(name="lifecycle init", **gone),
        Case(name="lifecycle init, set up", setup=({"type": "execute", "command": "/bin/true"},), **gone),
    ]


def set_up() -> list[Case]:
    command = {"type": "execute", "command": "/bin/sh -c 'echo content > \"$FLAVOR_WORKENV/more\"'"}
    write = {"type": "write_file", "path": "{workenv}/more", "content": "content"}
    chmod = {"type": "chmod", "path": "{workenv}/more", "mode": "0711"}
    two = ({"id": "a", "target": "a.txt"}, {"id": "b", "target": "b.txt"})
    modes = {"slots": two, "script": "stat -c %a *.txt | sort -u", "runs": "711"}

    def each(command: str, pattern: str = "*.txt") -> tuple[Json, ...]:
        found = {"path": "{workenv}", "pattern": pattern}
        return ({"type": "enumerate_and_execute", "command": command, "enumerate": found},)

    return [
        Case(name="set-up execute", setup=(command,)),
        Case(name="set-up execute that fails", setup=({"type": "execute", "command": "/bin/false"},), runs=REFUSED),
        Case(name="set-up in order", setup=(write, {**write, "content": "later"}), runs="later"),
        Case(name="set-up for each file", setup=each("/bin/chmod 0711"), **modes),
        Case(name="set-up for each file, quoted", setup=each("/bin/sh -c 'chmod 0711 \"$@\"' sh"), **modes),
        Case(name="set-up for each of none", setup=each("/bin/false", "*.none"), script="echo content"),
        Case(name="set-up write_file", setup=(write,), script="printf %s. $(cat more)", runs="content."),
        Case(name="set-up write_file, its end", setup=(write,), script="wc -c < more", runs="7"),
        Case(
            name="set-up write_file in a new folder",
            setup=({**write, "path": "{workenv}/new/more"},),
            script="cat new/more",
        ),
        Case(name="set-up chmod", slots=one(), setup=(chmod,), script="stat -c %a more", runs="711"),
        Case(name="set-up of no known type", slots=one(), setup=({"type": "dance"},), runs=REFUSED),
        Case(name="set-up that is a text", slots=one(), setup=("/bin/true",), runs=REFUSED),
    ]


def environment() -> list[Case]:
    def rule(name: str, runs: str, script: str = 'echo "${A-unset} ${B-unset} ${A_C-unset}"', **rules: Json) -> Case:
        given = dict.fromkeys(("A", "B", "A_C"), "host")
        return Case(name=f"environment {name}", script=script, runs=runs, rules=rules, given=given)

    new = 'echo "${D-unset}"'
    own = {"pass": ["FLAVOR_*", "PATH"]}
    expanded = 'test "$A" = "$FLAVOR_WORKENV" && echo expanded || echo "$A"'
    return [
        rule("as it is", "host host host"),
        rule("unset", "unset host host", unset=["A"]),
        rule("unset by a pattern", "unset host unset", unset=["A*"]),
        rule("pass", "unset host host", unset=["A*"], **{"pass": ["A_C"]}),
        rule("map", "unset host host", map={"A": "D"}),
        rule("map, the new name", "host", new, map={"A": "D"}),
        rule("set", "mine host host", set={"A": "mine"}),
        rule("set, not expanded", "{workenv} host host", set={"A": "{workenv}"}),
        rule("set after unset", "mine host unset", unset=["A*"], set={"A": "mine"}),
        rule("set after map", "mine", new, map={"A": "D"}, set={"D": "mine"}),
        rule("unset all", "unset unset unset", unset=["*"], **own),
        rule("unset all, launchers' own", "app.psp", "echo ${FLAVOR_COMMAND_NAME-unset}", unset=["*"]),
        Case(name="environment of execution", script="echo ${A-unset}", runs="x", env={"A": "x"}),
        Case(name="environment of execution, expanded", script=expanded, runs="expanded", env={"A": "{workenv}"}),
        Case(
            name="environment of execution over set",
            script="echo ${A-unset}",
            runs="x",
            env={"A": "x"},
            rules={"set": {"A": "y"}},
        ),
    ]


def one(**said: Json) -> tuple[dict[str, Json], ...]:
    """A slot `more`: the file `more` of the work environment, unless something else is said."""
    return ({"id": "more", "target": "more", **said},)


def tarred(*members: tuple[str, bytes], kind: bytes = b"", style: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar of files; a member called `link` is of the kind `kind`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o640
            if name == "link":
                info.type, info.linkname = kind, "more"
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


CASES: Final = (*operations(), *trees(), *files(), *words(), *set_up(), *environment())
