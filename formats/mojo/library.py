"""The record of a library folder: which Mojo packages were installed into it, by their manifests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from packyard.formats.mojo.packagemanifest import PackageManifest, read_manifest_table
from packyard.formats.text.json import read_json
from packyard.formats.text.table import reading

NAME = ".packyard-mojo.json"
FORMAT = "mojo-library/1"


def write_library(packages: Iterable[PackageManifest]) -> str:
    """The record as JSON, packages sorted by name."""
    found = sorted(packages, key=lambda package: package.name)
    return json.dumps({"format": FORMAT, "packages": [asdict(package) for package in found]}, indent=1) + "\n"


def read_library(text: str, place: str) -> dict[str, PackageManifest]:
    """The packages by import name; FormatError if the record is not what `write_library` wrote."""
    with reading(read_json(text, place), place) as top:
        top.choice("format", (FORMAT,), required=True)
        packages = [read_manifest_table(table) for table in top.tables("packages")]
        return {package.name: package for package in packages}
