"""One run: two machines of a release side by side, and the checks that look at them."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle.artifacts import Artifact
from imagecycle.errors import ImagecycleError
from imagecycle.machine import virtual_machine
from imagecycle.machine.accelerator import Accelerator
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.model import Explained, Family
from imagecycle.site import Site
from imagecycle.verify import checking, console, guest, power_off
from imagecycle.verify.readiness import Boot
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.session import INSTANCE, TWIN, Session, Subject
from imagecycle.verify.verdict import CheckResult

GROWTH = 2 * 2**30
"""Bytes by which the machines' disks are larger than the image, to see that it grows."""
MEMORY_FLOOR_MIB = 256
CHECKS_LIMIT = 900.0
"""Seconds that all checks together may take after the boots."""
POLL = 0.05
STORAGE_INTERVAL = 3.0


@dataclass(frozen=True)
class Findings:
    """What a run has brought to light."""

    accelerator: Accelerator
    started_at: datetime.datetime
    ended_at: datetime.datetime
    results: Sequence[CheckResult]
    machines: Sequence[MachineReport]
    spans: Sequence[Span]
    total: float


@dataclass(frozen=True)
class Run:
    """What a run works on."""

    family: Family
    site: Site
    artifact: Artifact
    folder: Path
    accelerator: Accelerator

    def carry_out(self) -> Findings:
        """Boot both machines, let the checks look at them, collect what there is to know.

        :raises EmulatorCrashed: when the machines did not live as long as it takes.
        """
        started_at = datetime.datetime.now(datetime.UTC)
        begun = time.monotonic()
        size = virtual_machine.virtual_size(self.artifact.disk) + GROWTH
        key = guest.make_key(self.folder)
        subjects = self._subjects(key)
        session = Session(
            folder=self.folder,
            distro=self.family.distro,
            admin_user=self.family.admin_user,
            disk=self.artifact.disk.resolve(),
            size=size,
            q35=self._hardware(subjects[0]).q35,
            leave_out=self.family.leave_out_checks,
            added=tuple(file.path for file in self.family.files),
            explained=self._explained(),
            boot_limit=self.site.boot_timeout + 60,
            power_off_limit=power_off.LIMITS[self.accelerator.kind],
            subjects=subjects,
        )
        for subject in subjects:
            virtual_machine.prepare(
                subject.folder, subject.firmware, session.disk, size, subject.instance_data
            )
        with contextlib.ExitStack() as stack:
            boots = self._power_on(stack, subjects)
            checks = stack.enter_context(checking.running(self.folder, session.write()))
            self._follow(boots, checks)
            ended = time.monotonic()
        results = checks.results()
        return Findings(
            accelerator=self.accelerator,
            started_at=started_at,
            ended_at=datetime.datetime.now(datetime.UTC),
            results=results,
            machines=[self._machine_report(boot) for boot in boots],
            spans=_spans(boots, begun, ended),
            total=round(time.monotonic() - begun, 2),
        )

    def _explained(self) -> tuple[Explained, ...]:
        of_site = (Explained(e.check, e.what, e.reason) for e in self.site.explained)
        return (*self.family.explained, *of_site)

    def _subjects(self, key: str) -> tuple[Subject, ...]:
        firmwares = self.family.firmware
        return tuple(
            Subject(
                role=role,
                folder=self.folder / role,
                firmware=firmware,
                instance_data=InstanceData(
                    name=f"verify-{role}-{secrets.token_hex(3)}",
                    public_key=key,
                    mac="fa:16:3e:" + ":".join(f"{b:02x}" for b in secrets.token_bytes(3)),
                ),
            )
            for role, firmware in ((INSTANCE, firmwares[0]), (TWIN, firmwares[-1]))
        )

    def _hardware(self, subject: Subject) -> Hardware:
        return Hardware(
            firmware=subject.firmware,
            memory_mib=max(self.family.min_ram_mib, MEMORY_FLOOR_MIB),
            processors=max(1, min(2, (os.cpu_count() or 1) // 2)),
            uuid=subject.instance_data.uuid,
            mac=subject.instance_data.mac,
            accelerator=self.accelerator.qemu_arguments(self.family.properties),
            properties=self.family.properties,
        )

    def _power_on(self, stack: contextlib.ExitStack, subjects: Sequence[Subject]) -> list[Boot]:
        machines = [
            stack.enter_context(
                virtual_machine.running(subject.role, subject.folder, self._hardware(subject))
            )
            for subject in subjects
        ]
        ports = {machine.name: machine.port for machine in machines}
        guest.write_config(self.folder, self.family.admin_user, ports)
        return [
            Boot(
                machine,
                subject,
                stack.enter_context(guest.login(subject.role, self.folder, machine.port)),
                self.site.boot_timeout,
                self.artifact.folder / f"console-{subject.role}.log",
            )
            for machine, subject in zip(machines, subjects, strict=True)
        ]

    def _follow(self, boots: Sequence[Boot], checks: checking.Checks) -> None:
        begun = time.monotonic()
        deadline = begun + self.site.boot_timeout + CHECKS_LIMIT
        next_look = begun + STORAGE_INTERVAL
        while not checks.done():
            for boot in boots:
                boot.machine.check_emulator()
                boot.poll()
            if time.monotonic() > next_look:
                next_look += STORAGE_INTERVAL
                for boot in boots:
                    boot.machine.check_storage()
            if time.monotonic() > deadline:
                raise ImagecycleError(
                    f"the checks have not ended after {CHECKS_LIMIT:.0f} s",
                    hint="run verify again with --keep and look at checks.log",
                )
            time.sleep(POLL)
        for boot in boots:
            boot.machine.check_emulator()

    def _machine_report(self, boot: Boot) -> MachineReport:
        outcome = boot.outcome
        return MachineReport(
            role=boot.subject.role,
            firmware=boot.subject.firmware,
            ready=outcome is not None and outcome.ready,
            seconds=outcome.seconds if outcome is not None else 0.0,
            reason=outcome.reason if outcome is not None else "it was not waited for",
            console=console.read(boot.machine.console),
            firmware_log=console.read(boot.machine.firmware_log),
            screenshot_file=boot.screenshot if boot.screenshot.exists() else None,
        )


def _spans(boots: Sequence[Boot], begun: float, ended: float) -> list[Span]:
    spans = []
    last = begun
    for boot in boots:
        seconds = boot.outcome.seconds if boot.outcome is not None else 0.0
        at = boot.machine.started - begun
        spans.append(Span(f"boot_{boot.subject.role}", round(at, 2), seconds))
        if boot.subject.role == INSTANCE:
            last = boot.machine.started + seconds
    spans.append(Span("checks", round(last - begun, 2), round(ended - last, 2)))
    return spans
