"""The command `web-routes`."""

from __future__ import annotations

import sys

from web.app import create_app


def main() -> int:
    """List the paths that the application answers, and how."""
    rules = sorted(create_app().url_map.iter_rules(), key=lambda rule: rule.rule)
    for rule in rules:
        methods = ", ".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        sys.stdout.write(f"{rule.rule:24} {methods}\n")
    return 0
