"""Where Debian packages come from: the operator's setting, else what this machine's apt uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site

TIME_LIMIT = 30.0
"""Seconds for apt to list its sources."""


@dataclass(frozen=True)
class Mirror:
    """The URLs of a Debian package mirror and of its security updates, without a final slash."""

    url: str
    security_url: str
    index_days: int = 0
    """Days for which an index is accepted, from its date on, where its own limit is earlier"""

    def suites(self, codename: str) -> tuple[tuple[str, str], ...]:
        """The addresses and suites of a Debian version: main, updates and security."""
        return (
            (self.url, codename),
            (self.url, f"{codename}-updates"),
            (self.security_url, f"{codename}-security"),
        )

    def sources(self, codename: str) -> tuple[str, ...]:
        """One-line apt sources for a Debian version, as sources.list(5) describes them."""
        accepted = f"[valid-until-min={self.index_days * 86400}] " if self.index_days else ""
        return tuple(f"deb {accepted}{url} {suite} main" for url, suite in self.suites(codename))


def find(site: Site) -> Mirror:
    """The mirror of the site's settings, or of this machine's apt sources.

    :raises ImagecycleError: when neither names one.
    """
    url, security = site.mirror, site.security_mirror
    if not (url and security):
        main, extra = _of_this_machine()
        url, security = url or main, security or extra
    if not (url and security):
        raise ImagecycleError(
            "no Debian package mirror is known: apt's sources name none for this Debian version",
            hint="set `mirror` and `security_mirror` in the site's settings",
        )
    return Mirror(url.rstrip("/"), security.rstrip("/"), site.index_days)


def _of_this_machine() -> tuple[str, str]:
    codename = _codename()
    form = "$(REPO_URI) $(RELEASE)"
    listing = command.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        timeout=TIME_LIMIT,
        check=False,
    ).stdout
    found: dict[str, str] = {}
    for line in listing.splitlines():
        uri, _, suite = line.partition(" ")
        found.setdefault(suite.removesuffix("/updates"), uri)
    # apt names a suite as its Release file does: by code name, or as stable, oldstable, ...
    suites = [codename, "stable", "oldstable", "testing"]
    main = next((found[suite] for suite in suites if suite in found), "")
    security = next((found[f"{s}-security"] for s in suites if f"{s}-security" in found), "")
    return main, security


def _codename(release_file: Path = Path("/etc/os-release")) -> str:
    for line in release_file.read_text().splitlines() if release_file.exists() else ():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    return ""
