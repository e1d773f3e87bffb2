"""Which packages a system has."""

from __future__ import annotations

from imagecycle.build.offline import System

DPKG = "/var/lib/dpkg/status"


def installed(system: System) -> list[dict[str, str]]:
    """Name, version and architecture of every installed package, by name.

    Read from dpkg's status file (deb-control(5)); empty for systems that have none.
    """
    if not system.exists(DPKG):
        return []
    found = []
    for paragraph in system.read(DPKG).decode(errors="replace").split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status", "").endswith(" installed"):
            found.append(
                {
                    "name": fields["Package"],
                    "version": fields["Version"],
                    "architecture": fields["Architecture"],
                }
            )
    return sorted(found, key=lambda package: package["name"])
