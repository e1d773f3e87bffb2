"""Of which cloud a site tells, and where it will stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A cloud, and the site about it."""

    title: str
    """What the site calls the cloud"""
    region: str = ""
    endpoint: str = ""
    """Keystone's address, as users of the cloud know it"""
    address: str = ""
    """Where the site will be found, without a slash at its end; empty when nobody said"""

    def link(self, path: str) -> str:
        """The address of a file of the site; without an address of its own, from its top."""
        return f"{self.address}/{path}" if self.address else path
