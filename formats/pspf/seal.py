"""The seal: a set-up command that makes the stock launchers refuse content other than the signed one.

The launchers check a slot against the slot table, which nobody signs. The set-up commands are part of the signed
metadata and run at the first start, before anything of the content does; this one compares the unpacked tree with
a digest that stands in the same signed text.

The launchers put the content's own bin/ first in PATH, also for set-up commands. A swapped slot could bring a
`find` or `sha256sum` of its own, so tools count only by an absolute path outside the tree.
"""

from __future__ import annotations

from typing import Final

from packyard.formats.digest import Digest
from packyard.formats.pspf.metadata import Json

# Called with the work environment as $0 and the digest as $1. Makes the listing that `contents.listing` defines;
# openssl is several times faster where the processor helps, and nothing depends on its being there.
_SCRIPT: Final = r"""
want=$1
PATH=${PATH#"$0/bin:"}
case $PATH in "" | "$0/bin") PATH=/usr/bin:/bin;; esac
refuse() { echo "sealed bundle: $1" >&2; exit 1; }
have() { at=$(command -v "$1") || return 1; case $at in "$0"/*) return 1;; /*) echo "$at";; *) return 1;; esac; }
find=$(have find) || refuse "the host has no find"
sort=$(have sort) || refuse "the host has no sort"
xargs=$(have xargs) || refuse "the host has no xargs"
cd "$0" || exit 1
odd=$("$find" . ! -type d ! -type f -o -name "*
*") || exit 1
[ -z "$odd" ] || refuse "its content is not the signed one"
each() { "$find" . -type f -print0 | LC_ALL=C "$sort" -z | "$xargs" -0 "$@"; }
if fast=$(have openssl) && sed=$(have sed); then
  tree=$(each "$fast" dgst -sha256 -r 2>/dev/null | "$sed" "s/ \*/  /" | "$fast" dgst -sha256 -r 2>/dev/null)
  [ "${tree%% *}" = "$want" ] && exit 0
fi
if sum=$(have sha256sum); then set -- "$sum"
elif sum=$(have shasum); then set -- "$sum" -a 256
else refuse "the host has no sha256sum"
fi
tree=$(each "$@" | "$@")
[ "${tree%% *}" = "$want" ] || refuse "its content is not the signed one"
"""


def seal(tree: Digest) -> Json:
    """The set-up command; it has to be the first, because later ones may add files. Needs a POSIX host."""
    return {"type": "execute", "command": f"/bin/sh -c '{_SCRIPT}' \"{{workenv}}\" {tree.hex}"}
