"""What an installation starts from, brought to this machine and checked.

``tree`` is made here from the package mirror; ``url`` and ``iso`` are the vendor's, fetched once
into the cache and compared with the checksum in the catalog. For ``url`` that is the checksum of
the installer's initial ramdisk, which with the kernel is all that Oz takes from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlparse

from imagecycle import log, systems
from imagecycle.build import checksum_list, download, installtree
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import (
    boot_identity,
    medium_identity,
    mirror,
    openpgp,
    osinfo,
    treeinfo,
    windows_script,
)


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
        if media.kind == "iso":
            iso = fetched(self.site, media.url, media.sha256)
            _refuse_others(self.family, iso)
            if self.family.windows is None:
                _refuse_damaged(self.family, iso.name, medium_identity.damaged(iso))
            return iso.as_uri()
        boot = systems.of(self.family).network_boot(self.family.arch)
        assert boot is not None  # find() has seen to that
        folder = self.site.cache / "media" / media.sha256
        for name, sha256 in ((boot.kernel, ""), (boot.initrd, media.sha256)):
            download.ensure(self.site, f"{media.url}/{name}", folder / name, sha256)
        self._refuse_other_tree(folder, boot.kernel, boot.initrd)
        return folder.as_uri()

    def _refuse_other_tree(self, folder: Path, *names: str) -> None:
        """:raises UsageError: when a tree is not of what the catalog says, or its files differ from
        what it says of them."""
        url = self.family.media.url
        kernel, initrd = (folder / name for name in names)
        found = boot_identity.identify(kernel, initrd, self.family.distro)
        if found is not None:
            _refuse(self.family, url, found)
        info = _treeinfo(self.site, url)
        if info is None:
            return
        if (told := medium_identity.of_tree(info)) is not None:
            _refuse(self.family, url, told)
        wrong = [name for name in names if info.differs(name, folder / name)]
        for name in wrong:
            (folder / name).unlink()  # to be fetched again
        _refuse_damaged(self.family, url, wrong)


def find(family: Family, site: Site) -> Source:
    """The media that the catalog declares for a family.

    :raises UsageError: when there is none yet, when it is known to be the wrong one, or when Oz has
        no way to install from it.
    :raises ImagecycleError: when its checksum cannot be had from the vendor.
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
    family = _with_checksum(family, site)
    if family.media.kind == "iso":
        iso = cached(site, family.media.url, family.media.sha256)
        if iso.exists():  # said before anything is begun
            _refuse_others(family, iso)
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
    path = cached(site, url, sha256)
    download.ensure(site, url, path, sha256)
    return path


def cached(site: Site, url: str, sha256: str) -> Path:
    """Where a file is in the cache, once it has been fetched."""
    return site.cache / "media" / sha256 / Path(unquote(urlparse(url).path)).name


def _with_checksum(family: Family, site: Site) -> Family:
    """A family whose medium has the checksum that the vendor's signed list says."""
    media = family.media
    if not media.checksums or media.key is None:
        return family
    listing = _listing(site, media.checksums)
    signature = _listing(site, media.signature) if media.signature else b""
    try:
        text = openpgp.signed(listing, signature, media.key).decode(errors="replace")
        found = checksum_list.find(text, Path(unquote(urlparse(media.url).path)).name)
    except ImagecycleError as error:
        message = f"{media.place}: {media.checksums}: {error.message}"
        raise ImagecycleError(message, hint=error.hint) from None
    return replace(family, media=replace(media, sha256=found))


def _listing(site: Site, url: str) -> bytes:
    """A list of checksums as it is now, or as it was while its server does not answer."""
    kept = site.cache / "media" / "lists" / hashlib.sha256(url.encode()).hexdigest()
    try:
        content = download.small(site, url)
    except ImagecycleError as error:
        if not kept.exists():
            raise
        log.warn(f"{error.message}; the list fetched before is used")
        return kept.read_bytes()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return content


def _refuse_others(family: Family, iso: Path) -> None:
    """:raises UsageError: when a medium is not of what the catalog says, or not whole."""
    if family.windows is not None:
        return  # its editions are read from it, and compared
    try:
        found = medium_identity.identify(iso)
    except ImagecycleError as error:
        raise UsageError(f"{_place(family)}: {error.message}", hint=error.hint) from None
    if found is None:
        asked = "" if osinfo.available() else f", and {osinfo.PROGRAM} is not installed"
        log.warn(f"{iso.name} does not say what it is{asked}; the catalog is believed")
        return
    _refuse(family, iso.name, found)


def _refuse(family: Family, name: str, found: medium_identity.Identity) -> None:
    why = medium_identity.unfit(found, family.distro, family.version, family.arch)
    if why:
        raise UsageError(
            f"{_place(family)}: {name} is the wrong medium: {why}",
            hint=f"name the medium of {family.distro} {family.version} for {family.arch}",
        )


def _refuse_damaged(family: Family, name: str, wrong: Sequence[str]) -> None:
    """:raises UsageError: when files are not what the list beside them says."""
    if wrong:
        raise UsageError(
            f"{_place(family)}: {name} is damaged: {', '.join(wrong)} "
            f"differ from the checksums in its {treeinfo.NAME}",
            hint="fetch it again, and take its checksum from the vendor and not from the file",
        )


def _treeinfo(site: Site, url: str) -> treeinfo.TreeInfo | None:
    """What a tree says of itself; not every vendor's does."""
    try:
        return treeinfo.read(
            download.small(site, f"{url}/{treeinfo.NAME}").decode("utf-8", "replace")
        )
    except ImagecycleError:
        return None


def _place(family: Family) -> str:
    return family.media.place or str(family.source)
