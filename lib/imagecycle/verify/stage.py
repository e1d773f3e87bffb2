"""The verify stage: boot a release twice as the cloud will, check it, record what was found."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagecycle import log
from imagecycle.artifacts import Artifact, ArtifactStore, Record, checksums
from imagecycle.build.disk import data_in, need_room
from imagecycle.errors import DefectsFound, ImagecycleError
from imagecycle.machine import accelerator, disk_image, platforms
from imagecycle.machine.virtual_machine import EmulatorCrashed
from imagecycle.model import Family, SecurityProfile
from imagecycle.site import Site
from imagecycle.verify import cases, records, report, security_profile
from imagecycle.verify.records import HTML
from imagecycle.verify.run import Run
from imagecycle.verify.verdict import LEFT_OUT, NOT_RUN, PASSED, CheckResult
from imagecycle.verify.work_folder import work_folder

WRITTEN = 2**27
"""Bytes that a machine writes to its disk until it is up, about"""


def verify(
    family: Family,
    site: Site,
    *,
    release: str | None,
    force: bool,
    keep: bool,
    matrix: str = cases.CHEAPEST,
    at_once: int | None = None,
) -> Path:
    """Boot a release of a family and check what its users would meet.

    :param release: the release, or None for the newest.
    :param force: verify again what has been verified.
    :param keep: leave the working folder.
    :param matrix: one of :data:`imagecycle.verify.cases.MATRICES`.
    :param at_once: how many machines may run at a time; by default one for each processor.
    :return: the HTML report; beside it lie ``verify.json``, ``verify.xml``, consoles and
        screenshots.
    :raises DefectsFound: when a check failed; everything has been recorded by then.
    :raises ImagecycleError: when nothing can be said about the image.
    """
    store = ArtifactStore(site.artifacts)
    artifact = store.find(family.slug, release)
    built = _build_record(artifact)
    asked = security_profile.asked_of(family, site)
    if not force and _verified(artifact, built, matrix, asked):
        log.say(f"{family.slug} {artifact.release} has been verified and has not changed")
        return artifact.folder / HTML
    platforms.refuse_missing(family)
    how = _How(
        keep, matrix, at_once or max(2, os.cpu_count() or 1), security_profile.prepare(family, site)
    )
    with (
        store.lock(family.slug, "verify"),
        log.step(f"verifying {family.slug} {artifact.release}"),
    ):
        _compare_disk(artifact, built)
        try:
            verdict, results = _look(family, site, artifact, built, how)
        except EmulatorCrashed as crash:  # software emulation does now and then
            log.say(f"{crash.message}; verifying once more")
            verdict, results = _look(family, site, artifact, built, how)
    log.say(report.summary(results))
    if verdict != PASSED:
        defects = [r for r in results if r.outcome not in (PASSED, LEFT_OUT)]
        for line in report.defect_lines(defects):
            log.say(line)
        names = report.names(defects) or "no check was run"
        raise DefectsFound(
            f"{family.slug} {artifact.release} has defects: {names}",
            hint=f"read {artifact.folder / HTML}",
        )
    return artifact.folder / HTML


@dataclass(frozen=True)
class _How:
    keep: bool
    matrix: str
    at_once: int
    profile: security_profile.Request | None


def _look(
    family: Family, site: Site, artifact: Artifact, built: Record, how: _How
) -> tuple[str, Sequence[CheckResult]]:
    """The verdict and the checks it rests on, once both have been recorded."""
    name = f"{family.slug}-{artifact.release}"
    with work_folder(site.work, name, keep=how.keep) as folder:
        need_room(folder, data_in(artifact.disk) + how.at_once * WRITTEN)
        if how.profile is not None:
            profile = security_profile.scan(how.profile, artifact.disk, folder)
        found = accelerator.fitting(accelerator.find(site), family.arch)
        run = Run(family, site, artifact, folder, found, how.matrix, how.at_once)
        findings = run.carry_out()
        _blame_no_image_for_a_full_disk(site, findings.results)
        record = records.record(family, artifact, built, findings)
        if how.profile is not None:
            record["security_profile"] = profile.as_record()
            record["security_profile_asked"] = asdict(how.profile.asked)
        store = ArtifactStore(site.artifacts)
        records.keep(store, artifact, family.title, record, findings)
    return record["verdict"], findings.results


def _blame_no_image_for_a_full_disk(site: Site, results: Sequence[CheckResult]) -> None:
    """:raises ImagecycleError: when a check was not run because this machine has no room."""
    full = os.strerror(errno.ENOSPC)
    for result in results:
        if result.message.startswith(f"{NOT_RUN}: qemu-img exited") and full in result.message:
            raise ImagecycleError(
                f"no space was left in {site.work} for the disk of the release",
                hint="make room there, or set `home` in the site's settings to a larger place",
            )


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


def _verified(
    artifact: Artifact, built: Record, matrix: str, asked: SecurityProfile | None
) -> bool:
    record = artifact.record("verify") or {}
    if asked is not None and record.get("security_profile_asked") != _as_json(asked):
        return False
    if record.get("matrix", cases.CHEAPEST) not in (matrix, cases.FULL):
        return False
    same = record.get("disk_sha256") == built["disk"]["sha256"]
    return same and record.get("verdict") == PASSED and (artifact.folder / HTML).exists()


def _as_json(asked: SecurityProfile) -> Any:
    """As a record that was written and read again has it."""
    return json.loads(json.dumps(asdict(asked)))


def _compare_disk(artifact: Artifact, built: Record) -> None:
    """:raises ImagecycleError: when the disk is not the one that was built, or is no whole disk."""
    again = f"build it again with `imagecycle build {artifact.family} --force`"
    try:
        with log.transfer("checksum", artifact.disk.stat().st_size) as progress:
            actual = checksums(artifact.disk, progress, ["sha256"])["sha256"]
    except OSError as error:
        raise ImagecycleError(
            f"cannot read {artifact.disk}: {error.strerror}", hint=again
        ) from None
    if actual != built["disk"]["sha256"]:
        raise ImagecycleError(
            f"{artifact.disk} is not the disk that was built: its sha256 differs from build.json",
            hint=again,
        )
    disk_image.check(artifact.disk, again)
