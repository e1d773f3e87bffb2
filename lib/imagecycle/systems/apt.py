"""APT and dpkg, of Debian and its relatives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from imagecycle.systems import apt_sources, dpkg
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Digests, Package, PackageManager, Source

_SOURCES = "/etc/apt/sources.list.d/build.list"
_OPTIONS_FILE = "/etc/apt/apt.conf.d/00build"
_OPTIONS = (
    "DPkg::Options { --force-unsafe-io; }; APT::Install-Recommends no; "
    # an index in this form is larger, and unpacked in a fraction of the time under emulation
    'Acquire::CompressionTypes::Order:: "gz";'
)


class Apt(PackageManager):
    """See apt-get(8), apt.conf(5), deb-control(5)."""

    settings = ("/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*", "/etc/apt/preferences**")
    unsafe = re.compile(
        r"(?im)^[^#/\n]*(AllowUnauthenticated|AllowInsecureRepositories|Check-Valid-Until"
        r"|Verify-Peer|Verify-Host|AllowDowngradeToInsecureRepositories|force-yes)"
        r"\W+\"?(true|false|1|0|yes|no)"
    )
    keys = ("/etc/apt/{trusted.gpg,keyrings/**,trusted.gpg.d/**}", "/usr/share/keyrings/**")
    audit = "dpkg --audit"
    caches = ("/var/cache/apt", "/var/lib/apt/lists")
    cached_files = (
        "/var/cache/apt/*.bin",
        "/var/cache/apt/archives/*.deb",
        "/var/cache/apt/archives/partial/*",
        "/var/lib/apt/lists/*",
    )
    leftovers = (
        # of mmdebstrap, which makes the embedded install tree
        "/etc/apt/apt.conf.d/99mmdebstrap",
        "/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "/var/lib/dpkg/*-old",
        "/var/cache/debconf/*-old",
    )
    """What installing packages leaves, besides the caches"""

    def installed(self, files: SystemFiles) -> list[Package]:
        return dpkg.installed(files)

    def owned(self, files: SystemFiles) -> set[str]:
        return dpkg.owned(files)

    def digests(self, files: SystemFiles) -> Digests:
        return dpkg.digests(files)

    def sources(self, files: SystemFiles) -> list[Source]:
        return apt_sources.sources(files)

    def held(self, files: SystemFiles) -> list[str]:
        return dpkg.held(files)

    def prepare(self, sources: Sequence[str]) -> str:
        lines = "\\n".join(sources)
        return (
            f"printf '{lines}\\n' >{_SOURCES}\n"
            f"echo '{_OPTIONS}' >{_OPTIONS_FILE}\n"
            "apt-get -q -o Acquire::Languages=none -o Acquire::Retries=3 update"
        )

    def install(self, packages: Sequence[str]) -> str:
        return f"DEBIAN_FRONTEND=noninteractive apt-get -q -y install {shlex.join(packages)}"

    def finish(self) -> str:
        return f"rm {_SOURCES} {_OPTIONS_FILE}\napt-get clean"
