"""Debian's own installer: kernel and initial RAM disk, from its packages for network boots."""

from __future__ import annotations

import shutil
from pathlib import Path

from imagecycle import command, systems
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import apt_outlook
from imagecycle.systems.package_manager import Wanted

TIMEOUT = 600.0


def tree(family: Family, site: Site) -> Path:
    """An install tree as the vendor has it, with what starts; kept in the site's cache."""
    architecture = systems.of(family).tree_architectures[family.arch]
    name = f"debian-installer-{family.version}-netboot-{architecture}"
    folder = site.cache / "stock-installers" / name
    if folder.exists():
        return folder
    packed = _package(family, site, name)
    inside = f"./usr/lib/debian-installer/images/{family.version}/{architecture}/text"
    unpacked = packed.parent / "unpacked"
    command.run(["dpkg-deb", "--extract", packed, unpacked], timeout=TIMEOUT)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(unpacked / inside, folder)
    shutil.rmtree(packed.parent)
    return folder


def _package(family: Family, site: Site, name: str) -> Path:
    """The package, from the mirror of the family's version, its signature checked."""
    scratch = site.work / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    sources = systems.linux(family.distro).build_sources(family, site)
    found = apt_outlook.outlook(Wanted(family.arch, (name,), (), sources, b""), scratch)
    assert not (found.unknown or found.reason), found
    environment = {"APT_CONFIG": str(scratch / "apt.conf")}
    command.run(["apt-get", "download", name], env=environment, cwd=scratch, timeout=TIMEOUT)
    (package,) = scratch.glob("*.deb")
    return package
