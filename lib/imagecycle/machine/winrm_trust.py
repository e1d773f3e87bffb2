"""How a Windows guest proves that it is the one that was meant: by its certificate.

A guest's WinRM listener has a certificate that nobody has signed. It is pinned by the SHA-256
fingerprint that the guest reports on its console. A site that issues certificates to its guests
names its authority instead. To trust whatever comes is not possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from imagecycle.errors import UsageError

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Fingerprint:
    """The SHA-256 fingerprint of the certificate itself, as 64 hexadecimal digits."""

    digits: str

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """A fingerprint as people and programs write it: colons, spaces and capitals are allowed.

        :raises UsageError: when it is none, or one of another kind.
        """
        digits = re.sub(r"[:\s]", "", text).lower()
        if _SHA256.fullmatch(digits) is None:
            kind = " (40 digits are SHA-1, as in Windows' own lists)" if len(digits) == 40 else ""
            raise UsageError(
                f"not a SHA-256 fingerprint of a certificate: {text!r}{kind}",
                hint="64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints",
            )
        return cls(digits)


@dataclass(frozen=True)
class Authority:
    """The authority that has signed the guest's certificate: a file in PEM."""

    path: Path

    def __post_init__(self) -> None:
        try:
            text = self.path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"the authority's certificate {self.path} cannot be read: {error.strerror}",
                hint="name the file with the certificate, in PEM, of who signs those of the guests",
            ) from None
        if b"-----BEGIN CERTIFICATE-----" not in text:
            raise UsageError(
                f"{self.path} holds no certificate in PEM",
                hint="convert it: openssl x509 -inform der -in FILE -out FILE.pem",
            )


Trust = Fingerprint | Authority


def pin(session: requests.Session, fingerprint: Fingerprint) -> None:
    """Let a session talk over TLS to nobody but the holder of one certificate."""
    session.verify = False  # of an authority; the fingerprint is compared in any case
    session.mount("https://", _Pinned(fingerprint))


class _Pinned(HTTPAdapter):
    """An adapter that ends a connection whose certificate is another one."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._fingerprint = fingerprint
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, assert_fingerprint=self._fingerprint.digits)
