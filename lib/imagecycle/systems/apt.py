"""APT and dpkg, of Debian and its relatives."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Package, PackageManager

DATABASE = "/var/lib/dpkg"
STATUS = f"{DATABASE}/status"
_SOURCES = "/etc/apt/sources.list.d/build.list"
_OPTIONS_FILE = "/etc/apt/apt.conf.d/00build"
_OPTIONS = (
    "DPkg::Options { --force-unsafe-io; }; APT::Install-Recommends no; "
    # an index in this form is larger, and unpacked in a fraction of the time under emulation
    'Acquire::CompressionTypes::Order:: "gz";'
)


class Apt(PackageManager):
    """See apt-get(8), apt.conf(5), deb-control(5)."""

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
        found = [
            Package(fields["Package"], fields["Version"], fields["Architecture"])
            for fields in _status(files)
            if fields.get("Status", "").endswith(" installed")
        ]
        return sorted(found, key=lambda package: package.name)

    def owned(self, files: SystemFiles) -> set[str]:
        found: set[str] = set()
        known = set()
        for fields in _status(files):
            name = fields.get("Package", "")
            known |= {name, f"{name}:{fields.get('Architecture', '')}"}
            found |= {line.split()[0] for line in fields.get("Conffiles", "").split("\n") if line}
        for path in files.glob(f"{DATABASE}/info/*.*"):
            package, _, kind = PurePosixPath(path).name.rpartition(".")
            if package in known:
                found.add(path)
                if kind == "list":
                    found.update(files.read(path).decode(errors="surrogateescape").splitlines())
        return found | set(_diverted(files)) | set(_alternatives(files))

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


def _diverted(files: SystemFiles) -> Iterator[str]:
    """Where dpkg-divert(1) has moved files of packages to."""
    path = f"{DATABASE}/diversions"
    lines = files.read(path).decode().splitlines() if files.exists(path) else []
    yield from lines[1::3]


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
