"""What the stage tells the checks, which run in a process of their own: files in one folder.

The session is written before the machines have booted. Each machine's outcome follows when it is
known; the checks wait for it, so that their own start costs no time.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from imagecycle.artifacts import write_json
from imagecycle.errors import ImagecycleError
from imagecycle.machine import hardware
from imagecycle.machine.config_drive import InstanceData
from imagecycle.model import Explained

SESSION = "session.json"
OUTCOME = "outcome.json"
INSTANCE = "instance"
TWIN = "twin"


@dataclass(frozen=True)
class Outcome:
    """Whether a machine let the injected key in, after how many seconds, else why not."""

    ready: bool
    seconds: float
    reason: str = ""
    picture: str = ""
    """A :class:`imagecycle.verify.pictures.Picture`, or empty"""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """One of the machines that the checks look at."""

    role: str
    """``instance`` or ``twin``: also its name for ssh"""
    folder: Path
    firmware: str
    instance_data: InstanceData

    @property
    def console(self) -> Path:
        return self.folder / hardware.CONSOLE

    def announce(self, outcome: Outcome) -> None:
        write_json(self.folder / OUTCOME, asdict(outcome))

    def outcome(self, limit: float) -> Outcome:
        """Wait until the outcome of the boot is known.

        :raises ImagecycleError: when it is not announced within ``limit`` seconds.
        """
        path = self.folder / OUTCOME
        deadline = time.monotonic() + limit
        while not path.exists():
            if time.monotonic() > deadline:
                raise ImagecycleError(f"nothing is known of the {self.role} after {limit:.0f} s")
            time.sleep(0.05)
        return Outcome(**json.loads(path.read_text()))


@dataclass(frozen=True)
class Session:
    """One run of the checks."""

    folder: Path
    distro: str
    """Glance's os_distro, by which :mod:`imagecycle.systems` knows the system"""
    admin_user: str
    disk: Path
    """The pristine disk of the release"""
    size: int
    """Of the disks that the machines have, in bytes"""
    q35: bool
    leave_out: tuple[str, ...]
    added: tuple[str, ...]
    """The paths of the files that the catalog puts into the image"""
    explained: tuple[Explained, ...]
    boot_limit: float
    """Seconds within which each machine's outcome is announced"""
    power_off_limit: float
    """Seconds from the power button to the machine's end"""
    subjects: tuple[Subject, ...]

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
            Subject(s["role"], Path(s["folder"]), s["firmware"], InstanceData(**s["instance_data"]))
            for s in words.pop("subjects")
        )
        folder, disk = Path(words.pop("folder")), Path(words.pop("disk"))
        explained = tuple(Explained(**one) for one in words.pop("explained"))
        leave_out, added = tuple(words.pop("leave_out")), tuple(words.pop("added"))
        return cls(
            folder=folder,
            disk=disk,
            leave_out=leave_out,
            added=added,
            explained=explained,
            subjects=subjects,
            **words,
        )
