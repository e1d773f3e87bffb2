"""The stand-in's starts as processes of its own RAM disk, on a disk with partitions and NTFS.

What is not in it: the firmware, GRUB and the kernel; see ``test_windows_whole_way.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle import systems
from imagecycle.build import domain as domains
from imagecycle.build import windows_customise, windows_medium, windows_steps
from imagecycle.build.console import Console
from imagecycle.build.windows_customise import Running
from imagecycle.catalog import unattended
from imagecycle.machine import config_drive
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.winrm_guest import PORT, Account
from imagecycle.systems import windows, windows_media
from imagecycle.verify import course, ntfs, windows_way
from imagecycle.verify.cases import REBOOT, SNAPSHOT
from imagecycle.verify.windows_checks import test_lives
from imagecycle.verify.windows_checks.test_lives import Again
from imagecycle.verify.windows_fixtures import Said
from imagecycle.verify.windows_way import Address, WindowsAsking, unpacked
from integration.test_windows_phases import XML
from integration.windows_site import DISK, Operator, prepared
from standin.windows import boot_media

pytestmark = [pytest.mark.integration, pytest.mark.long]

KEY = "ssh-ed25519 AAAAours us"
_IN_IT = """\
mount -t proc proc {root}/proc && mount --rbind /sys {root}/sys
busybox chroot {root} /bin/busybox --install -s /bin
exec env -i PATH=/bin PYTHONPATH=/site HOME=/tmp DISK=/dev/{disk} busybox chroot {root} \
/bin/{python} -s -B -m standin.windows.contained {what}
"""


class Computer:
    """A RAM disk as a folder, and a disk."""

    def __init__(self, folder: Path) -> None:
        self.root, self.disk = folder / "root", folder / "disk.raw"
        self.console, self.disc = self.root / "tmp/console", self.root / "media/sr0"
        self.root.mkdir()
        boot_media.system().unpack(self.root)
        with self.disk.open("wb") as file:
            file.truncate(DISK * 2**30)
        argv = ["losetup", "--partscan", "--find", "--show", self.disk]
        self.loop = Path(subprocess.check_output(argv, text=True, timeout=30).strip())
        for name in ("null", "zero", "random", "urandom", "fuse"):
            self._node(Path("/dev") / name)
        self._node(self.loop)

    def _node(self, path: Path) -> None:
        about = path.stat()
        os.mknod(self.root / "dev" / path.name, about.st_mode, about.st_rdev)

    def insert(self) -> Path:
        """An empty disc in its drive."""
        shutil.rmtree(self.disc, ignore_errors=True)
        self.disc.mkdir(parents=True)
        self.console.unlink(missing_ok=True)
        return self.disc

    def start(self, what: str = "windows") -> str:
        """One start, to its end: ``reboot`` or ``poweroff``."""
        script = _IN_IT.format(
            root=self.root, disk=self.loop.name, python=boot_media.PYTHON.name, what=what
        )
        argv = [
            "unshare",
            "--mount",
            "--propagation=private",
            "--pid",
            "--fork",
            "sh",
            "-c",
            script,
        ]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
        assert "power: " in done.stdout, done.stdout + done.stderr
        return done.stdout.split()[-1]

    def run(self) -> None:
        """Starts until it powers off."""
        for _ in range(4):
            if self.start() == "poweroff":
                return


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[Computer]:
    made = Computer(tmp_path)
    yield made
    subprocess.run(["losetup", "--detach", made.loop], check=True, timeout=30)


def test_a_medium_becomes_a_sealed_disk_and_an_instance(computer: Computer, tmp_path: Path) -> None:
    operator = prepared(tmp_path / "site", firmware="bios")
    disc = computer.insert()
    install_from(disc, operator)
    assert computer.start("setup") == "reboot"
    assert [computer.start(), computer.start()] == ["reboot", "poweroff"]
    assert "installer: 5/5" in computer.console.read_text()

    record = customised(computer, operator)
    restarts = {one["name"]: one["restarts"] for one in record["steps"] if one["restarts"]}
    assert restarts == {"software: cloudbase-init": 1}
    qcow2 = tmp_path / "sealed.qcow2"
    argv = ["qemu-img", "convert", "-O", "qcow2", computer.disk, qcow2]
    subprocess.run(argv, check=True, timeout=60)
    assert list(ntfs.unclean(qcow2)) == []

    told = course.new_instance("instance", KEY, windows=True)
    first, fingerprint = life(computer, told)
    assert first["marker"] == told.marker and first["name"] == told.name.upper()
    later, _ = life(computer, told, fingerprint)
    lived(Again(REBOOT, told.name, first, later))
    new = course.new_instance("instance-new", KEY, windows=True)
    of_a_snapshot, _ = life(computer, new)
    lived(Again(SNAPSHOT, new.name, first, of_a_snapshot))


def life(computer: Computer, told: InstanceData, known: str = "") -> tuple[Said, str]:
    """What an instance tells of itself from a start to its power button, and its certificate.

    :param known: the fingerprint that the same instance has told in an earlier life.
    """
    disc = computer.insert()
    for name, content in config_drive.files(told):
        (disc / name).parent.mkdir(parents=True, exist_ok=True)
        (disc / name).write_bytes(content)
    pressed = computer.root / "tmp/power-button"
    pressed.unlink(missing_ok=True)
    machine = threading.Thread(target=computer.run, daemon=True)
    machine.start()
    fingerprint = known or reported(computer.console)
    address = Address("Administrator", told.admin_password, fingerprint, PORT)
    with address.guest() as guest:
        guest.wait(limit=60)
    asking = WindowsAsking(address, 60)
    while (said := asking.answered()) is None:
        time.sleep(0.1)
    pressed.touch()
    machine.join(30)
    assert not machine.is_alive()
    return Said("instance", unpacked(said)), fingerprint


def lived(again: Again) -> None:
    """What verification wants of a later life; all are of one boot of this kernel."""
    for check in (
        test_lives.test_keeps_name_and_identity,
        test_lives.test_does_not_repeat_user_data,
        test_lives.test_snapshot_is_a_new_instance,
        test_lives.test_services_that_should_run_do,
    ):
        check(again)


def install_from(disc: Path, operator: Operator) -> None:
    """What Oz's mended class puts on the medium."""
    family, site = operator.family, operator.site
    iso = site.home.parent / "media/windows.iso"
    windows_media.unpack(iso, disc)
    extras = windows_medium.extras(family, site, iso.as_uri(), disc)
    answers = {**systems.of(family).answers(family, site), **extras.answers}
    (disc / "autounattend.xml").write_text(unattended.render(family, **answers))


def customised(computer: Computer, operator: Operator) -> dict[str, Any]:
    """All that the build does in the installation, over its restart to its end."""
    family, site = operator.family, operator.site
    account = Account(windows.account(family), windows.password())
    disc = computer.insert()
    windows_steps.gather(family, site, disc)
    windows_medium.write_access(disc, account.user, account.password)
    connection = domains.connect("test:///default")
    domain = connection.createXML(XML, 0)
    domains.listen(connection, domain)

    def machine() -> None:
        try:
            computer.run()
        finally:
            domain.shutdown()

    threading.Thread(target=machine, daemon=True).start()
    console = Console(computer.console, systems.of(family).console)
    running = Running(connection, domain, console, addresses=lambda _: ["127.0.0.1"])
    steps = list(windows_steps.steps(family, site))
    return windows_customise.change_and_seal(running, account, steps)


def reported(console: Path) -> str:
    """The fingerprint of the certificate, as the console tells it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if console.exists() and (found := windows_way._REPORT.findall(console.read_text())):
            return str(found[-1][0])
        time.sleep(0.1)
    pytest.fail("the instance has not told its certificate")
