"""The whole way of a Windows image without a machine: Setup, first logon, customisation, sysprep,
first start of an instance, verification.

What imagecycle makes and asks is real, and so are the media's contents, the copy of the image by
wimlib, and WinRM. The stand-in's starts follow one another in this process instead of on a machine;
``test_windows_whole_way.py`` has the machine.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import virtio_iso
import windows_families
import windows_media_made
from certificates import self_signed
from imagecycle import systems
from imagecycle.build import domain as domains
from imagecycle.build import windows_customise, windows_medium, windows_steps
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed
from imagecycle.build.windows_customise import Running
from imagecycle.catalog import unattended
from imagecycle.machine import config_drive
from imagecycle.machine.winrm_guest import Account
from imagecycle.model import Family, GuestFile
from imagecycle.site import Site
from imagecycle.systems import windows, windows_media, windows_script
from imagecycle.verify import checking, course, windows_declared
from imagecycle.verify.cases import INSTANCE, TWIN, Case
from imagecycle.verify.session import Ended, Outcome, Session, Subject
from imagecycle.verify.verdict import FAILED, NOT_RUN
from imagecycle.verify.windows_disk import WindowsDisk
from imagecycle.verify.windows_way import Address, WindowsAsking, WinrmWay
from sabotages import windows as sabotages
from standin.windows import boot_media, installed, setup
from standin.windows.inside import config_drive as drive_with_data
from standin.windows.inside import files, sha256
from standin.windows.installed import NAMED, SEALED, Windows
from standin.windows.instance import Instance
from standin.windows.setup import Drive, Machine, Question
from standin.windows.setup_commands import Commands
from standin.windows.winrm_server import WinRM

pytestmark = pytest.mark.integration

UEFI = Machine("uefi", "virtio", 40, 4096)
SECURE = Machine("uefi", "virtio", 64, 6144, secure_boot=True, tpm="2.0")
XML = """<domain type='test'><name>imagecycle-w-2</name><memory>8192</memory><os><type>hvm</type>
</os><devices><disk type='file' device='disk'><source file='/nowhere/disk'/>
<target dev='vda' bus='virtio'/></disk></devices></domain>"""
GIB = 2**30


@dataclass(frozen=True)
class Kind:
    """What is installed, and the machine that it demands."""

    slug: str
    images: tuple[boot_media.Image, ...]
    machine: Machine


SERVER = Kind("windows-2022-x86_64-server", boot_media.SERVER_2022, UEFI)
CLIENT = Kind("windows-11-x86_64-desktop", boot_media.CLIENT_11, SECURE)


@dataclass
class Port:
    """The first serial port."""

    path: Path

    def write(self, line: str) -> None:
        with self.path.open("a") as stream:
            stream.write(f"{line}\r\n")


class Computer:
    """One machine, whose drive C is a folder."""

    def __init__(self, folder: Path, family: Family, site: Site, machine: Machine) -> None:
        self.folder, self.family, self.site, self.machine = folder, family, site, machine
        self.drive, self.medium = folder / "c", folder / "medium"
        self.port = Port(folder / "console.log")
        self.registry: dict[str, dict[str, str]] = {}

    def make_medium(self, iso: Path) -> None:
        """What Oz puts on it: the vendor's files, the answer file, and what it calls."""
        windows_media.unpack(iso, self.medium)
        extras = windows_medium.extras(self.family, self.site, iso.as_uri(), self.medium)
        answers = systems.of(self.family).answers(self.family, self.site)
        text = unattended.render(self.family, **{**answers, **extras.answers})
        (self.medium / setup.ANSWERS).write_text(text)

    def commands(self, run_script: Any = lambda _: None) -> Commands:
        return Commands({"C": self.drive, "D": self.medium}, self.port.write, run_script)

    def install(self) -> None:
        """Setup, up to its first restart."""
        seen = [Drive("D", files(self.medium))]
        where = setup.found(seen)
        text = (self.medium / setup.ANSWERS).read_text() if where else None
        wim = self.medium / "sources/install.wim"
        plan = setup.plan(text, seen, self.machine, windows_media.offered(wim), self.commands())
        self.drive.mkdir()
        argv = ["wimapply", wim, str(plan.image.index), self.drive]
        subprocess.run(argv, check=True, timeout=60, capture_output=True)
        (self.drive / "Windows/Panther").mkdir(parents=True)
        (self.drive / "Windows/Panther/unattend.xml").write_text(plan.answers)
        installed.start(
            {
                "answers": plan.answers,
                "edition": plan.image.edition_id,
                "installation_type": plan.image.installation_type,
                "build": plan.image.build,
            },
            self.drive,
        )

    def start(self) -> Windows:
        windows = Windows.load(self.drive, self.port.write)
        windows.boots += 1
        windows.machine.guest.boots = windows.boots
        return windows

    def first_starts(self) -> None:
        """The passes *specialize* and *oobeSystem*, each in a start of its own."""
        windows = self.start()
        windows.specialize(self.commands().run)
        windows.save()
        windows = self.start()
        windows.first_logon(self.commands(windows.run_script).run)
        windows.save()

    def customise(self, *, fails: str = "") -> dict[str, Any]:
        """A start of the build, and all that imagecycle does in it.

        :param fails: what sysprep complains of.
        """
        password, payload = windows.password(), self.folder / "payload"
        account = Account(windows.account(self.family), password)
        windows_steps.gather(self.family, self.site, payload)
        windows_medium.write_access(payload, account.user, password)
        started = self.start()
        tls = self_signed(self.folder / "tls")
        pair = tuple(path.read_text() for path in tls)
        started.let_in(payload, pair, sha256(pair[0]))  # type: ignore[arg-type]
        started.machine.drive = "E:"
        for text in self.family.commands:
            started.machine.guest.scripts[windows_steps._DONE.format(text=text)] = _done
        connection = domains.connect("test:///default")
        domain = connection.createXML(XML, 0)
        domains.listen(connection, domain)

        def end() -> None:
            while not started.machine.sealing:
                time.sleep(0.02)
            if started.seal(text=(payload / "seal.ps1").read_text(), fails=fails):
                started.save()
                domain.shutdown()

        watcher = threading.Thread(target=end, daemon=True)
        watcher.start()
        try:
            guest = started.machine.guest
            with WinRM(guest, tls, user=account.user, password=password) as service:
                console = Console(self.port.path, systems.of(self.family).console)
                running = Running(
                    connection,
                    domain,
                    console,
                    addresses=lambda _: ["127.0.0.1"],
                    port=service.port,
                )
                steps = list(windows_steps.steps(self.family, self.site))
                return windows_customise.change_and_seal(running, account, steps)
        finally:
            started.machine.sealing = True
            watcher.join()
            if domains.runs(domain):
                domain.destroy()
            connection.close()
            assert started.machine.guest.complaints == []


def _done(_values: dict[str, str]) -> Any:
    from standin.windows.guest import said

    return said('{"restart": false, "said": "done"}\r\n')


def named(path: Path) -> dict[str, str]:
    return {"url": path.as_uri(), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture(scope="module", params=[SERVER], ids=["server"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """A server; tests may ask for another one."""
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def iso(tmp_path_factory: pytest.TempPathFactory, kind: Kind) -> Path:
    """A medium whose images can be applied."""
    folder = tmp_path_factory.mktemp("iso")
    tree = windows_media_made.tree(folder / "tree", windows_media_made.FULL)
    content = folder / "content"
    for name in ("Windows/System32/config", "Windows/Boot/standin", "Users/Public"):
        (content / name).mkdir(parents=True)
    wim = tree / "sources/install.wim"
    wim.unlink()
    for number, image in enumerate(kind.images):
        boot_media.write_registry(content, image)
        verb = "append" if number else "capture"
        argv = ["wimlib-imagex", verb, content, wim, image.name, *boot_media.described(image)]
        subprocess.run(argv, check=True, timeout=60, capture_output=True)
    return windows_media_made.iso(tree)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    msi = tmp_path / "cloudbase-init.msi"
    msi.write_bytes(b"an installer")
    settings = {"drivers": named(virtio_iso.make(tmp_path)), "cloudbase_init": named(msi)}
    return Site.model_validate({"home": tmp_path / "home", "windows": settings})


@pytest.fixture
def computer(tmp_path: Path, site: Site, iso: Path, kind: Kind) -> Computer:
    motd = GuestFile(r"C:\Data\motd.txt", "hello")
    family = windows_families.family(kind.slug, files=(motd,))
    made = Computer(tmp_path, family, site, kind.machine)
    made.make_medium(iso)
    return made


@pytest.fixture
def instances(computer: Computer) -> list[tuple[Subject, WinRM]]:
    """Two instances of what was sealed, contextualised; each listens in a ``with`` block."""
    computer.install()
    computer.first_starts()
    computer.customise()
    started = []
    for role in (INSTANCE, TWIN):
        told = course.new_instance(role, "ssh-ed25519 AAAAours us", windows=True)
        folder = computer.folder / role
        for name, content in config_drive.files(told):
            (folder / "drive" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "drive" / name).write_bytes(content)
        case = Case(role, "uefi", computer.family.properties, 2, brief=role == TWIN)
        subject = Subject(case, folder, told)
        windows = Windows.load(computer.drive, Port(subject.console).write)
        assert windows.phase == SEALED and not windows.password
        instance = Instance(windows, drive_with_data({"E": folder / "drive"}), mac=told.mac)
        instance.disk = (computer.machine.disk_gib + 2) * GIB
        instance.secure_boot, instance.tpm = computer.machine.secure_boot, computer.machine.tpm
        commands = Commands({}, windows.console, lambda _: None, instance.early)
        for line in setup.commands(windows.answers, "specialize"):
            commands.run(line)
        assert commands.restart
        windows.phase = NAMED
        tls = self_signed(folder / "tls")
        pair = (tls[0].read_text(), tls[1].read_text())
        instance.service(pair, sha256(pair[0]))
        guest = windows.machine.guest
        guest.hostname = windows.hostname
        guest.scripts[windows_script.text("account.ps1")] = instance.answer
        service = WinRM(guest, tls, user=windows.user, password=told.admin_password)
        started.append((subject, service))
    return started


@pytest.mark.parametrize("kind", [SERVER, CLIENT], ids=["server", "client"], indirect=True)
def test_an_iso_becomes_an_image_whose_instances_pass_every_check(
    computer: Computer, instances: list[tuple[Subject, WinRM]], tmp_path: Path
) -> None:
    console = computer.port.path.read_text()
    phases = [line for line in console.splitlines() if line.startswith("installer: ")]
    assert [line.split()[1] for line in phases] == ["1/5", "2/5", "3/5", "4/5", "5/5", "sealed"]
    assert (computer.drive / "Data/motd.txt").read_text().strip() == "hello"
    assert not (computer.drive / "ProgramData/imagecycle/build/access.ps1").exists()
    way = WinrmWay(tmp_path, computer.family.admin_user)
    subjects = tuple(subject for subject, _ in instances)
    for subject, service in instances:
        machine: Any = dataclasses.make_dataclass("Reached", ["console", "port", "name"])(
            subject.folder / "none.log", service.port, subject.role
        )
        with service, way.login(machine, subject.instance_data, "") as login:
            machine.console.write_text(subject.console.read_text())
            deadline = time.monotonic() + 20
            while not login.poll():
                assert time.monotonic() < deadline, login.so_far()
                time.sleep(0.02)
            asking = WindowsAsking(Address.read(tmp_path, subject.role), 60)
            while (told := asking.answered()) is None:
                time.sleep(0.02)
        subject.announce(Outcome(True, 300.0, pace=300.0))
        subject.tell(told)
        subject.finish(Ended(9.0, "guest-shutdown"))
    family = computer.family
    session = Session(
        folder=tmp_path,
        family=family.slug,
        flavour=family.flavour,
        distro=family.distro,
        admin_user=family.admin_user,
        disk=tmp_path / "none.qcow2",
        size=computer.machine.disk_gib * GIB,
        leave_out=(),
        added=(),
        explained=(),
        budgets=dataclasses.replace(family.budgets, memory_mib=1228, disk_mib=32768),
        boot_limit=5,
        power_off_limit=60,
        subjects=subjects,
        windows=windows_declared.of(family, ""),
    )
    with checking.running(tmp_path, session.write(), None, "windows") as checks:
        deadline = time.monotonic() + 60
        while not checks.done():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found = checks.results()
    wrong = {
        one.id: one.message
        for one in found
        if one.outcome in (FAILED, NOT_RUN) and not one.id.startswith("sealed_disk.")
    }
    assert wrong == {}
    assert len(found) > 60


def test_the_build_tells_what_it_did_and_no_password_stays(computer: Computer) -> None:
    computer.install()
    computer.first_starts()
    record = computer.customise()
    assert record["steps"][0]["name"] == "software: guest agent"
    assert record["patchlevel"] == "20348.2700"
    kept = json.loads((computer.drive / installed.STATE).read_text())
    assert kept["password"] == "" and kept["certificate"] == ["", ""]
    secret = setup.value(
        setup.passes((computer.medium / setup.ANSWERS).read_text(), "oobeSystem")[
            "Microsoft-Windows-Shell-Setup"
        ],
        "AutoLogon/Password/Value",
    )
    assert secret and secret not in computer.port.path.read_text() + json.dumps(kept)


class Folder:
    """The files of a drive that is a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        place = self._root / folder
        return [one.name for one in place.iterdir()] if place.is_dir() else []

    def read(self, path: str) -> bytes:
        return (self._root / path).read_bytes()


def rejected(computer: Computer) -> dict[str, str]:
    """What the checks of the disk say of the drive."""
    known = {
        "sealed": WindowsDisk(Folder(computer.drive), computer.folder),
        "declared": windows_declared.of(computer.family, ""),
    }
    found = {}
    for name, check in sabotages.checks().items():
        if name.startswith("sealed_disk."):
            try:
                check(**{word: known[word] for word in inspect.signature(check).parameters})
            except AssertionError as error:
                found[name] = str(error)
    return found


def test_what_was_sealed_passes_the_checks_before_any_boot(computer: Computer) -> None:
    computer.install()
    computer.first_starts()
    before = rejected(computer)
    assert {"sealed_disk.is_sealed", "sealed_disk.answer_files_hold_no_secret"} <= set(before)
    computer.customise()
    assert rejected(computer) == {}


def test_a_sysprep_that_fails_ends_the_build_with_the_reason(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer.install()
    computer.first_starts()
    words = "Package A.B_1 was installed for a user, but not provisioned for all users."
    with pytest.raises(InstallationFailed, match=r"the app A\.B_1 is installed for a user"):
        computer.customise(fails=words)


def test_drivers_of_another_release_leave_setup_without_a_disk(computer: Computer) -> None:
    for path in (computer.medium / "imagecycle/drivers/viostor").iterdir():
        path.unlink()
    with pytest.raises(Question, match="couldn't find any drives"):
        computer.install()
