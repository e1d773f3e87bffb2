"""What an offline check has found, and which of it is meant to be so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imagecycle.model import Explained
from imagecycle.systems.unowned import matches


@dataclass(frozen=True, order=True)
class Finding:
    """Something that should not be so."""

    what: str
    """A path, an account, a service: what an explanation in the catalog names"""
    why: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


@dataclass(frozen=True)
class Defects:
    """Called with the findings of a check, gives those that are defects, for people to read.

    ``added`` are the paths of the files that the catalog puts into the image: it means them.
    """

    check: str
    added: frozenset[str]
    explained: tuple[Explained, ...]

    def __call__(self, findings: Iterable[Finding], *, even_declared: bool = False) -> list[str]:
        """
        :param even_declared: also where the catalog itself puts the file there.
        """
        return [
            str(finding)
            for finding in dict.fromkeys(findings)
            if not (finding.what in self.added and not even_declared)
            and not any(
                one.check == self.check and matches(one.what, finding.what)
                for one in self.explained
            )
        ]
