"""Machines that never let anybody in: what was done to their image, and what they are taken for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from imagecycle.verify.pictures import Picture
from sabotages.table import Deed

CHECK = "boot.lets_the_injected_key_in"
"""Rejects all of them"""
GRUB = "boot/grub/grub.cfg"


@dataclass(frozen=True)
class Stall:
    """A change of a good image after which nobody can log in."""

    what: str
    deed: Deed
    picture: Picture
    """By which it is named"""
    firmware: str = "bios"
    long: bool = True
    """Whether it is only tried with all long tests"""

    @property
    def id(self) -> str:
        return f"{self.what} ({self.firmware})".replace(" ", "-")


def replace(root: Path, name: str, pattern: str, words: str) -> None:
    text = (root / name).read_text()
    changed, count = re.subn(pattern, words, text)
    assert count, f"{name} has no {pattern}"
    (root / name).write_text(changed)


def unit(root: Path, name: str, words: str, wanted_by: str) -> None:
    folder = root / "etc/systemd/system"
    (folder / name).write_text(words)
    (folder / f"{wanted_by}.wants").mkdir(exist_ok=True)
    (folder / f"{wanted_by}.wants" / name).symlink_to(f"/etc/systemd/system/{name}")


def loader_waits(root: Path) -> None:
    replace(root, GRUB, "set timeout=0", "set timeout=-1")


def no_contextualisation(root: Path) -> None:
    (root / "etc/cloud/cloud-init.disabled").touch()


def wrong_root(root: Path) -> None:
    replace(root, GRUB, "root=UUID=[0-9a-f]{4}", "root=UUID=dead")


def no_initial_ram_disk(root: Path) -> None:
    replace(root, GRUB, r"\n\s*initrd\s[^\n]*", "")


def no_loader_configuration(root: Path) -> None:
    (root / GRUB).unlink()


def missing_disk(root: Path) -> None:
    with (root / "etc/fstab").open("a") as stream:
        stream.write("UUID=11111111-2222-3333-4444-555555555555 /srv ext4 defaults 0 2\n")


def no_ssh_server(root: Path) -> None:
    (root / "etc/systemd/system/ssh.service").symlink_to("/dev/null")


def other_source(root: Path) -> None:
    (root / "etc/cloud/cloud.cfg.d/99-source.cfg").write_text("datasource_list: [ OpenStack ]\n")


def no_users(root: Path) -> None:
    replace(root, "etc/cloud/cloud.cfg", r"\n\s*- users-groups", "")


def unit_without_end(root: Path) -> None:
    words = """\
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sleep infinity
"""
    unit(root, "endless.service", words, "sysinit.target")


def emergency(root: Path) -> None:
    replace(root, GRUB, " ro console=", " ro systemd.unit=emergency.target console=")


def no_network(root: Path) -> None:
    (root / "etc/systemd/system/systemd-networkd.service").symlink_to("/dev/null")
    (root / "etc/systemd/system/systemd-networkd.socket").symlink_to("/dev/null")


def restarts(root: Path) -> None:
    words = """\
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/systemctl reboot --force --force
"""
    unit(root, "again.service", words, "sysinit.target")


STALLS = (
    Stall("a boot loader that waits", loader_waits, Picture.LOADER_WAITS),
    Stall("a boot loader that waits", loader_waits, Picture.LOADER_WAITS, "uefi"),
    Stall("contextualisation is switched off", no_contextualisation, Picture.NO_SSH),
    Stall("no initial RAM disk", no_initial_ram_disk, Picture.PANIC, long=False),
    Stall("no menu of the boot loader", no_loader_configuration, Picture.LOADER_LOST, long=False),
    Stall("a root that is not there", wrong_root, Picture.INITRAMFS),
    Stall("a disk that is not there", missing_disk, Picture.WAITS_FOR_UNIT),
    Stall("no SSH server", no_ssh_server, Picture.NO_SSH),
    Stall("contextualisation that asks another source", other_source, Picture.NOT_CONTEXTUALISED),
    Stall("contextualisation that makes no users", no_users, Picture.NOT_CONTEXTUALISED),
    Stall("a unit without end", unit_without_end, Picture.WAITS_FOR_UNIT),
    Stall("an emergency shell", emergency, Picture.EMERGENCY),
    Stall("no network", no_network, Picture.NO_NETWORK),
    Stall("a restart at every boot", restarts, Picture.RESTARTS),
)
