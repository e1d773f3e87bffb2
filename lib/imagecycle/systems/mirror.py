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

    def sources(self, codename: str) -> tuple[str, ...]:
        """One-line apt sources for a Debian version: main, updates and security."""
        return (
            f"deb {self.url} {codename} main",
            f"deb {self.url} {codename}-updates main",
            f"deb {self.security_url} {codename}-security main",
        )


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
    return Mirror(url.rstrip("/"), security.rstrip("/"))


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
