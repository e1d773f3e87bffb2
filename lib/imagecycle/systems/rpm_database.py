"""RPM's database on a disk: the headers of the packages that are installed.

Its form has changed over the years. Berkeley DB, of Enterprise Linux up to 8, is read by this
machine's ``rpmdb``; SQLite, since, and NDB, of SUSE, here: no build of RPM in Debian reads NDB. Its
form: a page of slots, each with the place of a package's header in blocks of 16 bytes
(rpm's ``lib/backend/ndb/rpmpkg.c``).
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from imagecycle import command
from imagecycle.errors import ImagecycleError
from imagecycle.systems import rpm_header
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.rpm_header import Header

FOLDERS = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
"""Where the database lies: today, and before"""
SQLITE, NDB, BERKELEY = "rpmdb.sqlite", "Packages.db", "Packages"
_TIME_LIMIT = 120.0

_EXPORT = 'exec rpmdb --dbpath="$1" --define "_db_backend bdb_ro" --exportdb >"$2"'
_NDB_MAGIC = b"RpmP"
_SLOT_MAGIC, _BLOB_MAGIC = b"Slot", b"BlbS"
_PAGE, _BLOCK = 4096, 16
_SLOT = struct.Struct("<4sIII")  # magic, number of the package, first block, blocks
_BLOB = struct.Struct("<4sIII")  # magic, number of the package, generation, length


def headers(files: SystemFiles) -> list[Header]:
    """The headers of all packages; none where there is no database.

    :raises ImagecycleError: when there is one, and it is damaged.
    """
    for folder in FOLDERS:
        for name, read in ((SQLITE, _sqlite), (NDB, _ndb), (BERKELEY, _berkeley)):
            if files.exists(f"{folder}/{name}"):
                try:
                    return list(read(files, folder))
                except (ValueError, struct.error, sqlite3.Error) as error:
                    raise ImagecycleError(
                        f"the package list {folder}/{name} cannot be read: {error}",
                        hint="the disk's system is damaged; build it again",
                    ) from None
    return []


def _sqlite(files: SystemFiles, folder: str) -> Iterator[Header]:
    with tempfile.TemporaryDirectory(prefix="rpm-") as scratch:
        copy = Path(scratch)
        for name in (SQLITE, f"{SQLITE}-wal"):
            if files.exists(f"{folder}/{name}"):
                (copy / name).write_bytes(files.read(f"{folder}/{name}"))
        connection = sqlite3.connect(copy / SQLITE)
        try:
            for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
                yield rpm_header.parse(blob)
        finally:
            connection.close()


def _ndb(files: SystemFiles, folder: str) -> Iterator[Header]:
    content = files.read(f"{folder}/{NDB}")
    if not content.startswith(_NDB_MAGIC):
        raise ValueError("it is no package list of this form")
    (pages,) = struct.unpack_from("<I", content, 12)
    for position in range(2 * _SLOT.size, pages * _PAGE, _SLOT.size):
        magic, package, block, _ = _SLOT.unpack_from(content, position)
        if magic != _SLOT_MAGIC or not block:
            continue
        start = block * _BLOCK
        magic, owner, _, length = _BLOB.unpack_from(content, start)
        if magic != _BLOB_MAGIC or owner != package:
            raise ValueError(f"package {package} is not where its slot says")
        yield rpm_header.parse(content[start + _BLOB.size : start + _BLOB.size + length])


def _berkeley(files: SystemFiles, folder: str) -> Iterator[Header]:
    with tempfile.TemporaryDirectory(prefix="rpm-") as scratch:
        (Path(scratch) / BERKELEY).write_bytes(files.read(f"{folder}/{BERKELEY}"))
        export = Path(scratch) / "headers"
        command.run(
            ["sh", "-c", _EXPORT, "sh", scratch, export],
            timeout=_TIME_LIMIT,
            hint="Debian's package rpm reads the package lists of older systems",
        )
        yield from rpm_header.stream(export.read_bytes())
