"""The stand-in for WinRM, used by a client that imagecycle does not use: pypsrp."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan

from certificates import self_signed
from standin.windows.guest import Answer, Guest, unreadable
from standin.windows.winrm_server import WinRM

PASSWORD = "correct horse"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WinRM]:
    with WinRM(Guest(), self_signed(tmp_path), bound=True) as running:
        yield running


def client(service: WinRM, auth: str, password: str = PASSWORD) -> WSMan:
    return WSMan(
        "127.0.0.1",
        port=service.port,
        username="Administrator",
        password=password,
        auth=auth,
        cert_validation=False,
        operation_timeout=1,
        read_timeout=5,
        no_proxy=True,
    )


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_another_client_runs_commands_slow_ones_too(service: WinRM, auth: str) -> None:
    service.guest.commands["slow /x"] = Answer(
        ((0.0, "stdout", b"a"), (1.2, "stdout", b"b"), (0.0, "stderr", b"e")), 7
    )
    with client(service, auth) as wsman, WinRS(wsman, codepage=65001) as shell:
        process = Process(shell, "slow", ["/x"])
        process.invoke()
        process.signal(SignalCode.TERMINATE)
    assert (process.stdout, process.stderr, process.rc) == (b"ab", b"e", 7)
    assert service.guest.complaints == []


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
def test_another_client_is_refused_with_a_wrong_password(service: WinRM, auth: str) -> None:
    with client(service, auth, "battery") as wsman, pytest.raises(AuthenticationError):
        WinRS(wsman).open()
    assert service.shells.seen == []


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_another_client_hears_of_an_unknown_shell(service: WinRM) -> None:
    with client(service, "basic") as wsman:
        shell = WinRS(wsman)
        shell.open()
        service.shells.expire()
        process = Process(shell, "hostname")
        with pytest.raises(WSManFaultError) as caught:
            process.begin_invoke()
    assert caught.value.code == 2150858843


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_what_windows_would_not_understand_is_a_complaint(service: WinRM) -> None:
    answer = requests.post(
        f"https://127.0.0.1:{service.port}/wsman",
        data=b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>",
        headers={"Content-Type": "application/soap+xml;charset=UTF-8"},
        auth=("Administrator", PASSWORD),
        verify=False,
        timeout=5,
    )
    assert answer.status_code == 400
    assert len(service.guest.complaints) == 1


def test_an_unknown_script_is_a_complaint() -> None:
    guest = Guest()
    assert guest.answer("format c:", None).status == 1
    assert guest.complaints == ["unknown command: format c:"]


@pytest.mark.parametrize("script", ["if ($x) {", "Get-Item (", "$a = 'x", "}"])
def test_scripts_with_mistakes_are_not_readable(script: str) -> None:
    assert unreadable(script).startswith("At line:1")
