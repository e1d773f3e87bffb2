"""Keys of vendors and what they sign, made by GnuPG."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Signer:
    """Somebody with a key, made by GnuPG for the tests."""

    home: Path

    def gpg(self, *words: str | Path, given: bytes = b"") -> bytes:
        argv = ["gpg", "--homedir", self.home, "--batch", "--quiet", *words]
        return subprocess.run(argv, input=given, check=True, capture_output=True, timeout=60).stdout

    def key(self, path: Path, *, armour: bool = True) -> Path:
        path.write_bytes(self.gpg(*(["--armor"] if armour else []), "--export"))
        return path

    def fingerprint(self) -> str:
        """In GnuPG's words."""
        listed = self.gpg("--list-keys", "--with-colons").decode().splitlines()
        return next(line.split(":")[9] for line in listed if line.startswith("fpr"))

    def around(self, text: bytes) -> bytes:
        return self.gpg("--clearsign", given=text)

    def beside(self, text: bytes, *, armour: bool = False) -> bytes:
        return self.gpg(*(["--armor"] if armour else []), "--detach-sign", given=text)


@contextlib.contextmanager
def signers(*names: str, kind: str = "ed25519") -> Iterator[list[Signer]]:
    """One for each name; their agents' sockets want a short path."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        made = []
        for name in names:
            signer = Signer(Path(folder, name))
            signer.home.mkdir(mode=0o700)
            words = ("--passphrase", "", "--quick-gen-key", f"{name} <{name}@m.example>")
            signer.gpg(*words, kind, "sign", "never")
            made.append(signer)
        yield made
        for signer in made:
            subprocess.run(
                ["gpgconf", "--homedir", signer.home, "--kill", "all"], check=False, timeout=60
            )
