"""Verification in a cloud: boot a release there as its users will, check it, record what it is."""

from __future__ import annotations

import base64
import dataclasses
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle import __version__
from imagecycle.artifacts import Artifact, lock_file, write_text
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession
from imagecycle.cloud.verification_server import RunningServer, VerificationServers
from imagecycle.machine.config_drive import InstanceData
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import guest, report, verdict
from imagecycle.verify.cloud_records import RECORD, Files
from imagecycle.verify.cloud_run import CloudFindings, CloudRun
from imagecycle.verify.verdict import FAILED, LEFT_OUT, PASSED
from imagecycle.verify.work_folder import work_folder

_RECORD_WAIT = 30.0  # seconds for another cloud's entry in the same record


@dataclass(frozen=True)
class CloudVerdict:
    """What came of it."""

    verdict: str
    defects: tuple[str, ...]
    """Names of the checks that failed, then of those that could not be run"""
    summary: str
    page: Path


def verify_image(
    family: Family,
    site: Site,
    artifact: Artifact,
    session: CloudSession,
    image: Image,
    *,
    size: int,
    sha256: str,
    keep: bool,
) -> CloudVerdict:
    """Boot an image in a cloud and check what its users would meet; everything has been recorded.

    :param size: of the disk inside, in bytes.
    :param sha256: of the disk's file.
    :param keep: leave the working folder.
    :raises ImagecycleError: when nothing can be said about the image. In any case nothing of the
        server is left.
    """
    settings = site.settings_of(session.name).verify
    servers = VerificationServers(session, site.home)
    servers.remove_leftovers()
    place = servers.place(settings, image)
    files = Files.of(artifact, session.name)
    name = f"{family.slug}-{artifact.release}"
    with work_folder(site.work, name, keep=keep) as folder:
        told = InstanceData(name="", public_key=guest.make_key(folder), mac="")
        user_data = base64.b64encode(told.user_data.encode()).decode()
        with servers.server(
            image, place, public_key=told.public_key, user_data=user_data, limit=site.boot_timeout
        ) as server:
            run = CloudRun(
                family=family,
                site=site,
                disk=artifact.disk.resolve(),
                size=size,
                folder=folder,
                cloud=session.name,
                place=place,
                server=server,
                told=dataclasses.replace(told, name=server.name, mac=server.mac, uuid=server.id),
                read_console=(lambda: servers.console(server.id)) if settings.console else None,
                read_status=lambda: servers.status(server.id),
                boot_seconds=settings.boot_seconds,
                kept_console=files.console,
            )
            findings = run.carry_out()
        record = _record(sha256, image, server, run, findings)
        _keep(artifact, session.name, files, family.title, record, findings)
    wrong = [one for one in findings.results if one.outcome not in (PASSED, LEFT_OUT)]
    defects = tuple(one.id for one in sorted(wrong, key=lambda one: one.outcome != FAILED))
    return CloudVerdict(record["verdict"], defects, report.summary(findings.results), files.page)


def _record(
    sha256: str, image: Image, server: RunningServer, run: CloudRun, findings: CloudFindings
) -> dict[str, Any]:
    machine = findings.machine
    return {
        "verdict": verdict.verdict(findings.results),
        "disk_sha256": sha256,
        "image_id": image.id,
        "server_id": server.id,
        "flavour": run.place.flavour.name,
        "network": run.place.network.name,
        "address": server.address,
        "started_at": findings.started_at.isoformat(timespec="seconds"),
        "ended_at": findings.ended_at.isoformat(timespec="seconds"),
        "checks": [
            {key: value for key, value in dataclasses.asdict(result).items() if key != "detail"}
            for result in findings.results
        ],
        "left_out": [result.id for result in findings.results if result.outcome == LEFT_OUT],
        "durations": {
            "total": findings.total,
            **{span.name: span.seconds for span in findings.spans},
        },
        "seconds_to_login": machine.seconds if machine.ready else None,
        "reason": machine.reason,
        "memory_mib": machine.memory_mib,
        "disk_mib": machine.disk_mib,
        "versions": {"imagecycle": __version__, "python": platform.python_version()},
    }


def _keep(
    artifact: Artifact,
    cloud: str,
    files: Files,
    title: str,
    record: dict[str, Any],
    findings: CloudFindings,
) -> None:
    """Leave the records of a run in the artifact folder; the verdict last."""
    family, release = artifact.family, str(artifact.release)
    write_text(files.console, findings.machine.console)
    verdict.write(files.junit, findings.results, f"{family} in {cloud}", release)
    page = report.render(
        record={**record, "family": family, "release": release},
        title=f"{title} in {cloud}",
        results=findings.results,
        machines=[findings.machine],
        spans=findings.spans,
        facts={
            "Cloud": cloud,
            "Image": record["image_id"],
            "Flavour": record["flavour"],
            "Network": record["network"],
            "Disk (sha256)": record["disk_sha256"],
            **record["versions"],
        },
    )
    write_text(files.page, page)
    lock = artifact.folder / f".{RECORD}.lock"
    what = f"{artifact.folder}/{RECORD}.json"
    with lock_file(lock, what, f"verify in {cloud}", _RECORD_WAIT):
        clouds = (artifact.record(RECORD) or {}).get("clouds", {})
        artifact.write_record(
            RECORD,
            {"family": family, "release": release, "clouds": {**clouds, cloud: record}},
        )
