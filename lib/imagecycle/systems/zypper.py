"""Zypper, of openSUSE and SUSE Linux Enterprise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from imagecycle.model import Repository
from imagecycle.systems import rpm_sources
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Source
from imagecycle.systems.rpm import Rpm

_ALIAS = "build"
_REPOSITORIES = "/etc/zypp/repos.d"
_KEYS = "/etc/pki/rpm-gpg"
_LOCKS = "/etc/zypp/locks"
_PROGRAM = "zypper --quiet --non-interactive"


class Zypper(Rpm):
    """See zypper(8), zypp.conf(5)."""

    settings = ("/etc/zypp/zypp.conf", "/etc/zypp/zypper.conf", "/etc/zypp/repos.d/*")
    unsafe = re.compile(r"(?im)^\s*(\w*gpgcheck|gpg_?check)\s*=\s*(0|false|no|off)\b")
    wayward = re.compile(
        r"(?im)^\s*(solver\.onlyRequires|installRecommends|rpm\.install\.excludedocs"
        r"|commit\.downloadMode|download\.use_\w+)\s*=\s*\S.*$"
    )
    keys = ("/usr/lib/rpm/gnupg/keys/*", "/etc/pki/rpm-gpg/*")
    caches = ("/var/cache/zypp", "/var/cache/PackageKit")
    cached_files = tuple(f"{folder}/*" for folder in caches)
    leftovers = (
        "/var/lib/zypp/AnonymousUniqueId",
        "/var/lib/zypp/LastDistributionFlavor",
        "/usr/lib/sysimage/rpm/.rpm.lock",
    )
    """Identities of the installed system, and what is made again"""

    def sources(self, files: SystemFiles) -> list[Source]:
        return rpm_sources.sources(files, (), f"{_REPOSITORIES}/*.repo")

    def held(self, files: SystemFiles) -> list[str]:
        if not files.exists(_LOCKS):
            return []
        text = files.read(_LOCKS).decode(errors="replace")
        return re.findall(r"^solvable_name:\s*(\S+)", text, re.MULTILINE)

    def source_files(self, repository: Repository) -> Mapping[str, bytes]:
        return rpm_sources.of_flavour(repository, _REPOSITORIES, _KEYS)

    def prepare(self, sources: Sequence[str]) -> str:
        added = [
            f"{_PROGRAM} addrepo --check {shlex.quote(url)} {_ALIAS}{number}"
            for number, url in enumerate(sources, start=1)
        ]
        # the medium that was installed from is gone
        gone = f"grep -lE '^baseurl=(cd|dvd|hd):' {_REPOSITORIES}/*.repo | xargs -r rm"
        return "\n".join([gone, *added, f"{_PROGRAM} refresh"])

    def install(self, packages: Sequence[str]) -> str:
        return f"{_PROGRAM} install --no-recommends {shlex.join(packages)}"

    def finish(self) -> str:
        return f"rm -f {_REPOSITORIES}/{_ALIAS}[0-9]*.repo\n{_PROGRAM} clean --all"
