"""The seal: a set-up command that makes the stock launchers refuse content other than the signed one.

The launchers check a slot against the slot table, which nobody signs. The set-up commands are part of the signed
metadata and run at the first start, before anything of the content does; this one compares the unpacked tree with
a digest that stands in the same signed text.
"""

from __future__ import annotations

from typing import Final

from packyard.formats.digest import Digest
from packyard.formats.pspf.metadata import Json

# Prints the listing that `contents.listing` defines; a tool that is missing is a refusal with its name.
_SCRIPT: Final = """\
cd "$0" || exit 1
sum=sha256sum
command -v sha256sum >/dev/null 2>&1 || sum="shasum -a 256"
for tool in find sort xargs ${sum%% *}; do
  command -v "$tool" >/dev/null 2>&1 || { echo "sealed bundle: the host has no $tool" >&2; exit 1; }
done
found=$(find . ! -type d -print0 | LC_ALL=C sort -z | xargs -0 $sum | $sum) || exit 1
[ "${found%% *}" = "$1" ] || { echo "sealed bundle: its content is not the signed one" >&2; exit 1; }
"""


def seal(tree: Digest) -> Json:
    """The set-up command; it has to be the first, because later ones may add files. Needs a POSIX host."""
    return {"type": "execute", "command": f"/bin/sh -c '{_SCRIPT}' \"{{workenv}}\" {tree.hex}"}
