"""What a first boot leaves behind, on small systems in folders."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.build.offline import MountedSystem
from imagecycle.verify.checks import test_first_boot as checks
from imagecycle.verify.findings import Defects
from imagecycle.verify.pristine import Pristine
from sabotages import told

UUID = "6f5902ac-237d-4c1e-9a0b-1d2e3f405162"
DISK = "43e0f493-4002-46db-ba51-dc375ee5dbe2"
DEFECTS = Defects("first_boot.x", frozenset(), ())
WANTED = "/etc/systemd/system/multi-user.target.wants/ssh.service"
IMAGE = {
    "/etc/fstab": f"UUID={DISK} / ext4\n",
    "/etc/app.conf": "a=1\n",
    "/boot/vmlinuz-6": "kernel",
    "/boot/grub/grub.cfg": f"root={DISK}\n",
    "/boot/grub/grubenv": "#\n",
    "/usr/bin/app": "program",
    WANTED: "unit",
    "/var/lib/dpkg/info/app.list": "/usr\n/usr/bin\n/usr/bin/app\n/etc\n/etc/app.conf\n",
    "/var/lib/dpkg/status": "Package: app\nStatus: install ok installed\nVersion: 1\n\n",
}


class Disks:
    """The disk of a release, and those of two machines after their first boot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("pristine", "used", "twin"):
            for path, words in IMAGE.items():
                self.put(name, path, words)
        for name in ("used", "twin"):
            self.put(name, "/etc/ssh/ssh_host_rsa_key", f"key of {name}")
            self.put(name, "/etc/machine-id", {"used": "a", "twin": "b"}[name] * 32)

    def put(self, name: str, path: str, words: str) -> None:
        place = self.folder / name / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(words)

    def gone(self, name: str, path: str) -> None:
        (self.folder / name / path[1:]).unlink()

    def __getitem__(self, name: str) -> Pristine:
        root = MountedSystem(self.folder / name)
        return Pristine(root, systems.linux("debian"), self.folder / "disk.raw")


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


def said(check: Callable[..., None], *args: object) -> str:
    """What a check that fails says; nothing where it does not."""
    try:
        check(*args)
    except AssertionError as error:
        return str(error)
    return ""


def shared(disks: Disks) -> str:
    check = checks.test_makes_nothing_that_servers_share
    return said(check, disks["pristine"], disks["used"], disks["twin"], DEFECTS)


def test_machines_of_a_good_image_share_nothing(disks: Disks) -> None:
    for name in ("used", "twin"):
        disks.put(name, "/etc/hostname", name)
        disks.put(name, "/etc/app.conf", f"disk={DISK}\n")
        disks.put(name, "/etc/network.conf", "dhcp=yes\n")
        disks.put(name, "/var/log/boot.log", UUID)
    assert shared(disks) == ""
    assert said(checks.test_takes_nothing_away, disks["pristine"], disks["used"], DEFECTS) == ""
    assert said(checks.test_changes_no_boot_files, disks["pristine"], disks["used"], DEFECTS) == ""
    assert said(checks.test_keeps_its_host_keys, disks["used"]) == ""


@pytest.mark.parametrize(
    "words", [f"id: {UUID}\n", "token=" + "0a" * 20, "key: " + "Ab3/" * 12 + "\n"]
)
def test_identity_that_both_make_alike_is_found(disks: Disks, words: str) -> None:
    for name in ("used", "twin"):
        disks.put(name, "/var/lib/agent/id", words)
    assert "/var/lib/agent/id" in shared(disks)


def test_identity_within_what_differs_is_found(disks: Disks) -> None:
    for name in ("used", "twin"):
        disks.put(name, "/etc/app.conf", f"name={name}\nid={UUID}\n")
    assert "/etc/app.conf" in shared(disks)


def test_head_that_all_keys_have_is_no_identity(disks: Disks) -> None:
    for name in ("used", "twin"):
        disks.put(name, "/etc/ssh/ssh_host_rsa_key", "Ab3/" * 12 + f"\n{name}\n")
    assert shared(disks) == ""


@pytest.mark.parametrize("path", ["/usr/bin/app", "/boot/vmlinuz-6", WANTED, "/etc/app.conf"])
def test_what_the_first_boot_takes_away_is_found(disks: Disks, path: str) -> None:
    disks.gone("used", path)
    found = said(checks.test_takes_nothing_away, disks["pristine"], disks["used"], DEFECTS)
    assert path in found


@pytest.mark.parametrize("path", ["/boot/vmlinuz-6", "/boot/grub/grub.cfg", "/boot/new"])
def test_changed_boot_file_is_found(disks: Disks, path: str) -> None:
    disks.put("used", path, "other")
    check = checks.test_changes_no_boot_files
    assert path in said(check, disks["pristine"], disks["used"], DEFECTS)


def test_contextualisation_that_switches_itself_off_is_found(disks: Disks) -> None:
    check = checks.test_leaves_contextualisation_on
    assert said(check, disks["pristine"], disks["used"], DEFECTS) == ""
    disks.put("used", checks.SWITCHED_OFF, "")
    assert checks.SWITCHED_OFF in said(check, disks["pristine"], disks["used"], DEFECTS)


def test_lost_host_keys_are_found(disks: Disks) -> None:
    disks.gone("used", "/etc/ssh/ssh_host_rsa_key")
    assert "not on the disk" in said(checks.test_keeps_its_host_keys, disks["used"])


DEEDS: dict[str, Callable[[Disks], None]] = {
    "makes_nothing_that_servers_share": lambda disks: [
        disks.put(name, "/var/lib/agent/id", UUID) for name in ("used", "twin")
    ],
    "takes_nothing_away": lambda disks: disks.gone("used", "/usr/bin/app"),
    "changes_no_boot_files": lambda disks: disks.put("used", "/boot/grub/grub.cfg", "other"),
    "leaves_contextualisation_on": lambda disks: disks.put("used", checks.SWITCHED_OFF, ""),
    "keeps_its_host_keys": lambda disks: disks.gone("used", "/etc/ssh/ssh_host_rsa_key"),
}


@pytest.mark.parametrize("name", DEEDS)
def test_each_defect_is_seen_by_its_check_alone(disks: Disks, name: str) -> None:
    DEEDS[name](disks)
    given = {
        "pristine": disks["pristine"],
        "used": disks["used"],
        "twin_used": disks["twin"],
        "defects": DEFECTS,
    }
    rejects = {
        one
        for one in DEEDS
        if said(
            check := getattr(checks, f"test_{one}"),
            *(given[need] for need in inspect.signature(check).parameters),
        )
    }
    assert rejects == {name}


def test_no_check_is_forgotten() -> None:
    assert {f"first_boot.{name}" for name in DEEDS} == told.LEFT.keys()
