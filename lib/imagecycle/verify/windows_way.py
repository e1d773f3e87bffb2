"""Into machines of Windows: over WinRM, with the password that the instance was given.

The instance's user data tells the console which certificate its listener has; nobody else gets the
password. Where user data is not run, nobody is let in, and that is what the verdict says. User data
is run once: after a restart the certificate must be the one that the instance had before.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.artifacts import write_text
from imagecycle.errors import ImagecycleError
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.machine.winrm_errors import GuestRefused
from imagecycle.machine.winrm_guest import PORT, Account, WindowsGuest
from imagecycle.machine.winrm_script import quoted
from imagecycle.machine.winrm_trust import Fingerprint
from imagecycle.systems import windows_script
from imagecycle.verify import ntfs
from imagecycle.verify.account import AGENT, FINISH_LIMIT, HEARD
from imagecycle.verify.console import plain

LOOPBACK = "127.0.0.1"
TRY_LIMIT = 30.0
"""Seconds of one attempt to be let in"""
_REPORT = re.compile(r"^imagecycle: winrm (?:sha256 ([0-9A-F]{64})|(has no listener))\s*$", re.M)


def user_data(marker: str) -> str:
    """What an instance is given to run: a script that shows that it ran."""
    script = f"$marker = {quoted(marker)}\n" + windows_script.text("report-in.ps1")
    return "#ps1_sysnative\r\n" + script.replace("\n", "\r\n")


@dataclass(frozen=True)
class Address:
    """Where and as whom a machine is reached; kept in a file for the checks."""

    user: str
    password: str = field(repr=False)
    fingerprint: str
    port: int

    @classmethod
    def read(cls, folder: Path, name: str) -> Address:
        """:raises ImagecycleError: when nobody has logged in to the machine."""
        try:
            return cls(**json.loads((folder / _file(name)).read_text()))
        except OSError:
            raise ImagecycleError(f"there is no way into the {name}") from None

    def write(self, folder: Path, name: str) -> None:
        write_text(folder / _file(name), json.dumps(asdict(self)), mode=0o600)

    def guest(self) -> WindowsGuest:
        """The machine; its shell lasts as long as the ``with`` block."""
        account = Account(self.user, self.password)
        return WindowsGuest(LOOPBACK, account, Fingerprint.parse(self.fingerprint), port=self.port)


def _file(name: str) -> str:
    return f"winrm-{name}.json"


class WindowsLogin:
    """Tries to log in to one machine, until it is let in.

    :param known: the fingerprint of its certificate, where the same instance was logged in to
        before.
    """

    def __init__(
        self,
        machine: VirtualMachine,
        folder: Path,
        user: str,
        password: str,
        known: str | None = None,
    ) -> None:
        self.answered: float | None = None
        self.refused = False
        self.known = known
        """The fingerprint, once it has let us in"""
        self._machine, self._folder = machine, folder
        self._user, self._password = user, password
        console = machine.console
        self._from = console.stat().st_size if console.exists() else 0
        self._said = "its console has not told the certificate of its WinRM: user data was not run"
        self._thread: threading.Thread | None = None
        self._in = False
        self._next = 0.0

    def poll(self) -> bool:
        if self._in:
            return True
        if self._thread is not None and self._thread.is_alive():
            return False
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + 1.0
        fingerprint = self._reported() or self.known
        if fingerprint is not None:
            address = Address(self._user, self._password, fingerprint, self._machine.port)
            self._thread = threading.Thread(target=self._try, args=(address,), daemon=True)
            self._thread.start()
        return False

    def so_far(self) -> str:
        return self._said

    def _reported(self) -> str | None:
        """The fingerprint that the machine has told since it was started."""
        if not self._machine.console.exists():
            return None
        text = self._machine.console.read_bytes()[self._from :].decode(errors="replace")
        found = _REPORT.findall(plain(text))
        if not found:
            return None
        self.answered = self.answered or time.monotonic()
        fingerprint, none = found[-1]
        if none:
            self._said = "user data was run, and WinRM has no listener for HTTPS"
        return fingerprint or None

    def _try(self, address: Address) -> None:
        try:
            with address.guest() as guest:
                guest.wait(limit=TRY_LIMIT)
        except GuestRefused:
            self.refused = True
            self._said = f"WinRM answers, but refuses the injected password of {self._user}"
        except ImagecycleError as error:
            self._said = error.message
        else:
            address.write(self._folder, self._machine.name)
            self.known = address.fingerprint
            self._in = True


class WindowsAsking:
    """A machine that is being asked in a thread of its own."""

    def __init__(self, address: Address, limit: float) -> None:
        self._address, self._limit = address, limit
        self._said: Mapping[str, str] | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def answered(self) -> Mapping[str, str] | None:
        return self._said

    def _ask(self) -> None:
        script = f"$seconds = {quoted(str(FINISH_LIMIT))}\n" + windows_script.text("account.ps1")
        try:
            with self._address.guest() as guest:
                done = guest.powershell(script, limit=self._limit)
            self._said = parse(done.stdout, done.stderr)
        except ImagecycleError as error:
            self._said = {COMPLAINT: error.message}


COMPLAINT = "complaint"
"""Why a machine did not tell of itself"""


def parse(stdout: str, stderr: str = "") -> dict[str, str]:
    """What the script printed: JSON for each section."""
    lines = [line for line in stdout.splitlines() if line.startswith("{")]
    try:
        said = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {COMPLAINT: stderr.strip() or "it answers no JSON"}
    found = {name: json.dumps(value) for name, value in said.items()}
    return {**found, HEARD: str(time.time())}


class WinrmWay:
    """Into machines of Windows.

    :param folder: of the run.
    :param user: who logs in.
    """

    port = PORT
    reads_screen = True

    def __init__(self, folder: Path, user: str) -> None:
        self._folder, self._user = folder, user
        self._known: dict[str, str] = {}
        """The fingerprint of each instance that has let us in"""

    @contextlib.contextmanager
    def login(
        self, machine: VirtualMachine, told: InstanceData, key: str
    ) -> Iterator[WindowsLogin]:
        known = self._known.get(told.uuid)
        login = WindowsLogin(machine, self._folder, self._user, told.admin_password, known)
        try:
            yield login
        finally:
            if login.known is not None:
                self._known[told.uuid] = login.known
            (self._folder / _file(machine.name)).unlink(missing_ok=True)

    @contextlib.contextmanager
    def asking(self, name: str, brief: bool, limit: float) -> Iterator[WindowsAsking]:
        yield WindowsAsking(Address.read(self._folder, name), limit)

    @contextlib.contextmanager
    def restarting(self, name: str) -> Iterator[None]:
        address = Address.read(self._folder, name)

        def tell() -> None:
            with contextlib.suppress(ImagecycleError), address.guest() as guest:
                guest.cmd("shutdown.exe /r /f /t 1", limit=60)

        # whoever follows the machines waits for none: this one goes away while it is talked to
        threading.Thread(target=tell, daemon=True).start()
        yield

    def unclean(self, disk: Path) -> list[str]:
        return list(ntfs.unclean(disk))


def unpacked(said: Mapping[str, str]) -> dict[str, Any]:
    """An account with its sections as values."""
    plain = (HEARD, COMPLAINT, AGENT)
    return {name: value if name in plain else json.loads(value) for name, value in said.items()}
