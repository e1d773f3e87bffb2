"""The verify stage: boot a release twice as the cloud will, check it, record what was found."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import secrets
import shutil
import textwrap
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagecycle import __version__, accelerator, command, log
from imagecycle.accelerator import Accelerator
from imagecycle.artifacts import Artifact, ArtifactStore, Record, checksums, write_text
from imagecycle.errors import DefectsFound, ImagecycleError, UsageError
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import (
    checking,
    console,
    guest,
    hardware,
    power_off,
    report,
    verdict,
    virtual_machine,
)
from imagecycle.verify.config_drive import Told
from imagecycle.verify.hardware import Hardware
from imagecycle.verify.readiness import Boot
from imagecycle.verify.report import MachineReport, Span
from imagecycle.verify.session import INSTANCE, TWIN, Session, Subject
from imagecycle.verify.verdict import LEFT_OUT, PASSED, CheckResult
from imagecycle.verify.work_folder import work_folder

GROWTH = 2 * 2**30
"""Bytes by which the machines' disks are larger than the image, to see that it grows."""
MEMORY_FLOOR_MIB = 256
CHECKS_LIMIT = 900.0
"""Seconds that all checks together may take after the boots."""
POLL = 0.05
STORAGE_INTERVAL = 3.0
HTML = "verify.html"
JUNIT = "verify.xml"


def verify(family: Family, site: Site, *, release: str | None, force: bool, keep: bool) -> Path:
    """Boot a release of a family and check what its users would meet.

    :param release: the release, or None for the newest.
    :param force: verify again what has been verified.
    :param keep: leave the working folder.
    :return: the HTML report; beside it lie ``verify.json``, ``verify.xml``, consoles and
        screenshots.
    :raises DefectsFound: when a check failed; everything has been recorded by then.
    :raises ImagecycleError: when nothing can be said about the image.
    """
    if family.os_type != "linux" or family.arch not in hardware.ARCHITECTURES:
        raise UsageError(f"verify cannot boot {family.os_type} on {family.arch} yet")
    store = ArtifactStore(site.artifacts)
    artifact = store.find(family.slug, release)
    built = _build_record(artifact)
    if not force and _verified(artifact, built):
        log.say(f"{family.slug} {artifact.release} has been verified and has not changed")
        return artifact.folder / HTML
    with (
        store.lock(family.slug, "verify"),
        log.step(f"verifying {family.slug} {artifact.release}"),
        work_folder(site.work, f"{family.slug}-{artifact.release}", keep=keep) as folder,
    ):
        _compare_disk(artifact, built)
        run = _Run(family, site, artifact, folder, accelerator.find(site))
        findings = run.carry_out()
        record = run.record(findings, built)
        _keep(artifact, family.title, record, findings)
    results = findings.results
    log.say(report.summary(results))
    if record["verdict"] != PASSED:
        defects = [r for r in results if r.outcome not in (PASSED, LEFT_OUT)]
        for result in defects:
            message = textwrap.shorten(result.message, 160, placeholder=" ...")
            log.say(f"{result.outcome}: {result.id}: {message}")
        names = ", ".join(r.id for r in defects) or "no check was run"
        raise DefectsFound(
            f"{family.slug} {artifact.release} has defects: {names}",
            hint=f"read {artifact.folder / HTML}",
        )
    return artifact.folder / HTML


def _build_record(artifact: Artifact) -> Record:
    built = artifact.record("build")
    try:
        if built is not None and built["disk"]["sha256"]:
            return built
    except (KeyError, TypeError):
        pass
    raise ImagecycleError(
        f"{artifact.folder} has no record of its build",
        hint=f"build it with `imagecycle build {artifact.family}`",
    )


def _verified(artifact: Artifact, built: Record) -> bool:
    record = artifact.record("verify") or {}
    same = record.get("disk_sha256") == built["disk"]["sha256"]
    return same and record.get("verdict") == PASSED and (artifact.folder / HTML).exists()


def _compare_disk(artifact: Artifact, built: Record) -> None:
    """:raises ImagecycleError: when the disk is not the one that was built."""
    again = f"build it again with `imagecycle build {artifact.family} --force`"
    try:
        with log.transfer("checksum", artifact.disk.stat().st_size) as progress:
            actual = checksums(artifact.disk, progress)["sha256"]
    except OSError as error:
        raise ImagecycleError(
            f"cannot read {artifact.disk}: {error.strerror}", hint=again
        ) from None
    if actual != built["disk"]["sha256"]:
        raise ImagecycleError(
            f"{artifact.disk} is not the disk that was built: its sha256 differs from build.json",
            hint=again,
        )


@dataclass(frozen=True)
class Findings:
    """What a run has brought to light."""

    started_at: datetime.datetime
    results: Sequence[CheckResult]
    machines: Sequence[MachineReport]
    spans: Sequence[Span]
    total: float


@dataclass(frozen=True)
class _Run:
    family: Family
    site: Site
    artifact: Artifact
    folder: Path
    accelerator: Accelerator

    def carry_out(self) -> Findings:
        """Boot both machines, let the checks look at them, collect what there is to know."""
        started_at = datetime.datetime.now(datetime.UTC)
        begun = time.monotonic()
        size = virtual_machine.virtual_size(self.artifact.disk) + GROWTH
        key = guest.make_key(self.folder)
        subjects = self._subjects(key)
        session = Session(
            folder=self.folder,
            admin_user=self.family.admin_user,
            disk=self.artifact.disk.resolve(),
            size=size,
            q35=self._hardware(subjects[0]).q35,
            leave_out=self.family.leave_out_checks,
            boot_limit=self.site.boot_timeout + 60,
            power_off_limit=power_off.LIMITS[self.accelerator.kind],
            subjects=subjects,
        )
        for subject in subjects:
            virtual_machine.prepare(
                subject.folder, subject.firmware, session.disk, size, subject.told
            )
        with contextlib.ExitStack() as stack:
            boots = self._power_on(stack, subjects)
            checks = stack.enter_context(checking.running(self.folder, session.write()))
            self._follow(boots, checks)
            ended = time.monotonic()
        results = checks.results()
        return Findings(
            started_at=started_at,
            results=results,
            machines=[self._machine_report(boot) for boot in boots],
            spans=_spans(boots, begun, ended),
            total=round(time.monotonic() - begun, 2),
        )

    def _subjects(self, key: str) -> tuple[Subject, ...]:
        firmwares = self.family.firmware
        return tuple(
            Subject(
                role=role,
                folder=self.folder / role,
                firmware=firmware,
                told=Told(
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
            uuid=subject.told.uuid,
            mac=subject.told.mac,
            accelerator=self.accelerator.qemu_arguments,
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

    def record(self, findings: Findings, built: Record) -> dict[str, Any]:
        """What ``verify.json`` says."""
        results = findings.results
        return {
            "family": self.family.slug,
            "release": str(self.artifact.release),
            "verdict": verdict.verdict(results),
            "disk_sha256": built["disk"]["sha256"],
            "started_at": findings.started_at.isoformat(timespec="seconds"),
            "checks": [
                {key: value for key, value in asdict(result).items() if key != "detail"}
                for result in results
            ],
            "left_out": [result.id for result in results if result.outcome == LEFT_OUT],
            "durations": {
                "total": findings.total,
                **{span.name: span.seconds for span in findings.spans},
            },
            "machines": [
                {
                    "role": machine.role,
                    "firmware": machine.firmware,
                    "ready": machine.ready,
                    "seconds_to_login": machine.seconds,
                    "reason": machine.reason,
                }
                for machine in findings.machines
            ],
            "accelerator": {
                "kind": self.accelerator.kind,
                "reason": self.accelerator.reason,
            },
            "versions": _versions(),
        }


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


def _versions() -> dict[str, str]:
    qemu = command.run([hardware.QEMU, "--version"], timeout=30).stdout.splitlines()[0]
    return {"imagecycle": __version__, "qemu": qemu, "python": platform.python_version()}


def _keep(artifact: Artifact, title: str, record: dict[str, Any], findings: Findings) -> None:
    """Leave the records of a run in the artifact folder; the verdict last."""
    for old in (*artifact.folder.glob("console-*.log"), *artifact.folder.glob("screenshot-*.png")):
        old.unlink()
    for machine in findings.machines:
        write_text(artifact.folder / f"console-{machine.role}.log", machine.console)
        if machine.screenshot_file is not None:
            shutil.copyfile(
                machine.screenshot_file, artifact.folder / f"screenshot-{machine.role}.png"
            )
    verdict.write(artifact.folder / JUNIT, findings.results, record["family"], record["release"])
    facts = {
        "Disk (sha256)": record["disk_sha256"],
        "Accelerator": f"{record['accelerator']['kind']}: {record['accelerator']['reason']}",
        "Machine": platform.platform(),
        "Processors": str(os.cpu_count()),
        **record["versions"],
    }
    page = report.render(
        record=record,
        title=title,
        results=findings.results,
        machines=findings.machines,
        spans=findings.spans,
        facts=facts,
    )
    write_text(artifact.folder / HTML, page)
    artifact.write_record("verify", record)
