"""A vendor's signed list of checksums: whether the signature is that of a key, and what it says.

Vendors sign in two ways: with a signature beside the list, or around it. ``gpgv`` knows both, and
believes no key but those that it is given.
"""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path

from imagecycle import command
from imagecycle.errors import CommandFailed, ImagecycleError, suggestion

_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*?\r?\n(.*?)"
    rb"(?:\r?\n=[^\r\n]+)?\r?\n-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_LINES = (
    re.compile(r"^(?P<sum>[0-9a-fA-F]{64})[ \t]+\*?(?:\./)?(?P<name>\S.*?)\s*$", re.MULTILINE),
    re.compile(r"^SHA256 \((?P<name>[^)]+)\) = (?P<sum>[0-9a-fA-F]{64})\s*$", re.MULTILINE),
)
_TIME_LIMIT = 60.0


def signed(listing: bytes, signature: bytes, key: Path) -> str:
    """The text of a list that a key has signed.

    :param signature: of its own; empty where the list has it around itself.
    :param key: a file with one public key or several.
    :raises ImagecycleError: when the signature is not that of a key of the file.
    """
    with tempfile.TemporaryDirectory(prefix="signature-") as scratch:
        folder = Path(scratch)
        ring, text, by, out = (folder / name for name in ("ring", "list", "list.sig", "text"))
        ring.write_bytes(_binary(key.read_bytes()))
        text.write_bytes(listing)
        by.write_bytes(signature)
        words: list[str | Path] = ["gpgv", "--keyring", ring]
        words += [by, text] if signature else ["--output", out, text]
        try:
            command.run(words, timeout=_TIME_LIMIT)
        except CommandFailed as failure:
            raise ImagecycleError(
                f"the signature is not one by {key.name}: {_reason(failure.output)}",
                hint="do not use the file; compare the key with the one that the vendor publishes",
            ) from None
        return (text if signature else out).read_text(errors="replace")


def find(text: str, name: str) -> str:
    """The SHA-256 checksum of a file in a list.

    :raises ImagecycleError: when the file is not in it.
    """
    sums = {
        Path(found["name"]).name: found["sum"].lower()
        for line in _LINES
        for found in line.finditer(text)
    }
    if name not in sums:
        raise ImagecycleError(
            f"the list of checksums has no SHA-256 of {name}{suggestion(name, sums)}",
            hint="compare `url` and `checksums` in the catalog; they belong to one release",
        )
    return sums[name]


def _binary(key: bytes) -> bytes:
    """Keys without the armour in which vendors publish them."""
    blocks = _ARMOUR.findall(key)
    return b"".join(base64.b64decode(block) for block in blocks) if blocks else key


def _reason(output: str) -> str:
    lines = [line.partition("gpgv: ")[2] for line in output.splitlines() if "gpgv: " in line]
    telling = [
        line for line in lines if re.search("BAD|No public key|Can't|no valid|expired", line)
    ]
    return (telling or lines or ["gpgv refuses it"])[0]
