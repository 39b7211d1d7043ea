"""Parts of the POSIX shell scripts that receivers run: what differs from one POSIX system to the next."""

from __future__ import annotations

DIGEST = """\
digest() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1"
    else
        shasum -a 256 <"$1"
    fi | cut -d ' ' -f 1
}
"""
