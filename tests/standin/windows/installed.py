"""A Windows on a disk: what is kept of it between its starts, and what happens at each of them.

It stands on :mod:`standin.windows.machine`, whose scripts it answers over WinRM, and knows besides
the scripts that Windows itself runs: at the first logon, at each start of the build, and to be
sealed. Its drive C is a folder; its state is a file in it.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.systems import windows_releases, windows_script, windows_settings
from standin.windows import setup
from standin.windows.machine import Installer, Machine

STATE = "Windows/Boot/standin/state.json"
OWN = r"C:\ProgramData\imagecycle\build"
ANSWERS = r"C:\ProgramData\imagecycle\Unattend.xml"
SPECIALIZE, OOBE, RUNNING, SEALED, NAMED = "specialize", "oobe", "running", "sealed", "named"
"""What the next start is of; the last has its host's name, and all else before it"""
_OWN = (
    *("phase", "boots", "hostname", "user", "password", "access", "answers"),
    *("instance", "identity"),
)
_KEPT = (
    *("registry", "services", "hotfixes", "policies", "build", "revision", "updates"),
    *("pending", "unmended"),
)


class StartFailed(Exception):
    """What a start of Windows shows on its screen when it does not go on."""


@dataclass
class Windows:
    """One installation."""

    drive: Path
    """The folder that is drive C"""
    console: Callable[[str], None]
    phase: str = SPECIALIZE
    boots: int = 0
    hostname: str = ""
    user: str = "Administrator"
    password: str = field(default="", repr=False)
    access: bool = False
    """Whether the task is registered that lets the build in at each start"""
    certificate: tuple[str, str] = ("", "")
    """Of the listener and its key, in PEM"""
    answers: str = field(default="", repr=False)
    instance: dict[str, Any] = field(default_factory=dict)
    """What the last contextualisation has set up, under Nova's id of the instance"""
    identity: dict[str, Any] = field(default_factory=dict)
    """What it tells of itself that no restart changes"""
    edition: str = ""
    installation_type: str = ""
    machine: Machine = field(default_factory=Machine)

    @classmethod
    def load(cls, drive: Path, console: Callable[[str], None]) -> Windows:
        said = json.loads((drive / STATE).read_text())
        found = cls(drive, console)
        for name in _OWN:
            setattr(found, name, said[name])
        found.edition, found.installation_type = said["edition"], said["installation_type"]
        found.certificate = tuple(said["certificate"])
        machine = found.machine
        for name in _KEPT:
            setattr(machine, name, said["machine"][name])
        machine.features = set(said["machine"]["features"])
        machine.software = [tuple(one) for one in said["machine"]["software"]]
        machine.files = {
            path: base64.b64decode(one) for path, one in said["machine"]["files"].items()
        }
        machine.guest.hostname, machine.guest.boots = found.hostname, found.boots
        return found

    def save(self) -> None:
        """Keep what the next start needs, and the files where Windows would have them."""
        machine = self.machine
        kept = (*_OWN, "edition", "installation_type", "certificate")
        said: dict[str, Any] = {name: getattr(self, name) for name in kept}
        said["machine"] = {name: getattr(machine, name) for name in _KEPT}
        said["machine"]["features"] = sorted(machine.features)
        said["machine"]["software"] = machine.software
        said["machine"]["files"] = {
            path: base64.b64encode(content).decode() for path, content in machine.files.items()
        }
        for path, content in machine.files.items():
            place = self.path(path)
            if not place.exists() or place.read_bytes() != content:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        (self.drive / STATE).write_text(json.dumps(said))

    def path(self, name: str) -> Path:
        """Where a file of drive C is."""
        return self.drive / name.removeprefix("C:\\").replace("\\", "/")

    def specialize(self, run: Callable[[str], None]) -> None:
        """The pass *specialize* of the answer file that Setup has kept."""
        self.hostname = f"WIN-{secrets.token_hex(5).upper()}"
        for line in setup.commands(self.answers, "specialize"):
            run(line)
        self.phase = OOBE

    def first_logon(self, run: Callable[[str], None]) -> None:
        """The pass *oobeSystem*: accounts, screens that must not be shown, the first logon."""
        parts = setup.passes(self.answers, "oobeSystem")
        shell = parts.get("Microsoft-Windows-Shell-Setup")
        client = self.installation_type == windows_releases.CLIENT
        screens = ["HideEULAPage", "ProtectYourPC"]
        screens += ["HideOnlineAccountScreens"] if client else []
        for screen in screens:
            if not setup.value(shell, f"OOBE/{screen}"):
                raise StartFailed(f"the first start asks: {screen} is not answered")
        if not setup.value(parts.get("Microsoft-Windows-International-Core"), "UserLocale"):
            raise StartFailed("the first start asks for a country or region")
        where = (
            "UserAccounts/LocalAccounts/LocalAccount/Password/Value"
            if client
            else "UserAccounts/AdministratorPassword/Value"
        )
        self.password = setup.value(shell, where)
        self.user = setup.value(shell, "AutoLogon/Username")
        if not _complex(self.password):
            raise StartFailed("the password does not meet the password policy requirements")
        if setup.value(shell, "AutoLogon/Password/Value") != self.password:
            raise StartFailed("the user name or password is incorrect")
        for line in setup.commands(self.answers, "oobeSystem"):
            run(line)
        self.phase = RUNNING

    def run_script(self, path: Path) -> None:
        """A script that Windows itself runs, known by its whole text.

        :raises StartFailed: when nobody has declared what it does.
        """
        text = path.read_text(encoding="ascii").replace("\r\n", "\n")
        if text == windows_script.text("first-logon.ps1"):
            self._open(path.parent)
        else:
            raise StartFailed(f"unknown script {path.name}")

    def _open(self, medium: Path) -> None:
        """What ``first-logon.ps1`` does."""
        drivers = medium / "drivers"
        if not drivers.is_dir() or not any(drivers.rglob("*.inf")):
            self.console("installer: FAILED: Cannot find path 'drivers'")
            raise StartFailed("first-logon.ps1 has failed")
        if not (medium / "access.ps1").is_file():
            self.console("installer: FAILED: Cannot find path 'access.ps1'")
            raise StartFailed("first-logon.ps1 has failed")
        for inf in drivers.rglob("*.inf"):
            self.machine.services[inf.stem.lower()] = "boot"
        for driver in drivers.rglob("*.sys"):
            target = self.path(rf"C:\Windows\System32\drivers\{driver.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(driver, target)
        self.machine.files[rf"{OWN}\access.ps1"] = (medium / "access.ps1").read_bytes()
        self.access = True
        self.console("installer: 5/5 ready to be customised")

    def let_in(self, medium: Path | None, certificate: tuple[str, str], sha256: str) -> None:
        """What ``access.ps1`` does, at each start of the build.

        :param medium: where the build's medium is.
        :raises StartFailed: when it has none.
        """
        if medium is None or not (medium / "access.json").is_file():
            reason = "the medium with the password of the build is not there"
            self.console(f"installer: FAILED: {reason}")
            raise StartFailed(reason)
        said = json.loads((medium / "access.json").read_text())
        if said["account"] != self.user:
            self.console("installer: FAILED: The user name could not be found.")
            raise StartFailed("there is no such account")
        self.password = said["password"]
        self.certificate = certificate
        self.machine.medium = {one.name: _installer(one) for one in medium.iterdir()}
        self.console(f"imagecycle: winrm sha256 {sha256.upper()}")

    def seal(self, *, text: str, fails: str = "") -> bool:
        """What ``seal.ps1`` does; whether the machine powers off.

        :param text: of the script on the build's medium.
        :param fails: a line that sysprep leaves in its log.
        """
        if text.replace("\r\n", "\n") != windows_script.text("seal.ps1"):
            self.console("installer: FAILED: an unknown script")
            return False
        self.access, self.certificate = False, ("", "")
        if self.installation_type == windows_releases.CLIENT:
            self.user = ""  # the account of the build, which Setup has made
        self.machine.files.pop(rf"{OWN}\access.ps1", None)
        shutil.rmtree(self.path(OWN), ignore_errors=True)
        wrong = [fails] if fails else list(self._unfit())
        if wrong:
            for line in wrong:
                self.console(f"sysprep: 2026-01-01 00:00:00, Error SYSPRP {line}")
            self.console(
                "installer: FAILED: sysprep has left the image in the state IMAGE_STATE_COMPLETE"
            )
            return False
        if "clean" in self.machine.done:
            for left in (self.drive / "Windows/Panther").glob("*.xml"):
                left.unlink()
        sealed = self.drive / "Windows/Boot/standin/sealed"
        for hive in sealed.glob("*"):
            shutil.copyfile(hive, self.drive / "Windows/System32/config" / hive.name)
        self.password, self.phase = "", SEALED
        self.answers = self.machine.files[ANSWERS].decode()
        self.hostname = ""
        self.console("installer: sealed")
        return True

    def _unfit(self) -> list[str]:
        """Why sysprep does not take the answer file that it is given."""
        content = self.machine.files.get(ANSWERS)
        if content is None:
            return [f"the answer file {ANSWERS} is not there"]
        release = next(
            one
            for one in windows_releases.RELEASES
            if one.has_build(self.machine.build)
            and one.client == (self.installation_type == windows_releases.CLIENT)
        )
        return windows_settings.problems(content.decode(), release, self.installation_type)


def _installer(path: Path) -> Installer:
    """What a file does when it is run; one for tests may say with which code it ends."""
    with path.open("rb") as file:
        said = re.match(rb"ends with code (\d+)", file.read(40))
    return Installer(int(said[1])) if said else Installer()


def _complex(password: str) -> bool:
    """Whether a password meets Windows' policy: eight characters of three kinds."""
    kinds = (str.isupper, str.islower, str.isdigit, lambda one: not one.isalnum())
    return len(password) >= 8 and sum(any(map(kind, password)) for kind in kinds) >= 3


def start(values: Mapping[str, Any], drive: Path) -> None:
    """Write the state of a Windows that has just been copied to a disk."""
    windows = Windows(drive, lambda _: None)
    windows.answers = str(values["answers"])
    windows.edition = str(values["edition"])
    windows.installation_type = str(values["installation_type"])
    windows.machine.build = int(values["build"])
    windows.machine.files = {}
    windows.save()
