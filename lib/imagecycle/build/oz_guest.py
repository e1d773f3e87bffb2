"""Oz for today's systems and for a machine at hand: what its guests are taught, in one place.

Oz knows releases up to a certain age, looks for the end of an installation every ten seconds,
trusts libvirt's word on KVM, and reaches a guest for customisation through System V start links
and a cron job. :func:`prepare` makes a guest of Oz's own class that does otherwise; what is to be
installed and how is left to Oz.

Read from Oz 0.17 to 0.19: ``oz.Guest``, ``oz.Linux``, ``oz.GuestFactory``.
"""

from __future__ import annotations

import configparser
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import oz.GuestFactory
import oz.OzException
import oz.ozutil
import oz.TDL

from imagecycle import command, log
from imagecycle.build import domain as domains
from imagecycle.build.changes import Changes, Step
from imagecycle.build.console import Console
from imagecycle.build.domain_xml import Surroundings, adapt
from imagecycle.build.guest_access import GuestAccess
from imagecycle.build.windows_screen import ScreenWatch
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.machine import platforms
from imagecycle.systems.system import System

NO_PASSWORD = "locked"
"""What templates say where Oz wants a password; cleaning locks every account."""

_FROM_INPUT = (
    'umask 077; cat >/run/imagecycle-step && "${SHELL:-sh}" /run/imagecycle-step </dev/null; '
    "status=$?; rm -f /run/imagecycle-step; exit $status"
)
_LAST = 8  # lines of what a step said, in a message
OZ_LOG = logging.getLogger("oz")


def prepare(
    system: System,
    template: str,
    unattended: Path,
    disk: Path,
    surroundings: Surroundings,
    console: Console,
) -> Any:
    """A guest of Oz that installs or customises ``disk``.

    :param system: what kind it is of.
    :param template: the TDL.
    :param unattended: the unattended-install file.
    :param disk: the raw disk; Oz makes it.
    :raises ImagecycleError: when Oz does not know the system, or libvirt does not answer.
    """
    system.teach_oz()
    domains.connect(surroundings.uri).close()
    try:
        tdl = oz.TDL.TDL(template)
        guest = oz.GuestFactory.guest_factory(
            tdl, configuration(surroundings), str(unattended), str(disk)
        )
    except oz.OzException.OzException as error:
        raise ImagecycleError(
            f"Oz refuses: {error}",
            hint="compare `oz` and `media` in the catalog with Oz's own list",
        ) from None
    return watched(guest, system, surroundings, console)


def watched(guest: Any, system: System, surroundings: Surroundings, console: Console) -> Any:
    """A guest that Oz's factory has made, become one that is watched."""
    guest.__class__ = type("WatchedGuest", (WatchedGuest, guest.__class__), {})
    guest.libvirt_conn = domains.Connection(guest.libvirt_conn)
    guest.surroundings = surroundings
    guest.watched_console = console
    guest.system = system
    guest.reach = None
    guest.times = []
    return guest


@dataclass(frozen=True)
class StepTime:
    """How many seconds a step in a guest took."""

    step: str
    seconds: float


class WatchedGuest:
    """Put before a class of Oz's guests; overrides what :mod:`imagecycle` does otherwise."""

    system: System
    surroundings: Surroundings
    watched_console: Console
    reach: GuestAccess | None
    changes: Changes
    times: list[StepTime]
    libvirt_conn: Any
    tdl: Any

    def _do_install(
        self,
        timeout: Any = None,
        force: bool = False,
        reboots: int = 0,
        kernelfname: Any = None,
        ramdiskfname: Any = None,
        cmdline: str | None = None,
        *others: Any,
        **named: Any,
    ) -> Any:
        """Oz's, with a kernel that tells the serial console what it does."""
        if cmdline:
            serial = platforms.of(self.tdl.arch).serial
            cmdline += f" {self.system.kernel_arguments.format(serial=serial)}"
        return super()._do_install(  # type: ignore[misc]
            timeout, force, reboots, kernelfname, ramdiskfname, cmdline, *others, **named
        )

    def _generate_xml(self, *arguments: Any, **named: Any) -> str:
        """Oz's domain, with its console in a file and what makes it fast."""
        xml: str = super()._generate_xml(*arguments, **named)  # type: ignore[misc]
        return self.surroundings.reshape(adapt(xml, self.surroundings, self.watched_console.path))

    def _wait_for_install_finish(self, xml: str, max_time: Any) -> None:
        """Wait for libvirt's word that the guest has ended, instead of looking now and then."""
        started = self.libvirt_conn.createXML(xml)
        around = self.surroundings
        screen = (
            ScreenWatch(self.libvirt_conn, started, around.folder) if around.reads_screen else None
        )

        def look() -> bool:
            if screen is not None:
                screen.look()
            return self.watched_console.look()

        with domains.ended_on_exit(started):
            try:
                domains.watch(
                    self.libvirt_conn,
                    started,
                    around.limits,
                    tick=look,
                )
            except domains.InstallationFailed as error:
                picture = around.folder / domains.PICTURE
                taken = domains.screenshot(self.libvirt_conn, started, picture)
                raise self.watched_console.failure(error, picture if taken else None) from None
        self.watched_console.raise_failure()

    def _collect_setup(self, _libvirt_xml: str) -> None:
        """Whoever customises has prepared the disk already."""

    def _collect_teardown(self, _libvirt_xml: str) -> None:
        """Whoever customises cleans the disk afterwards."""

    def _wait_for_guest_boot(self, libvirt_dom: Any) -> str:
        """Wait until the guest has an address and lets us in."""
        assert self.reach is not None
        with self._step(Step("start of the guest", "")):
            return self.reach.wait(libvirt_dom, self.watched_console)

    def _test_ssh_connection(self, _guestaddr: str) -> None:
        """It has been tried when the guest's address was awaited."""

    def do_customize(self, guestaddr: str) -> None:
        """Oz's order, with a name and a time for each step."""
        tdl, wanted = self.tdl, self.changes
        before, after = list(tdl.precommands), list(tdl.commands)
        steps = [(step, said.read()) for step, said in zip(wanted.before, before, strict=True)]
        if tdl.packages:
            steps.append((wanted.packages, wanted.packages.text))
        steps += [(step, said.read()) for step, said in zip(wanted.after, after, strict=True)]
        for step, text in [*steps, (Step("writing all to the disk", ""), "sync")]:
            with self._step(step):
                self.guest_execute_command(guestaddr, text)

    @contextlib.contextmanager
    def _step(self, step: Step) -> Iterator[None]:
        with log.step(step.title) as timer:
            try:
                yield
            except CommandFailed as error:
                raise _failed(step, error) from None
        self.times.append(StepTime(step.title, timer.seconds))

    def guest_execute_command(
        self, guestaddr: str, guest_command: str, timeout: float = 10
    ) -> tuple[str, str, int]:
        """Run a command in the guest, with a time limit for the whole and not only to connect.

        It comes as a file: a command line holds 128 KiB at most, and standard input is the script's
        own.
        """
        assert self.reach is not None
        text = guest_command if isinstance(guest_command, str) else guest_command.decode()
        done = command.run(
            self.reach.ssh(guestaddr, _FROM_INPUT),
            timeout=max(timeout, self.surroundings.limits.total),
            stdin=f"{text}\n",
            hint=f"the console of the guest is {self.watched_console.path}",
        )
        return done.stdout, done.stderr, done.returncode

    def _wait_for_guest_shutdown(self, libvirt_dom: Any) -> bool:
        """Whether the guest ended by itself; noticed at once."""
        try:
            domains.watch(
                self.libvirt_conn, libvirt_dom, domains.Limits(120, 120), tick=lambda: True
            )
        except domains.InstallationFailed:
            return False
        return True


@contextlib.contextmanager
def errors_told(log_file: Path, console: Path) -> Iterator[None]:
    """Turn what Oz and libvirt raise into an error that says where to look.

    :raises InstallationFailed: instead.
    """
    hint = f"Oz's log: {log_file}; console: {console}"
    try:
        yield
    except domains.InstallationFailed as error:
        error.hint = error.hint or hint
        raise
    except (oz.OzException.OzException, oz.ozutil.SubprocessException) as error:
        raise domains.InstallationFailed(f"Oz gave up: {error}", hint=hint) from None
    except libvirt.libvirtError as error:
        raise domains.InstallationFailed(f"libvirt failed: {error}", hint=hint) from None
    except OSError as error:
        raise domains.InstallationFailed(f"Oz could not work: {error}", hint=hint) from None


def _failed(step: Step, error: CommandFailed) -> domains.InstallationFailed:
    place = f"{step.place}: " if step.place else ""
    if error.returncode is None:
        return domains.InstallationFailed(f"{place}{step.title} ran into the time limit of a build")
    last = "\n".join(f"  | {line}" for line in error.output.strip().splitlines()[-_LAST:])
    how = f"failed in the guest with status {error.returncode}"
    return domains.InstallationFailed(f"{place}{step.title} {how}:\n{last}")


@contextlib.contextmanager
def logged(path: Path) -> Iterator[None]:
    """Write Oz's own log to a file; without this it goes nowhere."""
    handler = log_to(path)
    try:
        yield
    finally:
        OZ_LOG.removeHandler(handler)
        handler.close()


def log_to(path: Path) -> logging.Handler:
    """Write Oz's own log to a file from now on."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    OZ_LOG.addHandler(handler)
    OZ_LOG.setLevel(logging.DEBUG)
    OZ_LOG.propagate = False
    return handler


def configuration(surroundings: Surroundings) -> configparser.ConfigParser:
    """Oz's settings for a guest."""
    found = configparser.ConfigParser()
    found.read_dict(
        {
            "paths": {
                "output_dir": str(surroundings.folder),
                # Oz recognises what it has fetched by its length alone: nothing is left to it
                "data_dir": str(surroundings.folder / "oz"),
                "screenshot_dir": str(surroundings.folder),
                "sshprivkey": str(surroundings.folder / "key"),
            },
            "libvirt": {
                "uri": surroundings.uri,
                "type": surroundings.accelerator.libvirt_type,
                "image_type": "raw",
                "cpus": str(surroundings.processors),
                "memory": str(surroundings.memory_mib),
            },
            "cache": {"original_media": "no", "modified_media": "no", "jeos": "no"},
        }
    )
    return found
