"""Servers trust the vendor's certificate authorities, and nobody else."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

ADDED = (
    "/usr/local/share/ca-certificates/**",
    "/etc/pki/ca-trust/source/**",
    "/etc/pki/trust/anchors/**",
    "/usr/share/pki/{trust,ca-trust-source}/anchors/**",
    "/etc/ca-certificates/trust-source/**",
    "/etc/ssl/certs/*",
)
"""Where authorities are added to those of the vendor"""
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt",)
VENDORS = ("/usr/share/ca-certificates/**",)
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def test_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """The builder, or whoever has its authority's key, can pretend to be any site."""
    assert defects([*_added(pristine), *_bundled(pristine)]) == []


def _added(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled(*ADDED):
        if (
            path in pristine.foreign
            and path not in BUNDLES
            and "CERTIFICATE" in pristine.text(path)
        ):
            yield Finding(path, "comes from no package")


def _bundled(pristine: Pristine) -> Iterator[Finding]:
    vendors = [path for path in pristine.filled(*VENDORS) if path in pristine.owned]
    known = {block for path in vendors for block in _blocks(pristine.text(path))}
    for path in pristine.filled(*BUNDLES):
        strangers = _blocks(pristine.text(path)) - known
        if strangers and known:
            yield Finding(path, f"holds {len(strangers)} authorities that no package brings")


def _blocks(text: str) -> set[str]:
    return {"".join(block.split()) for block in _BLOCK.findall(text)}


def test_of_the_vendor_are_there(pristine: Pristine, defects: Defects) -> None:
    """Nothing can be fetched over TLS: programs trust no authority at all."""
    assert defects(_lacking(pristine)) == []


def _lacking(pristine: Pristine) -> Iterator[Finding]:
    vendors = [path for path in pristine.filled(*VENDORS) if path in pristine.owned]
    known = {block for path in vendors for block in _blocks(pristine.text(path))}
    for path in BUNDLES:
        held = _blocks(pristine.text(path)) & known
        if len(held) * 2 < len(known):
            yield Finding(path, f"holds {len(held)} of the vendor's {len(known)} authorities")
