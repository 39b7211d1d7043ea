"""Files that are Mojo packages by header and structure, made without a compiler."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from packyard.formats.mojo.package import read_package
from packyard.formats.mojo.packagemanifest import Needed, PackageManifest, stamp_of, write_package_manifest

IDENTITY = "0123456789abcdef" * 4


def package_bytes(content: str = "abc", identity: str = IDENTITY) -> bytes:
    """A package of Mojo 1.0.0 (container 2) whose bytecode is some text."""
    data = content.encode()
    header = bytes.fromhex("4d504b47 02 2e2e2e 010000 00 00 1a0500 00 00") + identity.encode() + b"\0"
    block = (len(data) << 3 | 1).to_bytes(3, "little") + data
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + block
    return (header + struct.pack("<Q", len(data))).ljust(96, b"\0") + frame


def write_package(
    folder: Path, name: str, *needs: Path, version: str = "0.1.0", content: str = "", identity: str = IDENTITY
) -> Path:
    """A package as a build leaves it in dist/: NAME-VERSION.mojopkg and its manifest, compiled against `needs`."""
    data = package_bytes(content or name, identity)
    path = folder / f"{name}-{version}.mojopkg"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    manifest = PackageManifest(
        name=name,
        distribution=name,
        version=version,
        file=path.name,
        installed_as=f"{name}.mojopkg",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        compiler=stamp_of(read_package(BytesIO(data))),
        dependencies=tuple(
            Needed(
                name=other.name.partition("-")[0],
                distribution=other.name.partition("-")[0],
                version="0.1.0",
                sha256=hashlib.sha256(other.read_bytes()).hexdigest(),
                range="0.1.0",
            )
            for other in needs
        ),
        exports={name: ("one",)},
    )
    path.with_name(f"{path.name}.json").write_text(write_package_manifest(replace(manifest)))
    return path


def write_compiler(prefix: Path, identity: str = IDENTITY) -> Path:
    """A folder laid out as the environment of a compiler is, with a library and a program that does nothing."""
    for folder in ("bin", "lib/mojo"):
        (prefix / folder).mkdir(parents=True)
    (prefix / "lib/mojo/std.mojopkg").write_bytes(package_bytes("std", identity))
    (prefix / "bin/mojo").write_text("#!/bin/sh\n")
    (prefix / "bin/mojo").chmod(0o755)
    return prefix
