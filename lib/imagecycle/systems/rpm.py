"""RPM's database, of Red Hat, SUSE and their relatives, read from a disk.

Its form has changed over the years: Berkeley DB up to Enterprise Linux 8, SQLite since, and a form
of its own at SUSE. This machine's ``rpm`` reads all of them from a copy of the database's files.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Package, PackageManager

FOLDERS = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
"""Where the database lies: today, and before"""
_FORMS = ("rpmdb.sqlite", "Packages.db", "Packages")
"""The file that tells that a database is there: SQLite, SUSE's own, Berkeley DB"""
_TIME_LIMIT = 120.0
_PACKAGE = r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\n"
_KEY = "gpg-pubkey"
"""What a key of a package source is called in the database"""


class Rpm(PackageManager):
    """What all that install with RPM have in common. See rpm(8), "QUERY OPTIONS"."""

    audit = "rpm --verify --all --nofiles --nodigest --nosignature"

    def installed(self, files: SystemFiles) -> list[Package]:
        lines = (line.split("\t") for line in query(files, _PACKAGE))
        return sorted(Package(*line) for line in lines if line[0] != _KEY)

    def owned(self, files: SystemFiles) -> set[str]:
        paths = set(query(files, r"[%{FILENAMES}\n]"))
        folders = {str(folder) for path in paths for folder in Path(path).parents}
        own = {path for folder in FOLDERS for path in files.glob(f"{folder}/*")}
        return paths | folders | own


def query(files: SystemFiles, form: str) -> list[str]:
    """The lines that rpm prints of a disk's database; none where there is no database.

    :param form: what to print of each package, as in rpm's ``--queryformat``.
    """
    with _copy(files) as database:
        if database is None:
            return []
        found = command.run(
            ["rpm", f"--dbpath={database}", "--query", "--all", f"--queryformat={form}"],
            timeout=_TIME_LIMIT,
            hint="Debian's package rpm reads the databases of other systems",
        )
        return found.stdout.splitlines()


@contextlib.contextmanager
def _copy(files: SystemFiles) -> Iterator[Path | None]:
    folder = next(
        (one for one in FOLDERS if any(files.exists(f"{one}/{name}") for name in _FORMS)), None
    )
    if folder is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="rpm-") as copy:
        for path in files.glob(f"{folder}/*"):
            name = Path(path).name
            if not name.startswith(("__db.", ".")):
                (Path(copy) / name).write_bytes(files.read(path))
        yield Path(copy)
