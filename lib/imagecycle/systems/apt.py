"""APT and dpkg, of Debian and its relatives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from imagecycle.model import Repository
from imagecycle.systems import apt_outlook, apt_sources, apt_syntax, dpkg
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import (
    Digests,
    Outlook,
    Package,
    PackageManager,
    Source,
    Wanted,
)

_PARTS = "/etc/apt/sources.list.d"
_KEYS = "/etc/apt/keyrings"
_PREFERENCES = ("/etc/apt/preferences", "/etc/apt/preferences.d/*")
_PIN = re.compile(
    r"(?im)^Pin:\s*version\b|^Pin:\s*release\b.*=(testing|unstable|sid|experimental)\b"
    r"|^Pin-Priority:\s*(-\d+|\d{4,})\b"
)
"""By which a version stays, none is ever taken, or another release is"""
_SOURCES = f"{_PARTS}/build.list"
_OPTIONS_FILE = "/etc/apt/apt.conf.d/00build"
_OPTIONS = (
    "DPkg::Options { --force-unsafe-io; }; APT::Install-Recommends no; "
    # an index in this form is larger, and unpacked in a fraction of the time under emulation
    'Acquire::CompressionTypes::Order:: "gz";'
)
_CONTROL = (
    r"Package: imagecycle-trial\nVersion: 1\nArchitecture: all\n"
    r"Maintainer: imagecycle <root@localhost>\nDescription: a trial\n"
)
# whoever updates in the background may hold the lock
_PROGRAM = "apt-get -q -y -o DPkg::Lock::Timeout=60"
_TRIAL = (
    "export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1; "
    "uris=$(apt-get -o Debug::NoLocking=1 --print-uris update 2>&1) && "
    'case "$uris" in *://*) ;; *) echo "apt knows no package source" ;; esac || '
    'printf "%s\\n" "$uris" | tail -n 3; '
    'd=$(mktemp -d); chmod 755 "$d"; mkdir -p "$d/p/DEBIAN"; '
    f"printf '{_CONTROL}' >\"$d/p/DEBIAN/control\"; "
    'said=$({ dpkg-deb -b "$d/p" "$d/trial.deb" && '
    f'{_PROGRAM} install "$d/trial.deb" && {_PROGRAM} purge imagecycle-trial; }} 2>&1) || '
    'printf "%s\\n" "$said" | tail -n 5; rm -rf "$d"'
)
"""A package that is made on the spot: a server that is tried has no way to a mirror"""


class Apt(PackageManager):
    """See apt-get(8), apt.conf(5), deb-control(5)."""

    settings = (
        "/etc/apt/apt.conf",
        "/etc/apt/apt.conf.d/*",
        "/etc/apt/preferences**",
        "/etc/dpkg/dpkg.cfg**",
    )
    unsafe = re.compile(
        r"(?im)^[^#/\n]*(AllowUnauthenticated|AllowInsecureRepositories|Check-Valid-Until"
        r"|Verify-Peer|Verify-Host|AllowDowngradeToInsecureRepositories|force-yes)"
        r"\W+\"?(true|false|1|0|yes|no)"
    )
    wayward = re.compile(
        r"(?im)^\s*(?:APT::(?:Install-Recommends|Default-Release|Get::Assume-Yes|Get::Only-Source"
        r"|Periodic::\S*\s+\"0\"|Architectures?\b).*"
        r"|Acquire::(?:Languages\s+\"none|Force\w+|\w+::Timeout|Retries|GzipIndexes"
        r"|AllowReleaseInfoChange|PDiffs|By-Hash).*"
        r"|APT::Sandbox::User\s+\"(?!_apt).*"
        r"|(?:DPkg::Options|Dir(?:::\S+)?|Debug::\S+|Unattended-Upgrade::(?:Automatic-Reboot"
        r"|Package-Blacklist))\s*\S.*"
        r"|path-(?:ex|in)clude\b.*|force-\S+|no-debsig|Pin-Priority:\s*(?:-\d+|\d{4,}).*)$"
    )
    kernel = re.compile(r"linux-image-(unsigned-)?\d\S*")
    newest_kernel = re.compile(
        r"linux-image-(?!unsigned|extra|dbg)[a-z]\S*"
        r"|linux-(generic|virtual|kvm|lowlatency|aws|azure|gcp|gke|ibm|oracle|raspi|oem)\S*"
    )
    security_suites = ("{codename}-security", "{codename}/updates")
    keys = ("/etc/apt/{trusted.gpg,keyrings/**,trusted.gpg.d/**}", "/usr/share/keyrings/**")
    audit = "dpkg --audit"
    sources_by_contextualisation = True
    trial = _TRIAL
    status = dpkg.STATUS
    caches = ("/var/cache/apt", "/var/lib/apt/lists")
    made_again = ("/var/log/apt", "/var/cache/apt", "/var/cache/apt/archives", "/var/lib/apt/lists")
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

    def brought(self, files: SystemFiles) -> set[str]:
        return dpkg.brought(files)

    def unfinished(self, files: SystemFiles) -> dict[str, str]:
        return dpkg.unfinished(files)

    def unmet(self, files: SystemFiles) -> list[tuple[str, str]]:
        return dpkg.unmet(files)

    def bent(self, files: SystemFiles) -> list[tuple[str, str]]:
        return dpkg.bent(files)

    def digests(self, files: SystemFiles) -> Digests:
        return dpkg.digests(files)

    def sources(self, files: SystemFiles) -> list[Source]:
        return apt_sources.sources(files)

    def unreadable(self, files: SystemFiles) -> list[tuple[str, str]]:
        return apt_syntax.broken(files)

    def held(self, files: SystemFiles) -> list[str]:
        return dpkg.held(files)

    def pinned(self, files: SystemFiles) -> list[tuple[str, str]]:
        """See apt_preferences(5)."""
        return [
            (path, " ".join(stanza.splitlines()[0].split()))
            for pattern in _PREFERENCES
            for path in files.glob(pattern)
            for stanza in re.split(r"\n\s*\n", files.read(path).decode(errors="replace"))
            if _PIN.search(stanza)
        ]

    def unfit(self, suite: str, components: Sequence[str]) -> str:
        if not suite:
            return "suite is missing: expected a suite such as bookworm, or a folder such as ./"
        if suite.endswith("/") and components:
            return (
                "components: a folder has none; expected none, or a suite that has no / at its end"
            )
        if not suite.endswith("/") and not components:
            return "components is missing: expected a list of components, such as main"
        return ""

    def key_file(self, repository: Repository) -> str:
        return f"{_KEYS}/{apt_outlook.key_name(repository, repository.key.read_bytes())}"

    def source_files(self, repository: Repository) -> Mapping[str, bytes]:
        key = self.key_file(repository)
        said = apt_outlook.stanza(repository, key)
        return {
            key: repository.key.read_bytes(),
            f"{_PARTS}/{repository.name}.sources": said.encode(),
        }

    def trust(self, repository: Repository) -> str:
        return ""  # the source itself names its key

    def distrust(self, repository: Repository) -> str:
        return ""

    def outlook(self, wanted: Wanted, scratch: Path) -> Outlook:
        return apt_outlook.outlook(wanted, scratch)

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
