"""A bundle without a Python of its own: what it asks of the one that it will find, and the script that looks for it.

The lock decides for which Pythons a bundle is: for those that need the very files that it carries. What is compiled
adds the ABI, the processor and the glibc that its binaries were linked against.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packyard.formats.python.machine import Machine
from packyard.formats.python.pinned import newest_python, pinned_files

# closure: packyard.tasks.kinds.bundle.inside.runtime_python

# Called by its path; program.json lies beside it. A Python that a launcher put first in PATH is none of the machine's:
# the content that is started here, or an earlier one, could bring it.
_SCRIPT = r"""# Starts the program with the Python of its last start, else with the first on PATH that fits.
here=${0%%/*}
prefix=${0%%/%(site)s/*}
python=$prefix/bin/python3
[ -x "$python" ] && exec "$python" -s "$here/runtime_python.py" "$@"
ask='import sys; sys.path.insert(0, sys.argv[1]); import runtime_python; sys.exit(runtime_python.adopt())'
tell='import sys; sys.stdout.write("Python %%d.%%d.%%d" %% sys.version_info[:3])'
asked() { "$1" -E -s -S -c "$ask" "$here" 2>/dev/null; }
line='
'
found= folders= own=${prefix%%/.packyard-*} rest=$PATH:
while [ -n "$rest" ]; do
  folder=${rest%%%%:*} rest=${rest#*:}
  case $folder in "$own" | "$own"/*) continue;; /*) ;; *) continue;; esac
  folder=$(cd -P "$folder" 2>/dev/null && pwd) || continue
  case ":$folders:" in *":$folder:"*) ;; *) folders=$folders:$folder;; esac
done
for name in %(names)s; do
  rest=${folders#:}:
  while [ -n "$rest" ]; do
    candidate=${rest%%%%:*}/$name rest=${rest#*:}
    [ -f "$candidate" ] && [ -x "$candidate" ] || continue
    if said=$(asked "$candidate") && [ -x "$python" ]; then
      # Not every Python can be the base of a virtual environment: this one has to start as one.
      asked "$python" >/dev/null && exec "$python" -s "$here/runtime_python.py" "$@"
      rm -f "$python"
      said="one that does not start under another name"
    fi
    [ -n "$said" ] || said=$("$candidate" -E -s -S -c "$tell" 2>/dev/null) || said="not a Python that starts"
    found="$found$line  $candidate is ${said:-no Python that starts}"
  done
done
printf '%%s\n' "%(name)s: no Python on PATH can run it; expected %(words)s$found" \
  "  hint: install it, or add its folder to PATH" >&2
exit 1
"""
START = "start.sh"
_TAGGED = re.compile(r"\.(cpython-\d+[^./]*)\.so$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`python` ('3.11') is the oldest that serves and `newest` the newest, '' for any. `abi` is the tag of extension
    modules, `machine` the processor, `glibc` its oldest version; each is '' when nothing in the bundle is bound to it.
    """

    python: str
    newest: str = ""
    abi: str = ""
    machine: str = ""
    glibc: str = ""

    def __str__(self) -> str:
        if not self.newest:
            python = f"{self.python} or newer"
        else:
            python = self.python if self.newest == self.python else f"{self.python} to {self.newest}"
        glibc = f"glibc {self.glibc} or newer" if self.glibc else ""
        bound = ", ".join(filter(None, (self.machine, glibc)))
        return f"CPython {python}" + (f" ({bound})" if bound else "")


def asked_of(
    lock: str, machine: Machine, *, requires: str, tags: Iterable[Collection[str]], paths: Iterable[str], glibc: str
) -> Asked:
    """What a bundle asks that was made for `machine`: with the distributions of a `lock`, of its own wheels those with
    these sets of `tags`, and with files at these `paths`, whose binaries need `glibc` ('' without binaries).

    `requires` is the application's requires-python. FormatError for a lock that does not serve the machine.
    """
    tags = [*tags]
    abi = next((match[1] for path in paths if (match := _TAGGED.search(path)) and _is_for(match[1], machine)), "")
    wheels = [file.file for file in pinned_files(lock, "pylock.toml", machine) if file.is_wheel]
    is_bound = glibc or abi or not all(name.endswith("-any.whl") for name in wheels)
    is_bound = is_bound or not all(tag.endswith("-any") for each in tags for tag in each)
    return Asked(
        python=machine.python,
        newest=machine.python if abi else _newest(newest_python(lock, "pylock.toml", machine), requires, tags, machine),
        abi=abi,
        machine=("aarch64" if machine.platform.endswith("_arm64") else "x86_64") if is_bound else "",
        glibc=glibc if glibc != "0.0" else "",
    )


def start_files(asked: Asked, *, name: str, site: str) -> dict[str, bytes]:
    """The files that find a Python and start the program with it, by name in the folder of `packyard_runtime`."""
    major, minor = (int(part) for part in asked.python.split("."))
    last = int(asked.newest.partition(".")[2]) if asked.newest else minor + 12
    newer = [f"python{major}.{number}" for number in range(minor + 1, last + 1)]
    names = " ".join([f"python{asked.python}", "python3", *newer])
    script = _SCRIPT % {"site": site, "names": names, "name": name, "words": asked}
    return {
        START: script.encode(),
        "runtime_python.py": Path(__file__).with_name("inside").joinpath("runtime_python.py").read_bytes(),
    }


def _newest(by_lock: str, requires: str, tags: Iterable[Collection[str]], machine: Machine) -> str:
    """The newest Python that the lock, the application and its own wheels all allow."""
    major, minor = (int(part) for part in machine.python.split("."))
    end = int(by_lock.partition(".")[2]) if by_lock else minor + 12
    for number in range(minor + 1, end + 1):
        python = f"{major}.{number}"
        fitting = {str(tag) for tag in replace(machine, python=python).tags()}
        allowed = any(SpecifierSet(requires).contains(f"{python}.{patch}") for patch in (0, 999))
        if not allowed or not all(fitting.intersection(each) for each in tags):
            return f"{major}.{number - 1}"
    return by_lock


def _is_for(abi: str, machine: Machine) -> bool:
    return abi.startswith(f"cpython-{machine.python.replace('.', '')}-")
