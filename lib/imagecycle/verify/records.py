"""What a run leaves in the artifact folder: for programs, for Jenkins and for people."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import asdict
from typing import Any

from imagecycle import __version__, command
from imagecycle.artifacts import Artifact, ArtifactStore, Record, write_text
from imagecycle.machine import platforms
from imagecycle.model import Family
from imagecycle.verify import comparison, report, verdict
from imagecycle.verify.run import Findings
from imagecycle.verify.verdict import LEFT_OUT

HTML = "verify.html"
JUNIT = "verify.xml"


def record(family: Family, artifact: Artifact, built: Record, findings: Findings) -> dict[str, Any]:
    """What ``verify.json`` says."""
    results = findings.results
    return {
        "family": artifact.family,
        "release": str(artifact.release),
        "matrix": findings.matrix,
        "verdict": verdict.verdict(results),
        "disk_sha256": built["disk"]["sha256"],
        "started_at": findings.started_at.isoformat(timespec="seconds"),
        "ended_at": findings.ended_at.isoformat(timespec="seconds"),
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
                "title": machine.title,
                "pace": machine.pace,
                "picture": machine.picture,
                "evidence": list(machine.evidence),
                "stages": dict(machine.stages),
                "memory_mib": machine.memory_mib,
                "disk_mib": machine.disk_mib,
                "seconds_asked": machine.seconds_asked,
            }
            for machine in findings.machines
        ],
        "accelerator": {
            "kind": findings.accelerator.kind,
            "reason": findings.accelerator.reason,
        },
        "versions": _versions(platforms.of(family.arch).emulator),
    }


def keep(
    store: ArtifactStore,
    artifact: Artifact,
    title: str,
    record: dict[str, Any],
    findings: Findings,
) -> None:
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
        comparison=comparison.with_previous(store, artifact, record),
    )
    write_text(artifact.folder / HTML, page)
    artifact.write_record("verify", record)


def _versions(emulator: str) -> dict[str, str]:
    qemu = command.run([emulator, "--version"], timeout=30).stdout.splitlines()[0]
    return {"imagecycle": __version__, "qemu": qemu, "python": platform.python_version()}
