"""Real machines that will not come up are named, in little more time than a good one takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagecycle.verify.pictures import Picture
from imagecycle.verify.session import Outcome
from integration.boots import BuiltFamily, boot

pytestmark = [pytest.mark.integration, pytest.mark.machines]

GRUB = "boot/grub/grub.cfg"
SHARE = 1.5
"""Of the time that a good image takes to its login, in which a bad one has its verdict"""


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


def leave_alone(_root: Path) -> None:
    pass


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


@pytest.fixture(scope="module")
def good(built_family: BuiltFamily) -> Outcome:
    """The same release unchanged, in a machine like theirs."""
    outcome = boot(built_family, leave_alone)
    assert outcome.ready, outcome.reason
    return outcome


LONG = [pytest.mark.long]


@pytest.mark.parametrize(
    ("sabotage", "firmware", "expected"),
    [
        (loader_waits, "bios", Picture.LOADER_WAITS),
        pytest.param(loader_waits, "uefi", Picture.LOADER_WAITS, marks=LONG),
        (no_contextualisation, "bios", Picture.NO_NETWORK),
        (no_initial_ram_disk, "bios", Picture.PANIC),
        (no_loader_configuration, "bios", Picture.LOADER_LOST),
        pytest.param(wrong_root, "bios", Picture.INITRAMFS, marks=LONG),
        pytest.param(missing_disk, "bios", Picture.WAITS_FOR_UNIT, marks=LONG),
        pytest.param(no_ssh_server, "bios", Picture.NO_SSH, marks=LONG),
        pytest.param(other_source, "bios", Picture.NOT_CONTEXTUALISED, marks=LONG),
        pytest.param(no_users, "bios", Picture.NOT_CONTEXTUALISED, marks=LONG),
        pytest.param(unit_without_end, "bios", Picture.WAITS_FOR_UNIT, marks=LONG),
        pytest.param(emergency, "bios", Picture.EMERGENCY, marks=LONG),
        pytest.param(no_network, "bios", Picture.NO_NETWORK, marks=LONG),
        pytest.param(restarts, "bios", Picture.RESTARTS, marks=LONG),
    ],
)
def test_sabotaged_image_is_named_early(
    built_family: BuiltFamily, good: Outcome, sabotage: object, firmware: str, expected: Picture
) -> None:
    assert callable(sabotage)
    outcome = boot(built_family, sabotage, firmware)
    assert not outcome.ready
    assert outcome.picture == expected, outcome.reason
    assert outcome.evidence
    assert outcome.pace < SHARE * good.pace, f"{outcome.pace} s, a good one {good.pace} s"
