"""From an installation of Windows to an image: started once more, changed over WinRM, sealed.

The guest gets a medium with a password for this start alone and with all that is installed; it
reports the fingerprint of its certificate on the console. When all steps are done, a script of its
own takes that way in away and starts sysprep; the guest powers off when it is generalised, and says
on the console why if it is not.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagecycle import log, systems
from imagecycle.build import (
    disk,
    guest_access,
    media,
    oz_guest,
    template,
    windows_medium,
    windows_run,
    windows_steps,
)
from imagecycle.build import domain as domains
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, Limits
from imagecycle.build.installation import surroundings
from imagecycle.build.windows_run import StepFailed
from imagecycle.build.windows_screen import ScreenWatch
from imagecycle.build.windows_steps import Step
from imagecycle.errors import ImagecycleError
from imagecycle.machine.winrm_guest import PORT, Account, WindowsGuest
from imagecycle.machine.winrm_trust import Fingerprint
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import windows, windows_sysprep

REACH_LIMIT = 1800.0
"""Seconds from the start until the guest lets us in"""
SEAL_LIMITS = Limits(total=5400, stall=1800)
_LOOK = 0.5  # seconds between two looks at the console
_CERTIFICATE = re.compile(rb"^imagecycle: winrm sha256 ([0-9A-Fa-f]{64})\s*$", re.MULTILINE)
_SYSPREP = re.compile(rb"^sysprep: ([^\r\n]+)", re.MULTILINE)


@dataclass(frozen=True)
class Running:
    """A guest that was started to be customised."""

    connection: Any
    domain: Any
    console: Console
    look: Callable[[], None] = lambda: None
    """Looks at the screen"""
    addresses: Callable[[Any], list[str]] = guest_access.addresses
    port: int = PORT


def make(
    family: Family,
    site: Site,
    source: media.Source,
    folder: Path,
    shared: Path,
    durations: dict[str, float],
) -> tuple[Path, dict[str, Any]]:
    """The disk of an image, and what the build record says of it.

    :param shared: the disk of the installation, which is left as it is.
    """
    raw = folder / "customised.raw"
    with log.step("customisation") as timer:
        disk.copy_sparse(shared, raw)
        raw.chmod(0o666)
        found = customise(family, site, source, folder, raw)
    durations["customisation"] = timer.seconds
    return raw, {
        "installed": found["programs"],
        **{key: found[key] for key in ("patchlevel", "hotfixes", "steps")},
    }


def customise(
    family: Family, site: Site, source: media.Source, folder: Path, raw: Path
) -> dict[str, Any]:
    """Turn the installation on the disk ``raw`` into an image.

    :returns: what the build record says of it: steps, patch level, programs.
    :raises InstallationFailed: when a step or sysprep fails, naming the console.
    """
    password = windows.password()
    account = Account(windows.account(family), password)
    payload, iso = folder / "payload", folder / "payload.iso"
    with log.step("gathering what is installed"):
        windows_steps.gather(family, site, payload)
        windows_medium.write_access(payload, account.user, password)
        windows_medium.write_iso(payload, iso)
        (payload / windows_medium.ACCESS).unlink()
    console = Console(folder / "customisation.log", systems.of(family).console)
    described = template.installation(
        family, name=domains.name_of(folder), media_url=source.fetch(), root_password=""
    )
    with oz_guest.logged(folder / "oz.log"), oz_guest.errors_told(folder / "oz.log", console.path):
        guest = oz_guest.prepare(
            systems.of(family),
            described,
            folder / "unattended",
            raw,
            surroundings(family, site, folder),
            console,
        )
        xml = guest._generate_xml("hd", guest._InstallDev("cdrom", str(iso), "sdb"))
        domain = guest.libvirt_conn.createXML(xml)
        try:
            with domains.ended_on_exit(domain):
                screen = ScreenWatch(guest.libvirt_conn, domain, folder)
                running = Running(guest.libvirt_conn, domain, console, screen.look)
                steps = list(windows_steps.steps(family, site))
                with pictured(running, folder):
                    return change_and_seal(running, account, steps)
        finally:
            iso.unlink(missing_ok=True)


@contextlib.contextmanager
def pictured(running: Running, folder: Path) -> Iterator[None]:
    """Keep what the screen shows when a guest is given up, and say where.

    :raises InstallationFailed: instead, when the guest was halted, and so did not answer.
    """
    try:
        yield
    except ImagecycleError as error:
        domains.check_storage(running.domain)
        picture = folder / domains.PICTURE
        if domains.screenshot(running.connection, running.domain, picture):
            where = error.hint or f"console: {running.console.path}"
            error.hint = f"{where}; screenshot: {picture}"
        raise


def change_and_seal(running: Running, account: Account, steps: Sequence[Step]) -> dict[str, Any]:
    """Carry out the steps in a running guest, and seal it; it has powered off afterwards.

    :raises InstallationFailed: when the guest cannot be reached or sealed.
    :raises StepFailed: when a step fails.
    """
    with log.step("waiting for WinRM"):
        address, certificate = _reached(running)
    with WindowsGuest(address, account, certificate, port=running.port) as guest:
        guest.wait(limit=REACH_LIMIT)
        drive = str(windows_run.ask(guest, "find-medium.ps1")["drive"])
        done = windows_run.carry_out(guest, steps, drive)
        windows_run.restart_if_pending(guest)
        _refuse_to_seal(windows_run.ask(guest, "before-sealing.ps1", limit=1800))
        inventory = windows_run.ask(guest, "inventory.ps1", limit=1800)
        windows_run.ask(guest, "start-sealing.ps1", drive=drive)
    with log.step("sysprep"):
        _sealed(running)
    return {"steps": [asdict(one) for one in done], **inventory}


def _reached(running: Running) -> tuple[str, Fingerprint]:
    """The guest's address, and the certificate that it has reported since it was started."""
    deadline = time.monotonic() + REACH_LIMIT
    while time.monotonic() < deadline:
        running.console.look()
        running.look()
        domains.check_storage(running.domain)
        found = _CERTIFICATE.findall(running.console.text())
        addresses = running.addresses(running.domain)
        if found and addresses:
            return addresses[0], Fingerprint.parse(found[-1].decode())
        if not domains.runs(running.domain):
            raise InstallationFailed("the guest ended before it could be reached")
        time.sleep(_LOOK)
    missing = "an address" if found else "the certificate of its WinRM on the console"
    raise running.console.failure(
        InstallationFailed(f"after {REACH_LIMIT:.0f} s the guest has not told {missing}"), None
    )


def _refuse_to_seal(answer: dict[str, Any]) -> None:
    for name in answer.get("removed") or ():
        log.say(f"removed an app that only one user has: {name}")
    if problems := answer.get("problems"):
        raise StepFailed(
            f"the system cannot be sealed: {'; '.join(problems)}",
            hint="a step brings this about; look at the section windows.changes of the catalog",
        )


def _sealed(running: Running) -> None:
    """Wait until the guest has powered off by itself, generalised."""

    def look() -> bool:
        running.look()
        return running.console.look()

    try:
        domains.watch(running.connection, running.domain, SEAL_LIMITS, tick=look)
    except domains.MachineCrashed:
        raise
    except InstallationFailed as error:
        lines = [
            found.decode(errors="replace") for found in _SYSPREP.findall(running.console.text())
        ]
        why = f"{error.message}: {windows_sysprep.explained(lines)}" if lines else error.message
        raise InstallationFailed(
            f"sysprep failed: {why}", hint=f"console: {running.console.path}"
        ) from None
    if b"installer: sealed" not in running.console.text():
        raise InstallationFailed(
            "the guest powered off before it was sealed", hint=f"console: {running.console.path}"
        )
