"""Public keys as vendors publish them, and what they have signed.

Vendors sign in two ways: with a signature beside a file, or around it. ``gpgv`` knows both, and
believes no key but those that it is given. The form of keys is described in RFC 9580, sections 4,
5.5 and 6.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.errors import CommandFailed, ImagecycleError

ARMOURED = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*?\r?\n(.*?)"
    rb"(?:\r?\n=[^\r\n]+)?\r?\n-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_SECRET, _PUBLIC = (5, 7), 6
"""Tags of packets"""
_INDETERMINATE = 3
_LINE = 64  # characters of armour
_TIME_LIMIT = 60.0


def signed(content: bytes, signature: bytes, key: Path) -> bytes:
    """The text that a key has signed.

    :param signature: of its own; empty where the content has it around itself.
    :param key: a file with one public key or several.
    :raises ImagecycleError: when the signature is not that of a key of the file.
    """
    with tempfile.TemporaryDirectory(prefix="signature-") as scratch:
        folder = Path(scratch)
        ring, text, by, out = (folder / name for name in ("ring", "list", "list.sig", "text"))
        ring.write_bytes(binary(key.read_bytes()))
        text.write_bytes(content)
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
        return (text if signature else out).read_bytes()


def _reason(output: str) -> str:
    lines = [line.partition("gpgv: ")[2] for line in output.splitlines() if "gpgv: " in line]
    telling = [
        line for line in lines if re.search("BAD|No public key|Can't|no valid|expired", line)
    ]
    return (telling or lines or ["gpgv refuses it"])[0]


def armoured(key: bytes) -> bytes:
    """Keys as text, for programs that read no other form."""
    if ARMOURED in key:
        return key
    text = base64.b64encode(key).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    check = base64.b64encode(_crc24(key).to_bytes(3, "big")).decode()
    end = ARMOURED.decode().replace("BEGIN", "END")
    return "\n".join([ARMOURED.decode(), "", *lines, f"={check}", end, ""]).encode()


def _crc24(content: bytes) -> int:
    """RFC 9580, section 6.1.1."""
    crc = 0xB704CE
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc


def binary(key: bytes) -> bytes:
    """Keys without the armour in which vendors publish them."""
    blocks = _ARMOUR.findall(key)
    return b"".join(base64.b64decode(block) for block in blocks) if blocks else key


def fingerprints(key: bytes) -> tuple[str, ...]:
    """Those of the primary keys in a file, in capital hexadecimal digits.

    :raises ValueError: saying why the file is none of public keys.
    """
    if b"PRIVATE KEY BLOCK" in key:
        raise ValueError("it holds a secret key")
    found = []
    try:
        for tag, body in _packets(binary(key)):
            if tag in _SECRET:
                raise ValueError("it holds a secret key")
            if tag == _PUBLIC:
                found.append(_fingerprint(body))
    except (IndexError, binascii.Error):
        raise ValueError("it is cut off, or no OpenPGP key") from None
    if not found:
        raise ValueError("it holds no OpenPGP key")
    return tuple(found)


def _fingerprint(body: bytes) -> str:
    version = body[0]
    if version == 4:
        head = b"\x99" + len(body).to_bytes(2, "big")
        return hashlib.sha1(head + body, usedforsecurity=False).hexdigest().upper()
    if version == 6:
        head = b"\x9b" + len(body).to_bytes(4, "big")
        return hashlib.sha256(head + body).hexdigest().upper()
    raise ValueError(f"it holds a key of version {version}, which nobody uses any more")


def _packets(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        head = content[at]
        if not head & 0x80:
            raise ValueError("it holds no OpenPGP key")
        tag, length, start = _old(content, at) if not head & 0x40 else _new(content, at)
        if start + length > len(content):
            raise IndexError
        yield tag, content[start : start + length]
        at = start + length


def _old(content: bytes, at: int) -> tuple[int, int, int]:
    """Tag, length and start of a packet with a header of the old form."""
    tag, kind = content[at] >> 2 & 0xF, content[at] & 3
    if kind == _INDETERMINATE:
        return tag, len(content) - at - 1, at + 1
    size = 1 << kind
    return tag, int.from_bytes(content[at + 1 : at + 1 + size], "big"), at + 1 + size


def _new(content: bytes, at: int) -> tuple[int, int, int]:
    tag, first = content[at] & 0x3F, content[at + 1]
    if first < 192:
        return tag, first, at + 2
    if first < 224:
        return tag, (first - 192 << 8) + content[at + 2] + 192, at + 3
    if first == 255:
        return tag, int.from_bytes(content[at + 2 : at + 6], "big"), at + 6
    raise ValueError("it holds no OpenPGP key")
