"""What the stage tells the checks, which run in a process of their own: files in one folder.

The session is written before the machines have booted. Each machine's outcome follows when it is
known; the checks wait for it, so that their own start costs no time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.artifacts import write_json
from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.config_drive import MTU, InstanceData
from imagecycle.model import TEXT, Budgets, Explained, LeftOut
from imagecycle.verify.cases import Case
from imagecycle.verify.screen import Screen
from imagecycle.verify.windows_declared import Declared

SESSION = "session.json"
OUTCOME = "outcome.json"
ACCOUNT = "account.json"
END = "end.json"
SCREEN = "screen.json"
RELEASED = "released"
RESOLVERS = ("10.0.2.3", "fd69:6d61:6765:1::3", "172.16.0.3")
"""Those that the network of machines on this host offers"""


@dataclass(frozen=True)
class Outcome:
    """Whether a machine let the injected key in, after how many seconds, else why not."""

    ready: bool
    seconds: float
    reason: str = ""
    picture: str = ""
    """A :class:`imagecycle.verify.pictures.Picture`, or empty"""
    evidence: tuple[str, ...] = ()
    pace: float = 0.0
    """The seconds without those in which the machine waited for a processor of its host"""


@dataclass(frozen=True)
class Ended:
    """How a life ended: seconds from the order to the end, and why in QEMU's words.

    ``reason`` is None for a machine that was still running at the limit.
    """

    seconds: float
    reason: str | None
    unclean: tuple[str, ...] = ()
    """Partitions whose file system was not left clean"""


@dataclass(frozen=True)
class Life:
    """What became of a machine after its first boot."""

    ended: Ended | None
    """The life before it; None where that never came"""
    outcome: Outcome
    account: Mapping[str, str] = field(default_factory=dict)
    """What the guest said of itself, see :mod:`imagecycle.verify.account`"""
    name: str = ""
    """That the instance was given"""


@dataclass(frozen=True)
class Subject:
    """One of the machines that the checks look at."""

    case: Case
    folder: Path
    instance_data: InstanceData

    @property
    def role(self) -> str:
        """``instance``, ``twin``, or another case's name: also its name for ssh"""
        return self.case.name

    @property
    def firmware(self) -> str:
        return self.case.firmware

    @property
    def console(self) -> Path:
        return self.folder / hardware.CONSOLE

    def announce(self, outcome: Outcome) -> None:
        write_json(self.folder / OUTCOME, asdict(outcome))

    def outcome(self, limit: float) -> Outcome:
        """Wait until the outcome of the boot is known.

        :raises ImagecycleError: when it is not announced within ``limit`` seconds.
        """
        words = self._wait(OUTCOME, limit)
        return Outcome(**{**words, "evidence": tuple(words.get("evidence", ()))})

    def tell(self, account: Mapping[str, str]) -> None:
        write_json(self.folder / ACCOUNT, dict(account))

    def account(self, limit: float) -> Mapping[str, str]:
        """Wait for what the guest says of itself; nothing where it could not be asked."""
        return self._wait(ACCOUNT, limit)

    def show(self, screen: Screen) -> None:
        write_json(self.folder / SCREEN, asdict(screen))

    def screen(self, limit: float) -> Screen:
        """Wait until it is known what the screen shows at rest; asked for desktops alone."""
        return Screen(**self._wait(SCREEN, limit))

    def record(self, name: str, life: Life) -> None:
        write_json(self.folder / f"life-{name}.json", asdict(life))

    def life(self, name: str, limit: float) -> Life:
        """Wait until it is known what became of one of its lives."""
        words = self._wait(f"life-{name}.json", limit)
        return Life(
            ended=Ended(**words["ended"]) if words["ended"] else None,
            outcome=Outcome(**words["outcome"]),
            account=words["account"],
            name=words["name"],
        )

    def finish(self, ended: Ended | None) -> None:
        write_json(self.folder / END, asdict(ended) if ended else {})

    def end(self, limit: float) -> Ended | None:
        """Wait until the machine has ended by its power button; None where it was not pressed."""
        words = self._wait(END, limit)
        return Ended(**words) if words else None

    @property
    def off(self) -> bool:
        """Whether the machine has ended: its console will say nothing more."""
        return (self.folder / END).exists()

    def release(self) -> None:
        """Say that no check needs the machine's first life any more."""
        self.folder.with_name(f"{self.role}.{RELEASED}").touch()

    @property
    def released(self) -> bool:
        return self.folder.with_name(f"{self.role}.{RELEASED}").exists()

    def _wait(self, name: str, limit: float) -> dict[str, Any]:
        path = self.folder / name
        deadline = time.monotonic() + limit
        while not path.exists():
            if time.monotonic() > deadline:
                raise ImagecycleError(f"nothing is known of the {self.role} after {limit:.0f} s")
            time.sleep(0.05)
        words: dict[str, Any] = json.loads(path.read_text())
        return words


@dataclass(frozen=True)
class NetworkFacts:
    """What the network gives that the machines are in."""

    mtu: int = MTU
    """0: not known"""
    resolvers: tuple[str, ...] = RESOLVERS
    """Empty: not known"""
    has_ipv6: bool = True


@dataclass(frozen=True)
class Session:
    """One run of the checks."""

    folder: Path
    family: str
    flavour: str
    distro: str
    """Glance's os_distro, by which :mod:`imagecycle.systems` knows the system"""
    admin_user: str
    disk: Path
    """The pristine disk of the release"""
    size: int
    """Of the release's disk, in bytes"""
    leave_out: tuple[LeftOut, ...]
    added: tuple[str, ...]
    """The paths of the files that the catalog puts into the image"""
    explained: tuple[Explained, ...]
    budgets: Budgets
    boot_limit: float
    """Seconds within which each machine's outcome is announced"""
    power_off_limit: float
    """Seconds from the power button to the machine's end"""
    subjects: tuple[Subject, ...]
    windows: Declared | None = None
    """What the catalog promises of a Windows"""
    screen: str = TEXT
    """What the flavour says that servers show: ``text`` or ``graphics``"""
    network: NetworkFacts = NetworkFacts()
    cloud: str = ""
    """The cloud that the instance runs in; empty for machines on this host"""
    has_console: bool = True
    """Whether it is known what the instance says on its console"""

    def subject(self, role: str) -> Subject:
        return next(subject for subject in self.subjects if subject.role == role)

    def write(self) -> Path:
        path = self.folder / SESSION
        write_json(path, asdict(self))
        return path

    @classmethod
    def read(cls, path: Path) -> Session:
        words = json.loads(path.read_text())
        subjects = tuple(
            Subject(
                Case(**{**one["case"], "lives": tuple(one["case"]["lives"])}),
                Path(one["folder"]),
                InstanceData(**one["instance_data"]),
            )
            for one in words.pop("subjects")
        )
        folder, disk = Path(words.pop("folder")), Path(words.pop("disk"))
        explained = tuple(Explained(**one) for one in words.pop("explained"))
        leave_out = tuple(LeftOut(**one) for one in words.pop("leave_out"))
        added = tuple(words.pop("added"))
        declared = words.pop("windows", None)
        network = words.pop("network")
        return cls(
            folder=folder,
            disk=disk,
            leave_out=leave_out,
            added=added,
            explained=explained,
            budgets=Budgets(**words.pop("budgets")),
            subjects=subjects,
            windows=Declared.read(declared) if declared else None,
            network=NetworkFacts(**{**network, "resolvers": tuple(network["resolvers"])}),
            **words,
        )
