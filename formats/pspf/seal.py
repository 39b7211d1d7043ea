"""The seal: a set-up command that makes stock launchers check the content before the program runs.

The signature does not cover the slots. But the set-up commands are part of the signed metadata and run at the first
start, before anything in the content does; this one compares the unpacked tree with a digest that is in the same signed
text.

The launchers put the content's own bin/ first in PATH, also for set-up commands. A swapped slot could bring its own
`find` or `sha256sum`, so tools only count if their path is absolute and outside the tree.

Launchers unpack a new version over the files of the old one that had the same file name, and remove nothing. So content
that passed is moved into a folder of its own, named after what is in it, and the folders of earlier versions are
removed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from packyard.formats.digest import Digest
from packyard.formats.pspf.parts import Json

PLACE_PREFIX: Final = ".packyard-"  # of the folders that hold content, and of the stamp beside them

# Called with the work environment as $0, then the digest, the folder that the content moves to (or -), and the
# leftovers. Makes the listing that `contents.listing` defines; openssl is several times faster where the processor
# helps, but nothing depends on it. The Go launcher unpacks over the old version before any command runs; the Rust
# launcher unpacks beside it, in NAME's sibling .NAME.pspf/tmp/, and merges afterwards.
_SCRIPT: Final = r"""
want=$1 place=${2#-}
shift 2
PATH=${PATH#"$0/bin:"}
case $PATH in "" | "$0/bin") PATH=/usr/bin:/bin;; esac
refuse() { echo "sealed bundle: $1" >&2; [ -z "$place" ] || "$rm" -rf "$0"/* "$0"/.[!.]*; exit 1; }
have() { at=$(command -v "$1") || return 1; case $at in "$0"/*) return 1;; /*) echo "$at";; *) return 1;; esac; }
for tool in rm find sort xargs mkdir mv; do have $tool >/dev/null || { place=; refuse "the host has no $tool"; }; done
rm=$(have rm) find=$(have find) sort=$(have sort) xargs=$(have xargs) mkdir=$(have mkdir) mv=$(have mv)
if [ -n "$place" ]; then
  old=$0
  case $0 in */.*.pspf/tmp/*) side=${0%/tmp/*} name=${side##*/.}; old=${side%/*}/${name%.pspf};; esac
  "$rm" -rf "$old"/.packyard-*
fi
cd "$0" || exit 1
odd=$("$find" . ! -type d ! -type f -o -name "*
*") || exit 1
[ -z "$odd" ] || refuse "its content is not the signed one"
each() { "$find" . -type f -print0 | LC_ALL=C "$sort" -z | "$xargs" -0 "$@"; }
tree=
if fast=$(have openssl) && sed=$(have sed); then
  tree=$(each "$fast" dgst -sha256 -r 2>/dev/null | "$sed" "s/ \*/  /" | "$fast" dgst -sha256 -r 2>/dev/null)
fi
if [ "${tree%% *}" != "$want" ]; then
  if sum=$(have sha256sum); then bits=
  elif sum=$(have shasum); then bits="-a 256"
  else refuse "the host has no sha256sum"
  fi
  tree=$(each "$sum" $bits | "$sum" $bits)
  [ "${tree%% *}" = "$want" ] || refuse "its content is not the signed one"
fi
[ $# = 0 ] || "$rm" -rf "$@" || exit 1
if [ -n "$place" ]; then
  "$mkdir" "$place" || exit 1
  for each in * .[!.]*; do
    [ "$each" = "$place" ] || [ ! -e "$each" ] || "$mv" "$each" "$place/" || exit 1
  done
fi
"""


def seal(tree: Digest, *, place: str = "", gone: Sequence[str] = ()) -> Json:
    """The set-up command; it must be the first, because later ones may add files. Needs a POSIX host.

    `gone` are paths that are removed once the content has been verified. With `place` (a name that starts with
    PLACE_PREFIX) the content is moved into that folder of the work environment; refused content is removed.
    """
    words = shlex.join([tree.hex, place or "-", *(f"./{path}" for path in gone)])
    return {"type": "execute", "command": f"/bin/sh -c '{_SCRIPT}' \"{{workenv}}\" {words}"}
