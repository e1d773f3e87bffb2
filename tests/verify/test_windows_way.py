"""Getting into an instance of Windows: the certificate from its console, then its password."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certificates import self_signed
from imagecycle.machine import screen_watch
from imagecycle.machine.config_drive import InstanceData, files
from imagecycle.systems import windows_script
from imagecycle.verify import course, windows_way
from imagecycle.verify.pictures import Picture
from imagecycle.verify.stalls import Situation, Stall
from imagecycle.verify.windows_observer import WindowsJudge
from imagecycle.verify.windows_way import Address, WindowsLogin, WinrmWay
from standin.windows.guest import Guest, unreadable
from standin.windows.winrm_server import WinRM

PASSWORD = "Aa1-of instance"
FIRMWARE = "BdsDxe: starting Boot0002\r\n\x1b[0m\x1b[37m\x1b[40m"
"""As UEFI and GRUB end what they write to a serial console"""


@dataclass
class Machine:
    """What a login looks at."""

    console: Path
    port: int
    name: str = "instance"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WinRM]:
    with WinRM(Guest(), self_signed(tmp_path), password=PASSWORD) as running:
        yield running


@pytest.fixture
def machine(service: WinRM, tmp_path: Path) -> Any:
    return Machine(tmp_path / "console.log", service.port)


def told(password: str = PASSWORD) -> InstanceData:
    return InstanceData(name="v", public_key="k", mac="m", admin_password=password)


def polled(login: WindowsLogin, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if login.poll() or login.refused:
            break
        time.sleep(0.02)
    return login.poll()


def report(machine: Machine, fingerprint: str) -> None:
    machine.console.write_text(f"noise\r\nimagecycle: winrm sha256 {fingerprint.upper()}\r\n")


def test_who_is_let_in_leaves_the_address_for_the_checks_and_takes_it_away(
    machine: Any, service: WinRM, tmp_path: Path
) -> None:
    way = WinrmWay(tmp_path, "Administrator")
    with way.login(machine, told(), "") as login:
        assert not login.poll() and login.answered is None
        report(machine, service.fingerprint)
        assert polled(login) and login.answered is not None
        kept = tmp_path / "winrm-instance.json"
        assert kept.stat().st_mode & 0o077 == 0
        with Address.read(tmp_path, "instance").guest() as guest:
            assert guest.cmd("hostname", limit=10).returncode == 0
        assert PASSWORD not in repr(Address.read(tmp_path, "instance"))
    assert not kept.exists()


def test_a_wrong_password_is_said_so(machine: Any, service: WinRM, tmp_path: Path) -> None:
    report(machine, service.fingerprint)
    machine.console.write_text("")
    login = WindowsLogin(machine, tmp_path, "Administrator", "another")
    report(machine, service.fingerprint)
    assert not polled(login)
    assert login.so_far() == "WinRM answers, but refuses the injected password of Administrator"


def test_another_certificate_gets_no_password(machine: Any, service: WinRM, tmp_path: Path) -> None:
    login = WindowsLogin(machine, tmp_path, "Administrator", PASSWORD)
    report(machine, "ab" * 32)
    assert not polled(login, 2)
    assert "fingerprint" in login.so_far() or "not the one" in login.so_far()
    assert service.logins == 0


def test_a_console_that_says_nothing_means_that_user_data_was_not_run(
    machine: Any, tmp_path: Path
) -> None:
    login = WindowsLogin(machine, tmp_path, "Administrator", PASSWORD)
    assert not login.poll() and "user data was not run" in login.so_far()
    machine.console.write_text("imagecycle: winrm has no listener\r\n")
    assert not polled(login, 1.5) and "no listener for HTTPS" in login.so_far()


def test_what_the_console_said_before_a_restart_does_not_count(
    machine: Any, service: WinRM, tmp_path: Path
) -> None:
    report(machine, service.fingerprint)
    login = WindowsLogin(machine, tmp_path, "Administrator", PASSWORD)
    assert not polled(login, 0.3)


def test_what_the_firmware_leaves_on_the_line_is_no_part_of_the_report(
    machine: Any, service: WinRM, tmp_path: Path
) -> None:
    login = WindowsLogin(machine, tmp_path, "Administrator", PASSWORD)
    line = f"imagecycle: winrm sha256 {service.fingerprint.upper()}"
    machine.console.write_text(f"{FIRMWARE}{line}\r\n")
    assert polled(login)


def test_an_instance_that_has_restarted_must_have_the_certificate_it_had(
    machine: Any, service: WinRM, tmp_path: Path
) -> None:
    way, instance = WinrmWay(tmp_path, "Administrator"), told()
    for again in (False, True):
        with way.login(machine, instance, "") as login:
            if not again:
                report(machine, service.fingerprint)
            assert polled(login)
    with way.login(machine, told(), "") as login:
        assert not polled(login, 0.3), "another instance has a certificate of its own"


def test_an_instance_gets_a_password_and_powershell_as_user_data() -> None:
    data = course.new_instance("instance", "ssh-ed25519 AAAA us", windows=True)
    assert len(data.name) <= 15
    by_name = dict(files(data))
    assert data.admin_password.encode() in by_name["openstack/latest/meta_data.json"]
    user_data = by_name["openstack/latest/user_data"].decode()
    first, _, script = user_data.partition("\r\n")
    assert first == "#ps1_sysnative" and data.marker in script
    assert unreadable(script.replace("\r\n", "\n")) == ""
    linux = course.new_instance("instance", "ssh-ed25519 AAAA us")
    assert b"admin_pass" not in dict(files(linux))["openstack/latest/meta_data.json"]


def test_what_writes_to_the_console_later_can_be_read_as_well() -> None:
    script = windows_script.text("report-in.ps1")
    (later,) = re.findall(r"@'\n(.*?)\n'@", script, re.DOTALL)
    assert unreadable(later) == "" and later.count("LINE") == 1 and "WriteLine" in later


def test_secrets_do_not_show() -> None:
    assert PASSWORD not in repr(told())
    assert windows_way.Address("a", PASSWORD, "f", 1).password not in repr(
        windows_way.Address("a", PASSWORD, "f", 1)
    )


@dataclass
class Shown:
    """A machine whose screen shows a picture."""

    folder: Path
    picture: bytes = b"P6\n2 1\n255\nabcdef"

    @property
    def monitor(self) -> Any:
        return self

    def execute(self, command: str, *, filename: str) -> None:
        assert command == "screendump"
        Path(filename).write_bytes(self.picture)


def test_a_question_on_the_screen_is_the_reason_and_a_screen_that_moves_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    words = ["Getting ready"]
    monkeypatch.setattr(screen_watch.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(screen_watch.screen_words, "read", lambda _: words[0])
    shown: Any = Shown(tmp_path)
    judge = WindowsJudge(shown)
    situation = Situation(system=True, handed_over=True, still=500.0, busy=0.0)

    def judged(seconds: int) -> Stall | None:
        for _ in range(seconds):
            now[0] += 1
            if stall := judge(situation):
                return stall
        return None

    assert judged(200) is None  # still for long, and says nothing of the kind
    shown.picture, words[0] = b"P6\n90 1\n255\n" + bytes(270), "Let's connect you to a network"
    stall = judged(60)
    assert stall is not None and stall.picture is Picture.ON_SCREEN
    assert stall.meaning.startswith("asks for a network: the first start wants the internet")


def test_what_the_firmware_finds_missing_is_named_at_once(tmp_path: Path) -> None:
    machine: Any = Shown(tmp_path)
    words = "BdsDxe: No bootable option or device was found."
    situation = Situation(system=False, handed_over=False, still=0.0, busy=1.0, firmware=words)
    stall = WindowsJudge(machine)(situation)
    assert stall is not None and stall.picture is Picture.NO_BOOTABLE_DISK


def test_a_machine_that_restarts_is_told_so(
    service: WinRM, machine: Machine, tmp_path: Path
) -> None:
    Address("Administrator", PASSWORD, service.fingerprint, machine.port).write(
        tmp_path, machine.name
    )
    with WinrmWay(tmp_path, "Administrator").restarting(machine.name):
        deadline = time.monotonic() + 10
        while service.guest.boots < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_nobody_waits_for_a_machine_that_goes_away_while_it_is_told_to_restart(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        Address("Administrator", PASSWORD, "0" * 64, port).write(tmp_path, "instance")
        begun = time.monotonic()
        with WinrmWay(tmp_path, "Administrator").restarting("instance"):
            assert time.monotonic() - begun < 1
