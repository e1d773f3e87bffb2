"""RPM, of Red Hat, SUSE and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imagecycle.model import Repository
from imagecycle.systems import openpgp, rpm_database, rpm_header, rpm_outlook
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import (
    Digests,
    Outlook,
    Package,
    PackageManager,
    Wanted,
)

_SUMS = (("sha256", 64), ("md5", 32))
"""What packages sum their files with, today and up to Enterprise Linux 5; digits of each"""
_KEYS = "/etc/pki/rpm-gpg"
_KEY = "gpg-pubkey"
"""What a key of a package source is called in the database"""


class Rpm(PackageManager):
    """What all that install with RPM have in common. See rpm(8)."""

    audit = "rpm --verify --all --nofiles --nodigest --nosignature"

    def installed(self, files: SystemFiles) -> list[Package]:
        found = [
            Package(header.text(rpm_header.NAME), header.version, header.text(rpm_header.ARCH))
            for header in rpm_database.headers(files)
        ]
        return sorted(package for package in found if package.name != _KEY)

    def owned(self, files: SystemFiles) -> set[str]:
        paths = {path for header in rpm_database.headers(files) for path in header.files()}
        folders = {str(folder) for path in paths for folder in Path(path).parents}
        own = {path for folder in rpm_database.FOLDERS for path in files.glob(f"{folder}/*")}
        return paths | folders | own

    def digests(self, files: SystemFiles) -> Digests:
        sums = {
            path: digest
            for header in rpm_database.headers(files)
            for path, digest in header.digests().items()
        }
        sizes = {len(digest) for digest in sums.values()}
        algorithm, size = next((one for one in _SUMS if one[1] in sizes), _SUMS[0])
        return Digests(algorithm, {path: one for path, one in sums.items() if len(one) == size})

    def unfit(self, suite: str, components: Sequence[str]) -> str:
        if suite or components:
            return f"{'suite' if suite else 'components'}: only sources of apt have it"
        return ""

    def key_file(self, repository: Repository) -> str:
        return f"{_KEYS}/{repository.name}.asc"

    def trust(self, repository: Repository) -> str:
        return f"rpm --import {self.key_file(repository)}"

    def distrust(self, repository: Repository) -> str:
        keys = openpgp.fingerprints(repository.key.read_bytes())
        # in the database a key is called by the last eight digits of its fingerprint
        return "\n".join(f"rpm --erase --allmatches {_KEY}-{key[-8:].lower()}" for key in keys)

    def outlook(self, wanted: Wanted, scratch: Path) -> Outlook:
        rpm_outlook.check(wanted.repositories)
        return Outlook()  # what packages there are, only the system's own sources tell
