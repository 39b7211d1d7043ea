"""The command `web`."""

from __future__ import annotations

import os
import sys

from werkzeug.serving import make_server

from web.app import create_app


def main() -> int:
    """Serve on 127.0.0.1, on the port that PORT names (8000; 0 takes a free one), until interrupted."""
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), create_app(), threaded=True) as server:
        sys.stderr.write(f"serving on http://127.0.0.1:{server.port}/\n")
        server.serve_forever()
    return 0
