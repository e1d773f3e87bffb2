"""What an installation starts from, brought to this machine and checked.

``tree`` is made here from the package mirror; ``url`` and ``iso`` are the vendor's, fetched once
into the cache and compared with the checksum in the catalog. For ``url`` that is the checksum of
the installer's initial ramdisk, which with the kernel is all that Oz takes from there.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import requests

from imagecycle import log, systems
from imagecycle.artifacts import CHUNK, checksums
from imagecycle.build import installtree
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import mirror, windows_script

TIMEOUT = 60.0
"""Seconds without a byte after which the vendor counts as not answering."""


@dataclass(frozen=True)
class Source:
    """Media that can be had: ``digest`` names its content before it has been fetched."""

    family: Family
    site: Site
    digest: str
    ingredients: Mapping[str, str] = field(default_factory=dict)
    """What it is made from, and the digest of each; empty when only the whole is known"""

    def fetch(self) -> str:
        """Bring the media here; returns the URL that Oz reads it from.

        :raises ImagecycleError: when it cannot be had or has the wrong checksum.
        """
        media = self.family.media
        if media.kind == "tree":
            return installtree.ensure(self.family, self.site, mirror.find(self.site)).url
        cache = self.site.cache / "media" / media.sha256
        if media.kind == "iso":
            iso = cache / Path(media.url).name
            _fetch(media.url, iso, media.sha256)
            return iso.as_uri()
        boot = systems.of(self.family).network_boot(self.family.arch)
        assert boot is not None  # find() has seen to that
        _fetch(f"{media.url}/{boot.kernel}", cache / boot.kernel, "")
        _fetch(f"{media.url}/{boot.initrd}", cache / boot.initrd, media.sha256)
        return cache.as_uri()


def find(family: Family, site: Site) -> Source:
    """The media that the catalog declares for a family.

    :raises UsageError: when there is none yet, or Oz has no way to install from it.
    """
    if family.media.kind == "tree":
        digest, made_from = installtree.identify(family, site, mirror.find(site))
        return Source(family, site, digest, made_from)
    if not family.media.configured:
        raise UsageError(
            f"{family.slug}: its install media are not configured",
            hint=f"name them in {family.source.name} of the site's own catalog folder; see "
            "docs/catalog.rst",
        )
    if family.media.kind == "url" and systems.of(family).network_boot(family.arch) is None:
        raise UsageError(
            f"{family.slug}: Oz cannot install this system from media of the kind url",
            hint="declare the vendor's ISO image instead",
        )
    return Source(family, site, *_digest(family, site))


def _digest(family: Family, site: Site) -> tuple[str, dict[str, str]]:
    """What names an ISO with all that an installation takes from elsewhere, and its parts."""
    if family.windows is None:
        return family.media.sha256, {}
    if site.windows.drivers is None:
        raise UsageError(
            f"{family.slug}: the site's settings name no virtio drivers",
            hint="name the virtio-win project's ISO as windows.drivers; see docs/windows.rst",
        )
    parts = {
        "medium": family.media.sha256,
        "drivers": site.windows.drivers.sha256,
        "scripts": windows_script.digest(),
    }
    return hashlib.sha256("\n".join(parts.values()).encode()).hexdigest(), parts


def fetched(site: Site, url: str, sha256: str) -> Path:
    """A file in the cache, brought here when it is not there yet.

    :raises ImagecycleError: when it cannot be had or has the wrong checksum.
    """
    path = site.cache / "media" / sha256 / Path(urlparse(url).path).name
    _fetch(url, path, sha256)
    return path


def _fetch(url: str, path: Path, sha256: str) -> None:
    if path.exists() and (not sha256 or checksums(path)["sha256"] == sha256):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            found = _download(url, stream)
        if sha256 and found != sha256:
            raise ImagecycleError(
                f"{url} has the checksum {found}, and the catalog expects {sha256}",
                hint="the vendor has changed it, or somebody else has: compare with the vendor's "
                "signed list, then correct sha256 in the catalog",
            )
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _download(url: str, stream: object) -> str:
    digest = hashlib.sha256()
    try:
        if url.startswith("file://"):
            with Path(urlparse(url).path).open("rb") as local:
                while chunk := local.read(CHUNK):
                    digest.update(chunk)
                    stream.write(chunk)  # type: ignore[attr-defined]
            return digest.hexdigest()
        with requests.get(url, stream=True, timeout=TIMEOUT) as response:
            response.raise_for_status()
            total, done = int(response.headers.get("Content-Length", 0)), 0
            with log.transfer(f"fetching {Path(url).name}", total) as report:
                for chunk in response.iter_content(CHUNK):
                    digest.update(chunk)
                    stream.write(chunk)  # type: ignore[attr-defined]
                    done += len(chunk)
                    report(done)
            if total and done != total:
                raise ImagecycleError(
                    f"{url} ended after {done} of {total} bytes", hint="run this again"
                )
    except (requests.RequestException, OSError) as error:
        raise ImagecycleError(
            f"{url} cannot be fetched: {error}",
            hint="check `media` in the catalog, and the network",
        ) from None
    return digest.hexdigest()
