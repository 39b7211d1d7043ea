"""The script `install_verify_NAME.sh`: POSIX sh with which somebody who has a package and a compiler, but not Packyard,
repeats the checks of the clean room."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from packyard.formats.mojo.packagemanifest import PackageManifest
from packyard.tasks.texts.shell import DIGEST

_START = """\
#!/bin/sh
# Shows that the Mojo package {name} can be installed and used: its files are checked against their digests and
# copied to an empty folder under the names that programs import, and programs that use them are run there.
# It requires {accepted}.
set -eu

usage() {{
    echo "usage: $0 [--compiler MOJO] [FOLDER]"
    echo "FOLDER contains the packages (default: the folder of this script); MOJO is the compiler (default: mojo)."
}}

fail() {{
    printf 'FAILED  %s\\n' "$1" >&2
    exit 1
}}

compiler=mojo
folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
while [ $# -gt 0 ]; do
    case $1 in
    --compiler)
        [ $# -gt 1 ] || {{ usage >&2; exit 2; }}
        compiler=$2
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    *) folder=$1 ;;
    esac
    shift
done
command -v "$compiler" >/dev/null 2>&1 || fail "'$compiler' not found: name the Mojo compiler with --compiler"
compiler=$(command -v "$compiler")
case $compiler in
/*) ;;
*) compiler=$PWD/$compiler ;;
esac

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM
mkdir "$room/home" "$room/packages"

{digest}
# place FILE NAME SHA256: FILE as it is distributed, NAME as it is imported.
place() {{
    found=
    for file in "$folder/$1" "$folder/$2" "$folder/packages/$2"; do
        if [ -f "$file" ]; then
            found=$file
            break
        fi
    done
    [ -n "$found" ] || fail "$1 is not in $folder"
    [ "$(digest "$found")" = "$3" ] || fail "$found is not the file that was verified (its SHA-256 is not $3)"
    cp "$found" "$room/packages/$2"
    printf 'passed  %s is intact\\n' "$1"
}}

# try PROGRAM WHAT: run a program that sees the packages, an empty home and no environment of ours.
try() {{
    program=$1
    what=$2
    set -- PATH="$PATH" HOME="$room/home" LANG=C.UTF-8 MODULAR_CRASH_REPORTING_ENABLED=false
    [ -z "${{MODULAR_HOME:-}}" ] || set -- "$@" MODULAR_HOME="$MODULAR_HOME"
    if (cd "$room" && env -i "$@" "$compiler" run -I packages "$program") >"$room/log" 2>&1; then
        printf 'passed  %s\\n' "$what"
    else
        cat "$room/log" >&2
        printf 'the package requires %s; this is ' {quoted} >&2
        env -i "$@" "$compiler" --version >&2 || true
        fail "$what"
    fi
}}

"""


def verify_script(manifest: PackageManifest, needed: Mapping[str, PackageManifest], programs: Mapping[str, str]) -> str:
    """The script for a package, the packages it needs, and programs: path in the clean room -> text, to be run."""
    accepted = manifest.compiler.accepted_by
    name = f"{manifest.distribution} {manifest.version}"
    lines = [_START.format(name=name, accepted=accepted, quoted=shlex.quote(accepted), digest=DIGEST)]
    for one in (*needed.values(), manifest):
        lines.append(f"place {shlex.quote(one.file)} {shlex.quote(one.installed_as)} {one.sha256}\n")
    for path, text in programs.items():
        end = "PACKYARD_END"
        while end in text:
            end += "_"
        folder = path.rpartition("/")[0]
        lines.append(f'\nmkdir -p "$room"/{shlex.quote(folder)}\n' if folder else "\n")
        lines.append(f"cat >\"$room\"/{shlex.quote(path)} <<'{end}'\n{text.rstrip(chr(10))}\n{end}\n")
        what = f"{path} runs" if folder else "every export can be imported"
        lines.append(f"try {shlex.quote(path)} {shlex.quote(what)}\n")
    lines.append(f"\necho {shlex.quote(f'{name} works with this compiler')}\n")
    return "".join(lines)
