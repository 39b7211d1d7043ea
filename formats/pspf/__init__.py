"""PSPF/2025 bundles: one executable file of a launcher, signed metadata and slots (docs/pspf.md).

    signed = write_bundle(out, launcher=launcher, metadata=metadata, slots=[archive], key=key_from_seed("s1"))
    bundle = open_bundle(out)
    findings = verify(bundle)
    verdict = judge(bundle, findings)

This module is the public interface (docs/pspf-api.md); the modules below it are the parts.
"""

from packyard.formats.errors import FormatError
from packyard.formats.policy import Policy
from packyard.formats.pspf.contents import Contents, contents_digest, listing, merged, read_contents, unpacked
from packyard.formats.pspf.metadata import Metadata, read_metadata
from packyard.formats.pspf.operations import read_chain
from packyard.formats.pspf.parts import Build, Coverage, Environment, Execution, Launcher, Slot, Validation
from packyard.formats.pspf.reader import Bundle, open_bundle, open_slot
from packyard.formats.pspf.seal import seal
from packyard.formats.pspf.signature import (
    PrivateKey,
    fingerprint,
    key_from_seed,
    new_key,
    private_pem,
    public_key,
    public_pem,
    read_private_key,
    read_public_key,
)
from packyard.formats.pspf.verification import Finding, Verdict, judge, verify, verify_contents
from packyard.formats.pspf.writer import write_bundle

__all__ = [
    "Build",
    "Bundle",
    "Contents",
    "Coverage",
    "Environment",
    "Execution",
    "Finding",
    "FormatError",
    "Launcher",
    "Metadata",
    "Policy",
    "PrivateKey",
    "Slot",
    "Validation",
    "Verdict",
    "contents_digest",
    "fingerprint",
    "judge",
    "key_from_seed",
    "listing",
    "merged",
    "new_key",
    "open_bundle",
    "open_slot",
    "private_pem",
    "public_key",
    "public_pem",
    "read_chain",
    "read_contents",
    "read_metadata",
    "read_private_key",
    "read_public_key",
    "seal",
    "unpacked",
    "verify",
    "verify_contents",
    "write_bundle",
]
