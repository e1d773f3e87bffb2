"""What the first boot has left on the disk lets the server boot again, and is its own."""

import re
from collections.abc import Iterator

from imagecycle.systems.files import FILE, LINK
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

IDENTIFIER = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    rb"|(?<![0-9a-f])[0-9a-f]{32,}(?![0-9a-f])",
    re.IGNORECASE,
)
"""As a UUID, or in hexadecimal"""
KEY = re.compile(rb"(?<![\w+/])[A-Za-z0-9+/]{43,}={0,2}(?![\w+/=])")
"""In base64"""
OF_THE_RUN = (
    *("/var/log/", "/var/cache/", "/var/lib/cloud/", "/etc/shadow", "/etc/gshadow"),
    *("/var/lib/dpkg/", "/var/lib/rpm/", "/usr/lib/sysimage/"),
)
"""Where both machines have what they were told alike, or what is no identity"""
OF_THE_DISK = ("/etc/fstab", "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
"""What names file systems, which all servers share"""
LARGEST = 2**20
BOOT = ("/boot/",)
SWITCHED = re.compile(r"/etc/systemd/system/[^/]+\.(wants|requires)/")
SWITCHED_OFF = "/etc/cloud/cloud-init.disabled"
HOST_KEYS = "/etc/ssh/ssh_host_*_key"


def test_makes_nothing_that_servers_share(
    pristine: Pristine, used: Pristine, twin_used: Pristine, defects: Defects
) -> None:
    """Two servers have one identity for storage, licences, management or the network."""
    assert defects(_shared(pristine, used, twin_used)) == []


def _shared(pristine: Pristine, used: Pristine, twin: Pristine) -> Iterator[Finding]:
    known = {word for path in OF_THE_DISK for word in _identifiers(pristine.read(path))}
    for path, entry in used.entries.items():
        if (
            entry.kind != FILE
            or not path.startswith(("/etc/", "/var/"))
            or path.startswith(OF_THE_RUN)
            or not 0 < entry.size <= LARGEST
        ):
            continue
        content = used.files.read(path)
        if pristine.read(path) == content or not twin.files.exists(path):
            continue
        other = twin.files.read(path)
        shared = _identifiers(content) & _identifiers(other) - known
        if content == other:
            shared |= {match[0] for match in KEY.finditer(content)}
        if shared:
            yield Finding(path, f"both machines have {min(shared).decode()[:16]}...")


def _identifiers(content: bytes) -> set[bytes]:
    return {match[0] for match in IDENTIFIER.finditer(content)}


def test_takes_nothing_away(pristine: Pristine, used: Pristine, defects: Defects) -> None:
    """A server works until its first reboot, and never again: what it needs is gone."""
    assert defects(_gone(pristine, used)) == []


def _gone(pristine: Pristine, used: Pristine) -> Iterator[Finding]:
    for path, entry in pristine.entries.items():
        if entry.kind not in (FILE, LINK) or path in used.entries:
            continue
        if path in pristine.owned or path.startswith(BOOT) or SWITCHED.match(path):
            yield Finding(path, "was taken away")


def test_changes_no_boot_files(pristine: Pristine, used: Pristine, defects: Defects) -> None:
    """The second boot is another one than the first, which was the one that anybody looked at."""
    changed = (
        Finding(path, "was changed")
        for path, entry in used.entries.items()
        if path.startswith(BOOT)
        and entry.kind == FILE
        and not path.endswith("/grubenv")
        and (path not in pristine.entries or pristine.files.read(path) != used.files.read(path))
    )
    assert defects(changed) == []


def test_leaves_contextualisation_on(pristine: Pristine, used: Pristine, defects: Defects) -> None:
    """A server made from a snapshot gets neither name nor keys of its own."""
    there = SWITCHED_OFF in used.entries and SWITCHED_OFF not in pristine.entries
    assert defects([Finding(SWITCHED_OFF, "was made by the first boot")] * there) == []


def test_keeps_its_host_keys(used: Pristine) -> None:
    """After a reboot clients refuse the server's changed host keys."""
    assert used.filled(HOST_KEYS), "the host keys are not on the disk"
