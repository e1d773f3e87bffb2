"""Access to a Windows guest, against the stand-in for its WinRM service."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import self_signed
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine.winrm_errors import (
    ConnectionLost,
    GuestBusy,
    GuestRefused,
    GuestUnreachable,
    ShellGone,
    TimeLimit,
    WrongCertificate,
)
from imagecycle.machine.winrm_guest import Account, WindowsGuest
from imagecycle.machine.winrm_script import quoted
from imagecycle.machine.winrm_trust import Authority, Fingerprint
from standin.windows.guest import Answer, Guest, failed, said
from standin.windows.winrm_server import WinRM
from standin.windows.wsman import Fault

USER, PASSWORD = "Administrator", "correct horse"
QUOTA = Fault(2150859174, "Receiver", "QuotaLimit", "maximum number of concurrent operations")


@pytest.fixture
def machine() -> Iterator[Guest]:
    guest = Guest()
    yield guest
    assert guest.complaints == []


@pytest.fixture
def service(machine: Guest, tmp_path: Path) -> Iterator[WinRM]:
    with WinRM(machine, self_signed(tmp_path)) as running:
        yield running


def reach(service: WinRM, *, method: str = "ntlm", password: str = PASSWORD) -> WindowsGuest:
    account = Account(USER, password, method)  # type: ignore[arg-type]
    trust = Fingerprint.parse(service.fingerprint)
    return WindowsGuest("127.0.0.1", account, trust, port=service.port, patience=1)


@pytest.mark.parametrize("method", ["ntlm", "basic"])
def test_a_command_and_a_script_answer_with_output_and_status(
    service: WinRM, machine: Guest, method: str
) -> None:
    machine.scripts["Get-Content -Path 'C:\\a'"] = lambda _: said("Grüße\r\nこんにちは\r\n", 3)
    with reach(service, method=method) as guest:
        assert guest.cmd("hostname", limit=10).stdout == "WIN-STANDIN\n"
        done = guest.powershell("Get-Content -Path 'C:\\a'", limit=10)
    assert (done.stdout, done.returncode) == ("Grüße\nこんにちは\n", 3)
    assert service.shells.open == {}  # nothing is left behind


def test_all_commands_share_one_shell_and_with_ntlm_one_login(service: WinRM) -> None:
    with reach(service) as guest:
        for _ in range(5):
            guest.cmd("ver", limit=10)
    assert service.shells.seen.count("Create") == 1
    assert service.logins == 1


def test_a_login_is_bound_to_its_connection(machine: Guest, tmp_path: Path) -> None:
    with WinRM(machine, self_signed(tmp_path), bound=True) as service, reach(service) as guest:
        assert guest.cmd("hostname", limit=10).returncode == 0


def test_another_certificate_is_refused_before_anything_is_said(
    machine: Guest, tmp_path: Path
) -> None:
    self_signed(tmp_path / "other")
    with WinRM(machine, self_signed(tmp_path)) as service:
        account = Account(USER, PASSWORD, "basic")
        other = Fingerprint.parse("ab" * 32)
        with (
            WindowsGuest("127.0.0.1", account, other, port=service.port) as guest,
            pytest.raises(WrongCertificate, match=f"its fingerprint is {service.fingerprint}"),
        ):
            guest.wait(limit=10)
        stranger = Authority(tmp_path / "other" / "c.pem")
        with (
            WindowsGuest("127.0.0.1", account, stranger, port=service.port) as guest,
            pytest.raises(WrongCertificate, match="not trusted"),
        ):
            guest.wait(limit=10)
        assert service.logins == 0


def test_an_authority_is_trusted_for_the_name_that_it_signed(
    machine: Guest, tmp_path: Path
) -> None:
    account = Account(USER, PASSWORD)
    with WinRM(machine, self_signed(tmp_path)) as service:
        trust = Authority(tmp_path / "c.pem")
        with WindowsGuest("127.0.0.1", account, trust, port=service.port) as guest:
            assert guest.cmd("hostname", limit=10).returncode == 0
        with (
            WindowsGuest("localhost", account, trust, port=service.port) as guest,
            pytest.raises(WrongCertificate, match="another name"),
        ):
            guest.cmd("hostname", limit=10)


def test_a_certificate_that_has_expired_is_refused_though_its_authority_is_trusted(
    machine: Guest, tmp_path: Path
) -> None:
    with WinRM(machine, self_signed(tmp_path, expired=True)) as service:
        trust = Authority(tmp_path / "c.pem")
        with (
            WindowsGuest("127.0.0.1", Account(USER, PASSWORD), trust, port=service.port) as guest,
            pytest.raises(WrongCertificate, match="expired"),
        ):
            guest.cmd("hostname", limit=10)


@pytest.mark.parametrize("method", ["ntlm", "basic"])
def test_a_wrong_password_is_named_once_and_never_shown(service: WinRM, method: str) -> None:
    with (
        reach(service, method=method, password="battery staple") as guest,
        pytest.raises(GuestRefused, match=f"refuses the account {USER}") as caught,
    ):
        guest.wait(limit=10)
    assert "battery" not in str(caught.value) + caught.value.hint + repr(vars(caught.value))
    assert "battery" not in repr(Account(USER, "battery staple"))


def test_a_way_of_authenticating_that_the_guest_has_not_enabled_is_a_refusal(
    machine: Guest, tmp_path: Path
) -> None:
    with (
        WinRM(machine, self_signed(tmp_path), methods=("Negotiate",)) as service,
        reach(service, method="basic") as guest,
        pytest.raises(GuestRefused, match="refuses the account") as caught,
    ):
        guest.cmd("hostname", limit=10)
    assert "It offers Negotiate" in caught.value.hint


@pytest.mark.parametrize("method", ["ntlm", "basic"])
def test_a_guest_that_wants_kerberos_is_named(machine: Guest, tmp_path: Path, method: str) -> None:
    with (
        WinRM(machine, self_signed(tmp_path), methods=("Kerberos",)) as service,
        reach(service, method=method) as guest,
        pytest.raises(GuestRefused, match="by Kerberos alone") as caught,
    ):
        guest.wait(limit=10)
    assert "enable Negotiate" in caught.value.hint


def test_secrets_reach_the_script_and_never_what_comes_back(service: WinRM, machine: Guest) -> None:
    got: list[dict[str, str]] = []

    def leaky(values: dict[str, str]) -> Answer:
        got.append(values)
        return said(f"it is {values['key']}\r\n")

    machine.scripts["Write-Output -InputObject $key"] = leaky
    secret = "O'Brien \u2018x"
    with reach(service) as guest:
        done = guest.powershell("Write-Output -InputObject $key", limit=10, values={"key": secret})
    assert [values["key"].replace("\u2018\u2018", "\u2018") for values in got] == [secret]
    assert secret not in done.stdout


def test_quotes_of_all_kinds_are_doubled() -> None:
    assert quoted("a'b\u2019c") == "'a''b\u2019\u2019c'"


def test_an_error_of_powershell_is_readable(service: WinRM, machine: Guest) -> None:
    machine.scripts["Stop-Service -Name x"] = lambda _: failed("Cannot find any service: <x>")
    with reach(service) as guest:
        done = guest.powershell("Stop-Service -Name x", limit=10)
    assert done.returncode == 1
    assert done.stderr.strip() == "Cannot find any service: <x>"


def test_a_script_with_a_mistake_is_refused_by_the_grammar(service: WinRM) -> None:
    with reach(service) as guest:
        done = guest.powershell("if ($true) { Get-Date", limit=10)
    assert (done.returncode, "ParserError" in done.stderr) == (1, True)


def test_slow_chunked_and_large_output_is_complete(service: WinRM, machine: Guest) -> None:
    large = bytes(range(65, 90)) * 12_000
    parts = ((0.0, "stdout", large), (1.3, "stdout", large), (0.1, "stderr", b"late"))
    machine.commands["dir /s"] = Answer(parts, 5)
    service.chunked = True
    with reach(service) as guest:
        done = guest.cmd("dir /s", limit=20)
    assert done.stdout.encode() == large * 2
    assert (done.stderr, done.returncode) == ("late", 5)


def test_a_long_script_goes_in_several_pieces(service: WinRM, machine: Guest) -> None:
    script = "Write-Output -InputObject 'y'\n" * 8_000
    machine.scripts[script] = lambda _: said("done")
    with reach(service) as guest:
        assert guest.powershell(script, limit=20).stdout == "done"
    assert service.shells.seen.count("Send") > 3


def test_a_command_that_hangs_is_ended_at_its_limit_and_what_it_asked_is_told(
    service: WinRM, machine: Guest
) -> None:
    machine.commands["pause"] = Answer(
        ((0.0, "stdout", b"Press any key to continue . . . "), (60.0, "stdout", b"no"))
    )
    began = time.monotonic()
    with reach(service) as guest:
        with pytest.raises(TimeLimit, match="within 1 s") as caught:
            guest.cmd("pause", limit=1)
        assert "Press any key" in caught.value.hint
        assert "Signal" in service.shells.seen
        assert guest.cmd("hostname", limit=10).returncode == 0
    assert time.monotonic() - began < 10


def test_an_expired_shell_is_replaced_and_the_command_runs_once(
    service: WinRM, machine: Guest
) -> None:
    calls: list[int] = []
    machine.scripts["Restart-It"] = lambda _: said(str(calls.append(1)))
    with reach(service) as guest:
        guest.cmd("hostname", limit=10)
        service.shells.expire()
        assert guest.powershell("Restart-It", limit=10).returncode == 0
    assert len(calls) == 1


def test_a_shell_that_expires_while_a_command_runs_is_an_error(
    service: WinRM, machine: Guest
) -> None:
    gone = Fault(2150858843, "Sender", "InvalidSelectors", "gone")
    service.refuse["Receive"] = gone
    with reach(service) as guest, pytest.raises(ShellGone, match="knows the shell"):
        guest.cmd("hostname", limit=10)


def test_full_quotas_are_named(service: WinRM) -> None:
    service.refuse["Create"] = QUOTA
    with reach(service) as guest, pytest.raises(GuestBusy, match="more operations of Admin"):
        guest.cmd("hostname", limit=10)
    service.shells.most = 0
    with reach(service) as guest, pytest.raises(GuestBusy, match="more shells of Admin"):
        guest.cmd("hostname", limit=10)


def test_waiting_outlasts_a_service_that_is_starting(service: WinRM) -> None:
    service.starting = 1
    with reach(service) as guest:
        guest.wait(limit=10)
        assert guest.cmd("hostname", limit=10).returncode == 0


def test_a_connection_that_breaks_off_in_the_middle_is_not_tried_again(
    service: WinRM, machine: Guest
) -> None:
    calls: list[int] = []
    machine.scripts["Install-It"] = lambda _: said(str(calls.append(1)))
    service.break_off = {"Receive"}
    with reach(service) as guest, pytest.raises(ConnectionLost, match="went away"):
        guest.powershell("Install-It", limit=10)
    assert len(calls) == 1


def test_a_reboot_is_waited_for(service: WinRM, machine: Guest) -> None:
    with reach(service) as guest:
        guest.reboot(limit=30)
        assert machine.boots == 2
        assert guest.cmd("hostname", limit=10).returncode == 0


def test_a_step_that_restarts_the_guest_by_itself_is_noticed_and_awaited(
    service: WinRM, machine: Guest
) -> None:
    machine.commands["setup.exe"] = Answer(((5.0, "stdout", b"never"),), restarts=True)
    with reach(service) as guest:
        before = guest.booted()
        with pytest.raises(ConnectionLost):
            guest.cmd("setup.exe", limit=20)
        guest.await_reboot(before, limit=20)
        assert guest.booted() != before


def test_a_guest_that_does_not_come_back_is_given_up(service: WinRM) -> None:
    service.downtime = 60
    with reach(service) as guest, pytest.raises(TimeLimit, match="has not come back"):
        guest.reboot(limit=3)


def test_nobody_at_the_address_is_said_so(service: WinRM) -> None:
    account, trust = Account(USER, PASSWORD), Fingerprint.parse(service.fingerprint)
    with (
        WindowsGuest("127.0.0.1", account, trust, port=1) as guest,
        pytest.raises(GuestUnreachable, match="refuses the connection"),
    ):
        guest.cmd("hostname", limit=5)


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "not a SHA-256"), ("ab" * 20, "40 digits are SHA-1"), ("zz" * 32, "not a SHA-256")],
)
def test_what_is_no_fingerprint_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Fingerprint.parse(text)


def test_a_fingerprint_may_be_written_as_openssl_prints_it() -> None:
    assert Fingerprint.parse(":".join(["AB"] * 32)) == Fingerprint("ab" * 32)


def test_an_authority_must_be_a_certificate_in_pem(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Authority(tmp_path / "none.pem")
    (tmp_path / "der").write_bytes(b"\x30\x82")
    with pytest.raises(UsageError, match="no certificate in PEM"):
        Authority(tmp_path / "der")


def test_kerberos_is_refused_as_long_as_it_is_not_there() -> None:
    with pytest.raises(ImagecycleError, match="kerberos"):
        Account(USER, PASSWORD, "kerberos")  # type: ignore[arg-type]
