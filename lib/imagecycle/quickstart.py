"""The whole life of one image on one machine: development cloud, build, verify, publish, and what
becomes of a release that is replaced.

What has been done before is found in place and left alone, so that a second run takes seconds.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from imagecycle import beside, catalog, doctor, tour
from imagecycle.artifacts import Artifact, ArtifactStore, Record
from imagecycle.build import stage as build
from imagecycle.cloud.image import Image
from imagecycle.doctor.finding import Verdict
from imagecycle.errors import DefectsFound, ImagecycleError
from imagecycle.lifecycle import publish
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import stage as verify

FAMILY = "debian-12-x86_64-server"
CLOUD = "devcloud"
STAGES = ("build", "verify", "publish")


@dataclass(frozen=True)
class Done:
    """One stage: what came of it, and how many seconds it took."""

    stage: str
    result: str
    seconds: float


def run(site: Site) -> None:
    """Do what is not done yet, and print a summary on standard output.

    :raises ImagecycleError: when a stage fails; what the doctor sees has been printed by then.
    """
    try:
        _run(site)
    except DefectsFound:
        raise
    except ImagecycleError as error:
        _let_go(error)
        _ask_the_doctor(site)
        raise


def _run(site: Site) -> None:
    family = catalog.find(site.catalog, FAMILY)
    done: list[Done] = []
    report: list[Path] = []
    images: list[Image] = []

    def verify_it() -> None:
        report.append(verify.verify(family, site, release=None, force=False, keep=False))

    def publish_it() -> None:
        image = publish.publish(family, site, cloud=CLOUD, release=None, dry_run=False)
        if image is not None:
            images.append(image)

    work: dict[str, Callable[[], object]] = {
        "build": lambda: build.build(
            family, site, release=None, force=False, dry_run=False, keep=False
        ),
        "verify": verify_it,
        "publish": publish_it,
    }
    began = time.monotonic()
    with beside.running(site, "devcloud", "start", "--with-compute") as finish:
        for name in STAGES:
            if name == "publish":
                done.append(Done("devcloud", "runs (beside the build)", finish()))
            before = _record(site, name)
            took = _timed(work[name])
            same = before is not None and _record(site, name) == before
            done.append(Done(name, "unchanged" if same else "done", took))
    artifact = ArtifactStore(site.artifacts).find(FAMILY, None)
    if any(one.result == "done" for one in done):
        took = _timed(lambda: tour.run(site, artifact, tour.next_of(artifact)))
        done.append(Done("tour", "the life of a release, above", took))
    together = time.monotonic() - began
    _print(family, artifact, done, together, report[0], images[0])


def _timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _record(site: Site, stage: str) -> Record | None:
    """What the newest release has to say about a stage."""
    releases = ArtifactStore(site.artifacts).releases(FAMILY)
    return releases[-1].record(stage) if releases else None


def _print(
    family: Family,
    artifact: Artifact,
    done: list[Done],
    together: float,
    report: Path,
    image: Image,
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"\n[bold]{family.title}[/], release {artifact.release}\n")
    for one in done:
        console.print(f"  {one.stage:<10}{one.seconds:>7.1f} s  {one.result}")
    console.print(f"  {'together':<10}{together:>7.1f} s\n")
    console.print(f"As Glance shows it (cloud {CLOUD}):")
    facts = image.facts()
    width = max(len(key) for key in facts)
    for key, value in facts.items():
        console.print(f"  {key:<{width}}  {escape(str(value))}")
    console.print(f"\nreport  {escape(str(report))}")
    console.print(f"disk    {escape(str(artifact.disk))}\n")
    if all(one.result == "unchanged" for one in done if one.stage in STAGES):
        console.print("Everything was in place and is unchanged.")


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error came through of what they still hold.

    The doctor starts programs from threads, and a forked thread drops what all others hold: it
    would remove their temporary files a second time.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _ask_the_doctor(site: Site) -> None:
    findings = doctor.examine(site)
    doctor.show([finding for finding in findings if finding.verdict is not Verdict.OK])
