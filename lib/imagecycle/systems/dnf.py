"""DNF, and YUM before it, of Red Hat and its relatives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from imagecycle.model import Repository
from imagecycle.systems import rpm_sources
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Source
from imagecycle.systems.rpm import Rpm

_PARTS = "/etc/yum.repos.d"
_KEYS = "/etc/pki/rpm-gpg"
_SOURCES = f"{_PARTS}/build.repo"
_MAIN = ("/etc/yum.conf", "/etc/dnf/dnf.conf")
_LOCKS = (
    "/etc/yum/pluginconf.d/versionlock.list",
    "/etc/dnf/plugins/versionlock.list",
    "/etc/dnf/versionlock.toml",
)
_LOCKED = r"^(?:name\s*=\s*\"([^\"]+)\"|([\w.+:*~^-]+)$)"
"""A package in a list of locked versions: of DNF 5, and of what was before it"""
_PROGRAM = '"$(command -v dnf || command -v yum)"'
_OPTIONS = "-q -y --setopt=install_weak_deps=False --setopt=tsflags=nodocs"


class Dnf(Rpm):
    """See dnf(8), dnf.conf(5), yum(8)."""

    settings = (*_MAIN, "/etc/yum.repos.d/*")
    unsafe = re.compile(r"(?im)^\s*(gpgcheck|sslverify)\s*=\s*(0|false|no|off)\b")
    wayward = re.compile(
        r"(?im)^\s*(exclude(?:pkgs)?|assumeyes|assumeno|tsflags|install_weak_deps|multilib_policy"
        r"|releasever|bandwidth|timeout|retries|minrate)\s*=\s*\S.*$"
    )
    keys = ("/etc/pki/rpm-gpg/*",)
    caches = ("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/cache/PackageKit")
    cached_files = tuple(f"{folder}/*" for folder in caches)
    leftovers = (
        "/var/lib/dnf/history.sqlite*",
        "/var/lib/rpm/.rpm.lock",
        "/var/lib/rpm/__db.*",
        "/usr/lib/sysimage/rpm/.rpm.lock",
        "/etc/yum.repos.d/*.rpmsave",
        "/etc/yum.repos.d/*.rpmnew",
    )
    """Of packages that were installed, and of nothing that a user of the image did"""

    def sources(self, files: SystemFiles) -> list[Source]:
        return rpm_sources.sources(files, _MAIN, "/etc/yum.repos.d/*.repo")

    def held(self, files: SystemFiles) -> list[str]:
        found = []
        for path in _LOCKS:
            if files.exists(path):
                text = files.read(path).decode(errors="replace")
                found += re.findall(_LOCKED, text, re.MULTILINE)
        return [first or second for first, second in found]

    def source_files(self, repository: Repository) -> Mapping[str, bytes]:
        return rpm_sources.of_flavour(repository, _PARTS, _KEYS)

    def prepare(self, sources: Sequence[str]) -> str:
        if not sources:
            return f"{_PROGRAM} -q makecache"
        sections = "\\n".join(
            f"[build{number}]\\nname=build{number}\\nbaseurl={url}\\ngpgcheck=1\\nenabled=1\\n"
            for number, url in enumerate(sources, start=1)
        )
        return f"printf '{sections}' >{_SOURCES}\n{_PROGRAM} -q makecache"

    def install(self, packages: Sequence[str]) -> str:
        return f"{_PROGRAM} {_OPTIONS} install {shlex.join(packages)}"

    def finish(self) -> str:
        return f"rm -f {_SOURCES}\n{_PROGRAM} -q clean all"
