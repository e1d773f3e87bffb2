"""Keeps an eye on a machine while it boots: what it has reached, and whether it still moves."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from collections.abc import Callable

from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.packets import Traffic
from imagecycle.machine.virtual_machine import VirtualMachine
from imagecycle.machine.vitals import Probe, Vitals
from imagecycle.verify import console, stalls
from imagecycle.verify.film import Film, Frame
from imagecycle.verify.stalls import Network, Situation, Stall
from imagecycle.verify.way_in import Login

AGAIN = "network-again.pcap"
CONSOLE_INTERVAL = 0.25
VITALS_INTERVAL = 1.0
SCREEN_INTERVAL = 2.0
KEPT_TEXT = 2**16
"""Characters of the console's end that the rules look at"""
LATELY = 8.0
"""Seconds over which the processor's use is measured"""

FIRMWARE, LOADER, KERNEL, USER_SPACE, CONTEXTUALISATION, PROMPT, FINISHED = (
    "firmware",
    "boot loader",
    "kernel",
    "user space",
    "contextualisation",
    "login prompt",
    "contextualisation finished",
)
MARKS = {
    LOADER: re.compile(
        r"Booting from (Hard Disk|[0-9a-f]{4}:7c00)|BdsDxe: starting Boot|Welcome to GRUB"
    ),
    KERNEL: re.compile(r"Linux version \d"),
    USER_SPACE: re.compile(
        r"systemd\[1\]: |INIT: version|Welcome to (?!GRUB).{1,200}!$|OpenRC \d", re.M
    ),
    CONTEXTUALISATION: re.compile(r"Cloud-init v\. \S+ running 'init-local'"),
    PROMPT: stalls.PROMPT,
    FINISHED: re.compile(r"Cloud-init v\. \S+ finished at"),
}
_START = re.compile(r"Booting from 0000:7c00|BdsDxe: starting Boot")
_OVERLAP = 200
"""Characters looked at again, so that words which arrive in two parts are seen whole"""


class Observer:
    """Looks at one machine, as often as :meth:`look` is called and no more than is useful."""

    def __init__(
        self,
        machine: VirtualMachine,
        login: Login,
        again: bool = False,
        judge: Callable[[Situation], Stall | None] = stalls.judge,
    ) -> None:
        self.reached: dict[str, float] = {FIRMWARE: 0.0}
        """Seconds after power-on at which each stage was first seen"""
        self.text = self.firmware_text = ""
        """The ends of what the serial console and the firmware's log say"""
        self.screen = ""
        """The words on the screen, in text mode"""
        record = machine.folder / (AGAIN if again else hardware.NETWORK)
        self.traffic = Traffic(record, machine.hardware.mac)
        self._machine = machine
        self._judge = judge
        self._film = Film(machine)
        self._login = login
        self._probe = Probe(machine)
        self._console = console.Reader(machine.console, from_now=again)
        self._firmware = console.Reader(machine.firmware_log, from_now=again)
        self._paces: dict[str, float] = {}
        self._system = False
        self._starts = 0
        self._moved = 0.0
        self._last: tuple[int, int] = (0, 0)
        self._work: deque[tuple[float, float]] = deque()
        self._hindered = 0.0
        self._hindered_before = 0.0
        """In the lives before"""
        if again:
            with contextlib.suppress(ImagecycleError):
                self._hindered_before = self._probe.vitals().hindered
                machine.monitor.record_network(record.resolve())
        self._next = dict.fromkeys(("console", "vitals", "screen"), 0.0)

    def look(self) -> Stall | None:
        """Take in what has happened; the reason for which it will not come up, if there is one."""
        if self._due("console", CONSOLE_INTERVAL):
            self._read_logs()
        if self._due("screen", SCREEN_INTERVAL):
            with contextlib.suppress(ImagecycleError):  # QEMU may be going
                if self._probe.look_at_screen():
                    self._film.add(self._seconds())
                self.screen = self._probe.screen_text()
        if not self._due("vitals", VITALS_INTERVAL):
            return None
        with contextlib.suppress(ImagecycleError):
            self._take(self._probe.vitals())
        self.traffic.read()
        return self._judge(self.situation())

    def situation(self) -> Situation:
        """What the rules decide from."""
        pace = self.pace()
        return Situation(
            system=self._system,
            handed_over=LOADER in self.reached,
            still=pace - self._moved,
            busy=self._busy(),
            console=self.text,
            firmware=self.firmware_text,
            screen=self.screen,
            starts=self._starts,
            prompt=self._since(PROMPT),
            finished=self._since(FINISHED),
            pace=pace,
            network=Network(
                has_address=self.traffic.has_address,
                addresses_asked=self.traffic.addresses_asked,
                address_granted=self.traffic.address_granted,
                ssh_refused=self.traffic.ssh_refused,
                ssh_accepted=self.traffic.ssh_accepted,
            ),
            ssh_answered=self._login.answered is not None,
            key_refused=self._login.refused,
        )

    @property
    def frames(self) -> list[Frame]:
        """Pictures of the screen as it changed."""
        return self._film.frames

    def evidence(self) -> list[str]:
        """What speaks for a verdict, for people."""
        now = self.situation()
        stages = ", ".join(f"{name} {at:.1f} s" for name, at in self.reached.items())
        net = self.traffic
        return [
            f"reached: {stages}",
            f"console, screen and disk still for {now.still:.0f} s, "
            f"processor {now.busy:.0%} busy lately",
            f"network: {net.sent} packets sent, {net.addresses_asked} requests for an address, "
            f"{'granted' if net.address_granted else 'none granted'}; connections to SSH: "
            f"{net.ssh_accepted} accepted, {net.ssh_refused} refused",
            f"waited {self._hindered:.0f} s for a processor of this host",
        ]

    def _read_logs(self) -> None:
        said, firmware = self._console.fresh(), self._firmware.fresh()
        if console.telling(said) or firmware:
            self._moved = self.pace()
        for before, fresh in ((self.text, said), (self.firmware_text, firmware)):
            if fresh:
                self._recognise(before[-_OVERLAP:], fresh)
        self.text = (self.text + said)[-KEPT_TEXT:]
        self.firmware_text = (self.firmware_text + firmware)[-KEPT_TEXT:]

    def _recognise(self, before: str, fresh: str) -> None:
        text = before + fresh
        self._starts += len(_START.findall(text)) - len(_START.findall(before))
        for mark, pattern in MARKS.items():
            if mark not in self.reached and pattern.search(text):
                self._reach(mark)

    def _take(self, vitals: Vitals) -> None:
        self._hindered = max(self._hindered, vitals.hindered - self._hindered_before)
        if vitals.system and not self._system:
            self._system = True
            self._reach(KERNEL)
        state = (vitals.disk, vitals.screens)
        pace = self.pace()
        if state != self._last or not self._work:
            self._moved, self._last = pace, state
        self._work.append((pace, vitals.worked))
        while len(self._work) > 2 and pace - self._work[1][0] > LATELY:
            self._work.popleft()

    def _busy(self) -> float:
        if len(self._work) < 2:
            return 1.0
        (begin, before), (end, after) = self._work[0], self._work[-1]
        return (after - before) / max(end - begin, 0.001)

    def _reach(self, mark: str) -> None:
        self.reached.setdefault(mark, round(self._seconds(), 2))
        self._paces.setdefault(mark, self.pace())

    def _since(self, mark: str) -> float | None:
        return self.pace() - self._paces[mark] if mark in self._paces else None

    def _seconds(self) -> float:
        return time.monotonic() - self._machine.started

    def pace(self) -> float:
        """Seconds since power-on without those in which it waited for a processor."""
        return self._seconds() - self._hindered

    def _due(self, what: str, interval: float) -> bool:
        now = time.monotonic()
        if now < self._next[what]:
            return False
        self._next[what] = now + interval
        return True
