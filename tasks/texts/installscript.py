"""The script `install_NAME.sh`: POSIX sh that installs an artifact below a prefix, and removes it again.

Nothing is written before every file is known to be the one that was built. What is installed is recorded in
`PREFIX/share/packyard/NAME`, as `sha256sum` prints it, and only what is recorded there is ever replaced or removed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from packyard.tasks.texts.shell import DIGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One file: its name, its SHA-256, how it is put in place ('copy', 'program', 'tar', 'zip'), and where."""

    file: str
    sha256: str
    how: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What goes with the files without being one of them: a `text` written to the path `to`; a copy at `to` of a
    file `copied` that was put in place; or something `needed`, which must be there at the path `to`."""

    to: str
    text: str = ""
    copied: str = ""
    needed: str = ""


_START = """\
#!/bin/sh
# Installs {title} below a prefix, or removes it again.
{notes}set -eu

name={name}
title={quoted}

usage() {{
    cat <<END
usage: $0 [--prefix DIR] [--from DIR] [--dry-run] [--uninstall]
Installs $title.
  --prefix DIR  where to install (default: \\$HOME/.local)
  --from DIR    where the files are (default: the folder of this script)
  --dry-run     show what would be done, but do nothing
  --uninstall   remove what this script installed there
END
}}

"""

_BODY = r"""fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

prefix=${HOME:+$HOME/.local}
from=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dry=
task=install
while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --from)
        [ $# -gt 1 ] || {
            usage >&2
            exit 2
        }
        if [ "$1" = --prefix ]; then prefix=$2; else from=$2; fi
        shift
        ;;
    --prefix=*) prefix=${1#*=} ;;
    --from=*) from=${1#*=} ;;
    --dry-run) dry=yes ;;
    --uninstall) task=uninstall ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
[ -n "$prefix" ] || fail "HOME is not set; name a folder with --prefix"
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
records=$prefix/share/packyard
record=$records/$name
"""

_FILES = r"""
# owners PATH: the records that list PATH, one per line.
owners() {
    for owner in "$records"/*; do
        if [ -f "$owner" ] && cut -c 67- "$owner" | grep -Fqx -- "$1"; then
            basename "$owner"
        fi
    done
}

# take_away SUM PATH: remove a file that is unchanged and that no other record names.
take_away() {
    at=$prefix/$2
    if [ ! -f "$at" ]; then
        return
    elif [ "$(digest "$at")" != "$1" ]; then
        printf 'kept     %s (it was changed)\n' "$at"
    elif owners "$2" | grep -Fvqx -- "$name"; then
        printf 'kept     %s (others need it)\n' "$at"
    elif [ -n "$dry" ]; then
        printf 'would remove %s\n' "$at"
    else
        rm -f -- "$at"
        printf 'removed  %s\n' "$at"
        up=$(dirname -- "$at")
        while [ "$up" != "$prefix" ] && rmdir -- "$up" 2>/dev/null; do
            up=$(dirname -- "$up")
        done
    fi
}

uninstall() {
    [ -f "$record" ] || fail "$title is not installed in $prefix"
    while IFS= read -r line; do
        take_away "${line%%  *}" "${line#*  }"
    done <"$record"
    if [ -z "$dry" ]; then
        rm -f -- "$record"
        rmdir -- "$records" "$prefix/share" 2>/dev/null || true
    fi
}

# verify FILE SHA256
verify() {
    [ -f "$from/$1" ] || fail "$1 is not in $from"
    [ "$(digest "$from/$1")" = "$2" ] || fail "$from/$1 is not the file that was built (its SHA-256 is not $2)"
}

# put FILE PATH MODE
put() {
    mkdir -p -- "$(dirname -- "$stage/$2")"
    cp -- "$from/$1" "$stage/$2"
    chmod "$3" "$stage/$2"
}

# need PATH NAME: something that this script does not install, but that must be there.
need() {
    [ -e "$prefix/$1" ] || fail "$title requires $2, which is not in $prefix/$1: install it first"
}

# copy FROM PATH: a second copy of what was installed.
copy() {
    mkdir -p -- "$(dirname -- "$stage/$2")"
    cp -- "$stage/$1" "$stage/$2"
}

# write PATH: a separate file, from standard input.
write() {
    mkdir -p -- "$(dirname -- "$stage/$1")"
    cat >"$stage/$1"
}

# open_tar FILE FOLDER
open_tar() {
    mkdir -p -- "$stage/$2"
    gzip -dc <"$from/$1" | (cd "$stage/$2" && tar -xf -)
}

# open_zip FILE FOLDER
open_zip() {
    mkdir -p -- "$stage/$2"
    if command -v unzip >/dev/null 2>&1; then
        unzip -q "$from/$1" -d "$stage/$2"
    elif command -v python3 >/dev/null 2>&1; then
        python3 -m zipfile -e "$from/$1" "$stage/$2"
    else
        fail "unzip is not installed; it is needed to unpack $1"
    fi
}

"""

_END = r"""
if [ "$task" = uninstall ]; then
    uninstall
    exit 0
fi
check
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM
stage=$room/stage
mkdir "$stage"
unpack
(cd "$stage" && find . -type f | LC_ALL=C sort | cut -c 3-) >"$room/paths"
while IFS= read -r path; do
    printf '%s  %s\n' "$(digest "$stage/$path")" "$path"
done <"$room/paths" >"$room/record"

# Whatever stands in the way is found before the first file is placed.
while IFS= read -r line; do
    path=${line#*  }
    at=$prefix/$path
    if [ -d "$at" ]; then
        fail "$at is a folder, but a file must go there"
    elif [ -e "$at" ] && [ "$(digest "$at")" != "${line%%  *}" ]; then
        owner=$(owners "$path")
        if [ -z "$owner" ]; then
            fail "$at exists and was not installed by this script: move it away"
        elif [ "$owner" != "$name" ]; then
            fail "$at also belongs to $(echo "$owner" | tr '\n' ' ')and must stay as it is"
        elif ! grep -Fqx -- "$(digest "$at")  $path" "$record"; then
            fail "$at was changed since it was installed: move it away"
        fi
    fi
done <"$room/record"

while IFS= read -r path; do
    at=$prefix/$path
    if [ -n "$dry" ]; then
        printf 'would install %s\n' "$at"
        continue
    fi
    mkdir -p -- "$(dirname -- "$at")"
    cp -- "$stage/$path" "$at.$$.new"
    if [ -x "$stage/$path" ]; then chmod 755 "$at.$$.new"; else chmod 644 "$at.$$.new"; fi
    mv -f -- "$at.$$.new" "$at"
    printf 'installed %s\n' "$at"
done <"$room/paths"
if [ -f "$record" ]; then
    while IFS= read -r line; do
        grep -Fqx -- "${line#*  }" "$room/paths" || take_away "${line%%  *}" "${line#*  }"
    done <"$record"
fi
if [ -z "$dry" ]; then
    mkdir -p -- "$records"
    cp "$room/record" "$record.$$.new"
    mv -f -- "$record.$$.new" "$record"
fi
"""

_VERBS = {"copy": "put {file} {to} 644", "program": "put {file} {to} 755", "tar": "open_tar {file} {to}",
          "zip": "open_zip {file} {to}"}  # fmt: skip


def install_script(
    name: str, title: str, placed: Sequence[Placed], notes: Sequence[str] = (), beside: Sequence[Beside] = ()
) -> str:
    """The script for these files, and what goes with them. `notes` are lines for people at its top."""
    quoted = {one.file: shlex.quote(one.file) for one in placed}
    head = "".join(f"# {line}\n" for line in notes)
    lines = [
        _START.format(name=shlex.quote(name), title=title, quoted=shlex.quote(title), notes=head),
        _BODY,
        DIGEST,
        _FILES,
        "check() {\n",
        *(f"    verify {quoted[one.file]} {one.sha256}\n" for one in placed),
        *(f"    need {shlex.quote(one.to)} {shlex.quote(one.needed)}\n" for one in beside if one.needed),
        "}\n\nunpack() {\n",
        *(f"    {_VERBS[one.how].format(file=quoted[one.file], to=shlex.quote(one.to))}\n" for one in placed),
        *(f"    copy {shlex.quote(one.copied)} {shlex.quote(one.to)}\n" for one in beside if one.copied),
        *(_written(one) for one in beside if one.text),
        "}\n",
        _END,
    ]
    return "".join(lines)


def _written(one: Beside) -> str:
    end = "PACKYARD_END"
    while end in one.text:
        end += "_"
    return f"    write {shlex.quote(one.to)} <<'{end}'\n{one.text.rstrip(chr(10))}\n{end}\n"
