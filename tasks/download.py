"""Fetching a file that is named by a URL and known by its digest."""

from __future__ import annotations

import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from packyard.tasks.errors import ActionError

_TIMEOUT = 60  # seconds without a byte


def download(url: str, place: Path) -> None:
    """Write what `url` (https, http or file) gives to `place`; ActionError when it cannot be had.

    Proxies and certificates come from the usual variables. Whoever calls checks the digest.
    """
    if not url.startswith(("https://", "http://", "file://")):
        raise ActionError(f"{url!r} cannot be fetched, an https, http or file URL was expected")
    if not url.startswith("file://") and os.environ.get("UV_OFFLINE", "") not in ("", "0", "false"):
        raise ActionError(f"{url} is not fetched: downloads are switched off (--offline, UV_OFFLINE)")
    request = urllib.request.Request(url, headers={"User-Agent": "packyard"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, place.open("wb") as out:
            shutil.copyfileobj(answer, out, 1 << 20)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise ActionError(
            f"{url} cannot be fetched: {reason}", hint="fetch it by other means and pin its path instead of its URL"
        ) from None
