"""One machine's way through all its lives: boot, account, and what its case wants after that.

Written from top to bottom as generators that give the control back at every wait, so that many
machines are followed by one thread, and each cleans up after itself wherever it is stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from imagecycle.artifacts import Artifact
from imagecycle.errors import ImagecycleError
from imagecycle.machine import guest_agent, hardware, virtual_machine
from imagecycle.machine.accelerator import TCG, Accelerator
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.model import GRAPHICS, Family
from imagecycle.systems.windows import password
from imagecycle.verify import account, cases, guest, screen, windows_way
from imagecycle.verify.pictures import Picture
from imagecycle.verify.readiness import FIRST, Boot
from imagecycle.verify.report import Span
from imagecycle.verify.session import Ended, Life, Outcome, Subject
from imagecycle.verify.way_in import WayIn

Waiting = Generator[None, None, None]
T = TypeVar("T")
MORE_MEMORY_MIB = 256
MORE_DISK = 2**30
LOGIN_KEY = "key"


@dataclass
class Course:
    """A machine under way."""

    family: Family
    artifact: Artifact
    way: WayIn
    accelerator: Accelerator
    folder: Path
    """The working folder of the run"""
    subject: Subject
    memory_mib: int
    size: int
    """Of the release's disk, in bytes"""
    boot_limit: float
    power_off_limit: float
    boots: list[Boot] = field(default_factory=list)
    """Of all its lives so far, for the report"""
    spans: list[Span] = field(default_factory=list)
    """What it was asked and when it was stopped; begins are of ``time.monotonic()``"""
    checked: bool = False
    """Whether no check will look at its first life, as after the end of all"""

    def check_storage(self) -> None:
        """:raises ImagecycleError: when the machine is halted because its disk has no room."""
        if self.boots:
            self.boots[-1].machine.check_storage()

    def run(self) -> Waiting:
        """From power-on to the end of the last life.

        :raises EmulatorCrashed: when QEMU did not live as long as it should.
        """
        case, subject = self.subject.case, self.subject
        parts = self._hardware(subject.instance_data, self.memory_mib)
        disk = self.artifact.disk.resolve()
        size = self.size + case.growth
        virtual_machine.prepare(subject.folder, parts, disk, size, subject.instance_data)
        with contextlib.ExitStack() as stack:
            machine = stack.enter_context(virtual_machine.running(case.name, subject.folder, parts))
            login = contextlib.ExitStack()
            stack.callback(login.close)
            boot = self._boot(machine, login, FIRST, subject.instance_data)
            yield from self._settle(boot)
            assert boot.outcome is not None
            subject.announce(boot.outcome)
            if boot.outcome.ready:
                boot.account = yield from self._timed("questions", self._account(case.name))
            subject.tell(boot.account)
            if self.family.screen == GRAPHICS and boot.account and not case.brief:
                yield from self._watch_screen(machine, boot)
            if not boot.outcome.ready:
                self._give_up(case.lives)
                return
            if case.brief:
                subject.finish(None)
                return
            while not (subject.released or self.checked):
                machine.check_emulator()
                yield
            ended = yield from self._lives_in_place(machine, login)
            self.subject.finish(ended)
        yield from self._lives_elsewhere(size, ended)

    def _lives_in_place(
        self, machine: VirtualMachine, login: contextlib.ExitStack
    ) -> Generator[None, None, Ended | None]:
        """Reboots; at last the power button."""
        alive = True
        for name in (cases.REBOOT, cases.HARD_RESET):
            if name not in self.subject.case.lives:
                continue
            if not alive:
                self.subject.record(name, _never())
                continue
            ended = yield from self._restart(machine, login, name)
            if ended.reason is None:
                self.subject.record(name, _stuck(ended))
                alive = False
                continue
            machine = dataclasses.replace(machine, started=time.monotonic())
            told = self.subject.instance_data
            boot = self._boot(machine, login, name, told, again=True)
            yield from self._settle(boot)
            assert boot.outcome is not None
            alive = boot.outcome.ready
            if alive:
                boot.account = yield from self._account(machine.name)
            life = Life(ended, boot.outcome, boot.account, self.subject.instance_data.name)
            self.subject.record(name, life)
        return (yield from self._timed("stop", self._end(machine))) if alive else None

    def _restart(
        self, machine: VirtualMachine, login: contextlib.ExitStack, how: str
    ) -> Generator[None, None, Ended]:
        begun = time.monotonic()
        with contextlib.ExitStack() as stack, contextlib.suppress(ImagecycleError):
            machine.monitor.events()  # what came before is of no interest
            if how == cases.REBOOT:
                stack.enter_context(self.way.restarting(machine.name))
            else:
                machine.monitor.execute("system_reset")
            while time.monotonic() - begun < self.power_off_limit and not machine.ended():
                for event, data in machine.monitor.events():
                    if event == "RESET":
                        login.close()
                        reason = str(data.get("reason", "reset"))
                        return Ended(round(time.monotonic() - begun, 1), reason)
                yield
        machine.check_emulator()
        return Ended(round(time.monotonic() - begun, 1), None)

    def _end(self, machine: VirtualMachine) -> Generator[None, None, Ended]:
        """Press the power button and wait for the machine to end."""
        begun, reason = time.monotonic(), None
        with contextlib.suppress(ImagecycleError):  # it may have ended by itself
            machine.monitor.events()
            machine.monitor.power_button()
        while time.monotonic() - begun < self.power_off_limit:
            ended = machine.ended()  # before its last words are read
            with contextlib.suppress(ImagecycleError):  # it is going
                for event, data in machine.monitor.events(to_the_end=ended is not None):
                    if event == "SHUTDOWN":
                        reason = str(data.get("reason", "unknown"))
            machine.check_emulator()
            if ended:
                seconds = round(time.monotonic() - begun, 1)
                unclean = tuple(self.way.unclean(machine.folder / hardware.DISK))
                return Ended(seconds, reason or "unknown", unclean)
            yield
        return Ended(round(time.monotonic() - begun, 1), None)

    def _lives_elsewhere(self, size: int, ended: Ended | None) -> Waiting:
        """Starts of what the machine has left, in machines that are others; each on its own merits:
        the snapshot does not need a server that survives a move."""
        former, told = self.subject.folder, self.subject.instance_data
        for name in (cases.SNAPSHOT, cases.OTHER_HOST):
            if name not in self.subject.case.lives:
                continue
            if ended is None or ended.reason is None:
                self.subject.record(name, _never())
                continue
            folder = former.with_name(f"{self.subject.role}-{name}")
            if name == cases.SNAPSHOT:
                key = f"{LOGIN_KEY}-{self.subject.role}"
                public = guest.make_key(self.folder, key)
                windows = self.family.windows is not None
                new = new_instance(f"{self.subject.role}-new", public, windows=windows)
                hardware_of_new = self._hardware(new, self.memory_mib)
                disk = former / hardware.DISK
                virtual_machine.prepare(folder, hardware_of_new, disk, size, new)
                yield from self._start(name, folder, hardware_of_new, new, key, ended)
            else:  # the last, since it takes the disk away
                moved = dataclasses.replace(told, mac=random_mac())
                larger = self._hardware(moved, self.memory_mib + MORE_MEMORY_MIB, moved=True)
                virtual_machine.move(former, folder, larger, size + MORE_DISK, moved)
                yield from self._start(name, folder, larger, moved, LOGIN_KEY, ended)

    def _start(
        self,
        name: str,
        folder: Path,
        parts: Hardware,
        told: InstanceData,
        key: str,
        former: Ended,
    ) -> Waiting:
        """One life in a machine of its own, which is ended when it has told of itself."""
        with contextlib.ExitStack() as stack:
            machine = stack.enter_context(virtual_machine.running(folder.name, folder, parts))
            login = contextlib.ExitStack()
            stack.callback(login.close)
            boot = self._boot(machine, login, name, told, key=key)
            yield from self._settle(boot)
            assert boot.outcome is not None
            if boot.outcome.ready:
                boot.account = yield from self._account(machine.name)
            self.subject.record(name, Life(former, boot.outcome, boot.account, told.name))

    def _boot(
        self,
        machine: VirtualMachine,
        login: contextlib.ExitStack,
        life: str,
        told: InstanceData,
        *,
        key: str = LOGIN_KEY,
        again: bool = False,
    ) -> Boot:
        name = self.subject.role if life == FIRST else f"{self.subject.role}-{life}"
        boot = Boot(
            machine,
            self.subject.case,
            life,
            login.enter_context(self.way.login(machine, told, key)),
            self.boot_limit,
            self.artifact.folder / f"console-{name}.log",
            again,
            self.way.reads_screen,
        )
        self.boots.append(boot)
        return boot

    def _settle(self, boot: Boot) -> Waiting:
        while boot.outcome is None:
            boot.machine.check_emulator()
            boot.poll()
            yield

    def _timed(self, what: str, work: Generator[None, None, T]) -> Generator[None, None, T]:
        begun = time.monotonic()
        result = yield from work
        seconds = round(time.monotonic() - begun, 2)
        self.spans.append(Span(f"{what}_{self.subject.role}", begun, seconds))
        return result

    def _account(self, name: str) -> Generator[None, None, Mapping[str, str]]:
        limit = account.FINISH_LIMIT + self.power_off_limit
        with self.way.asking(name, self.subject.case.brief, limit) as asking:
            while (said := asking.answered()) is None:
                yield
        if said and guest_agent.is_declared(self.subject.case.properties):
            return {**said, account.AGENT: guest_agent.asked(self.subject.folder / hardware.AGENT)}
        return said

    def _watch_screen(self, machine: VirtualMachine, boot: Boot) -> Waiting:
        """Wait until a desktop is there to be seen, or for as long as it may take."""
        limit = screen.LIMIT * (screen.EMULATION if self.accelerator.kind == TCG else 1.0)
        begun = boot.observer.pace()
        shown = screen.look(machine)
        while not shown.is_graphics and boot.observer.pace() - begun < limit:
            deadline = time.monotonic() + screen.INTERVAL
            while time.monotonic() < deadline:
                machine.check_emulator()
                yield
            shown = screen.look(machine)
        self.subject.show(shown)
        machine.monitor.screenshot(boot.screenshot.resolve())  # for the report

    def _give_up(self, lives: tuple[str, ...]) -> None:
        for name in lives:
            self.subject.record(name, _never())
        self.subject.finish(None)

    def _hardware(self, told: InstanceData, memory_mib: int, *, moved: bool = False) -> Hardware:
        case = self.subject.case
        return Hardware(
            firmware=case.firmware,
            memory_mib=memory_mib,
            processors=case.processors,
            uuid=random_uuid() if moved else told.uuid,
            mac=told.mac,
            accelerator=self.accelerator.qemu_arguments(self.family.properties, self.family.arch),
            properties=case.properties,
            source=case.source,
            second_mac=told.second_mac,
            second_disk=cases.SECOND_DISK if case.second_disk else 0,
            stateful_ipv6=told.stateful_ipv6,
            port=self.way.port,
            local_time=self.family.windows is not None,
            arch=self.family.arch,
        )


def new_instance(
    role: str,
    public_key: str,
    *,
    second_card: bool = False,
    stateful_ipv6: bool = False,
    windows: bool = False,
) -> InstanceData:
    """What a new instance is told, with a name and addresses that no other has.

    :param windows: whether it is logged in to with a password; its name fits into 15 characters.
    """
    name = f"v-{role[:6]}-{secrets.token_hex(3)}" if windows else ""
    told = InstanceData(
        name=name or f"verify-{role}-{secrets.token_hex(3)}",
        public_key=public_key,
        mac=random_mac(),
        second_mac=random_mac() if second_card else "",
        stateful_ipv6=stateful_ipv6,
    )
    if not windows:
        return told
    script = windows_way.user_data(told.marker)
    return dataclasses.replace(told, admin_password=password(), script=script)


def random_mac() -> str:
    """An address as Neutron gives it."""
    return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))


def random_uuid() -> str:
    """Of a machine, as another host would give it."""
    digits = secrets.token_hex(16)
    return "-".join(
        (digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:])
    )


def _never() -> Life:
    return Life(None, Outcome(False, 0.0, "the life before it did not come to a good end"))


def _stuck(ended: Ended) -> Life:
    reason = f"the machine did not start again {ended.seconds:.0f} s after it was told to"
    return Life(ended, Outcome(False, ended.seconds, reason, Picture.STANDS_STILL))
