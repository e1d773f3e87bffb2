"""The database of dpkg on a disk; see dpkg(1), deb-control(5), dpkg-divert(1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Digests, Package

DATABASE = "/var/lib/dpkg"
STATUS = f"{DATABASE}/status"
_DIGITS = 32  # of an MD5 sum


def installed(files: SystemFiles) -> list[Package]:
    """The packages that are installed whole, by name."""
    found = [
        Package(fields["Package"], fields["Version"], fields["Architecture"])
        for fields in _status(files)
        if fields.get("Status", "").endswith(" installed")
    ]
    return sorted(found, key=lambda package: package.name)


def owned(files: SystemFiles) -> set[str]:
    """The paths that belong to a package, and those that dpkg itself keeps or makes for one."""
    found: set[str] = set()
    known: set[str] = set()
    for fields in _status(files):
        name = fields.get("Package", "")
        known |= {name, f"{name}:{fields.get('Architecture', '')}"}
        found |= {path for path, _ in _conffiles(fields)}
    for path in files.glob(f"{DATABASE}/info/*.*"):
        package, _, kind = PurePosixPath(path).name.rpartition(".")
        if package in known:
            found.add(path)
            if kind == "list":
                found.update(files.read(path).decode(errors="surrogateescape").splitlines())
    return found | {away for _, away in _diversions(files)} | set(_alternatives(files))


def brought(files: SystemFiles) -> set[str]:
    """What the packages that are installed have brought, but for settings and what is diverted."""
    found: set[str] = set()
    settings: set[str] = set()
    for fields in _status(files):
        if not fields.get("Status", "").endswith(" installed"):
            continue
        settings |= {path for path, _ in _conffiles(fields)}
        name = fields.get("Package", "")
        for list_ in (f"{name}.list", f"{name}:{fields.get('Architecture', '')}.list"):
            path = f"{DATABASE}/info/{list_}"
            if files.exists(path):
                found.update(files.read(path).decode(errors="surrogateescape").splitlines())
    return found - settings - {before for before, _ in _diversions(files)} - {"", "/."}


def unfinished(files: SystemFiles) -> dict[str, str]:
    """The packages that are neither installed whole nor removed, and their state."""
    states = {
        fields.get("Package", ""): fields.get("Status", "").rpartition(" ")[2]
        for fields in _status(files)
    }
    whole = ("installed", "config-files", "not-installed")
    return {name: state for name, state in states.items() if state not in whole}


def unmet(files: SystemFiles) -> list[tuple[str, str]]:
    """The packages that lack another one, and its name; versions are not compared."""
    whole = [one for one in _status(files) if one.get("Status", "").endswith(" installed")]
    there = {one.get("Package", "") for one in whole}
    there |= {name for one in whole for name in _named(one.get("Provides", ""))}
    return [
        (fields["Package"], " or ".join(_named(wanted.replace("|", ","))))
        for fields in whole
        for key in ("Pre-Depends", "Depends")
        for wanted in filter(None, fields.get(key, "").split(","))
        if not there & set(_named(wanted.replace("|", ",")))
    ]


def _named(words: str) -> list[str]:
    """The names of packages in a field, without versions and architectures."""
    parts = (part.split("(")[0].split("[")[0].strip() for part in words.split(","))
    return [part.partition(":")[0] for part in parts if part]


def bent(files: SystemFiles) -> list[tuple[str, str]]:
    """What an administrator has told dpkg about packages; see dpkg-divert(1), dpkg-statoverride(1)
    and dpkg(1), "--add-architecture"."""
    said = []
    path = f"{DATABASE}/diversions"
    lines = files.read(path).decode().splitlines() if files.exists(path) else []
    for before, away, package in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        if package == ":":
            said.append((path, f"moves {before} away to {away}"))
    native = {fields.get("Architecture", "") for fields in _status(files)}
    path = f"{DATABASE}/arch"
    for name in files.read(path).decode().split() if files.exists(path) else []:
        if name not in native:
            said.append((path, f"knows the architecture {name}, of which nothing is installed"))
    path = f"{DATABASE}/statoverride"
    users, groups = (_names(files, f"/etc/{name}") for name in ("passwd", "group"))
    for line in files.read(path).decode().splitlines() if files.exists(path) else []:
        user, group, *_ = [*line.split(), "", ""]
        if not (user in users or user.startswith("#")):
            said.append((path, f"names the user {user}, who is not there: dpkg refuses to work"))
        elif not (group in groups or group.startswith("#")):
            said.append((path, f"names the group {group}, which is not there"))
    return said


def _names(files: SystemFiles, path: str) -> set[str]:
    text = files.read(path).decode(errors="replace") if files.exists(path) else ""
    return {line.partition(":")[0] for line in text.splitlines()}


def held(files: SystemFiles) -> list[str]:
    """The packages that are not updated."""
    return [
        fields["Package"]
        for fields in _status(files)
        if fields.get("Status", "").startswith("hold ")
    ]


def digests(files: SystemFiles) -> Digests:
    """The MD5 sums that packages say their files have, settings included."""
    found: dict[str, str] = {}
    for path in files.glob(f"{DATABASE}/info/*.md5sums"):
        for line in files.read(path).decode(errors="surrogateescape").splitlines():
            found[f"/{line[_DIGITS:].strip()}"] = line[:_DIGITS]
    for fields in _status(files):
        found |= {path: digest for path, digest in _conffiles(fields) if len(digest) == _DIGITS}
    for before, away in _diversions(files):
        if before in found:
            found[away] = found.pop(before)
    return Digests("md5", found)


def _status(files: SystemFiles) -> Iterator[dict[str, str]]:
    """The fields of every package that dpkg knows, see deb-control(5) and dpkg's status file."""
    if not files.exists(STATUS):
        return
    for paragraph in files.read(STATUS).decode(errors="replace").split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            if line.startswith(" "):
                fields[key] += f"\n{line[1:]}"
            elif ":" in line:
                key, _, value = line.partition(":")
                fields[key] = value.strip()
        if fields:
            yield fields


def _conffiles(fields: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The settings of a package and their sums, but for those that it has no more."""
    for line in fields.get("Conffiles", "").split("\n"):
        path, _, rest = line.rpartition(" ") if line.endswith(" obsolete") else (line, "", "")
        if path:
            name, _, digest = path.rpartition(" ")
            yield name, "" if rest else digest


def _diversions(files: SystemFiles) -> Iterator[tuple[str, str]]:
    """The files of packages that were moved away, and where to."""
    path = f"{DATABASE}/diversions"
    lines = files.read(path).decode().splitlines() if files.exists(path) else []
    # the third line is the package that wants it so; its own file stays
    yield from zip(lines[::3], lines[1::3], strict=False)


def _alternatives(files: SystemFiles) -> Iterator[str]:
    """The links that update-alternatives(1) has made.

    An administrative file says: automatic or not; the link; then a name and a link for each of its
    slaves; an empty line; and for each choice its path, its priority and its slaves' paths.
    """
    for path in files.glob(f"{DATABASE}/alternatives/*"):
        head = files.read(path).decode(errors="surrogateescape").partition("\n\n")[0].split("\n")
        yield from (f"/etc/alternatives/{PurePosixPath(path).name}", *head[1:2])
        for name, link in zip(head[2::2], head[3::2], strict=False):
            yield from (f"/etc/alternatives/{name}", link)
