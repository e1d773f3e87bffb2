"""The whole life of one image on one machine: development cloud, build, verify, publish, and what
becomes of a release that is replaced.

What has been done before is found in place and left alone, so that a second run takes seconds.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from imagecycle import catalog, devcloud, doctor, shipped
from imagecycle.artifacts import Artifact, ArtifactStore, Record
from imagecycle.build import stage as build
from imagecycle.cloud.image import Image
from imagecycle.doctor.finding import Verdict
from imagecycle.errors import DefectsFound, ImagecycleError
from imagecycle.lifecycle import publish
from imagecycle.operations import stage as operations
from imagecycle.site import Site
from imagecycle.tour import background, release_life
from imagecycle.verify import stage as verify

FAMILY = "debian-12-x86_64-server"
CLOUD = "devcloud"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Done:
    """One stage: what came of it, and how many seconds it took."""

    stage: str
    result: str
    seconds: float


def run(site: Site, *, with_dashboard: bool = False) -> None:
    """Do what is not done yet, and print a summary on standard output.

    :param with_dashboard: start the development cloud's dashboard too.
    :raises ImagecycleError: when a stage fails; what the doctor sees has been printed by then.
    """
    try:
        _Quickstart(site, with_dashboard=with_dashboard).run()
    except DefectsFound:
        raise
    except ImagecycleError as error:
        _let_go(error)
        _ask_the_doctor(site)
        raise


class _Quickstart:
    """One run: the stages that were taken, and what they left."""

    def __init__(self, site: Site, *, with_dashboard: bool) -> None:
        self.site = site
        self.with_dashboard = with_dashboard
        self.family = catalog.find(site.catalog, FAMILY)
        self.done: list[Done] = []

    def run(self) -> None:
        began = time.monotonic()
        start = ["devcloud", "start", "--with-compute"]
        start += ["--with-dashboard"] * self.with_dashboard
        with background.running(self.site, *start) as finish:
            self.stage("build", self.build)
            report = self.stage("verify", self.verify)
            self.done.append(Done("devcloud", "runs (during the build)", finish()))
            image = self.stage("publish", self.publish)
        artifact = ArtifactStore(self.site.artifacts).find(FAMILY, None)
        changed = any(one.result == "done" for one in self.done)
        if changed:
            _, took = _timed(
                lambda: release_life.run(self.site, artifact, release_life.next_of(artifact))
            )
            self.done.append(Done("tour", "the life of a release, above", took))
        if self.with_dashboard:
            operations.write(self.site, cloud=CLOUD, out=devcloud.operations_file(self.site))
        self.show(artifact, time.monotonic() - began, report, image)
        if not changed:
            print("Everything was in place and is unchanged.")

    def stage(self, name: str, work: Callable[[], Result]) -> Result:
        before = self.record(name)
        result, took = _timed(work)
        same = before is not None and self.record(name) == before
        self.done.append(Done(name, "unchanged" if same else "done", took))
        return result

    def build(self) -> None:
        build.build(self.family, self.site, release=None, force=False, dry_run=False, keep=False)

    def verify(self) -> Path:
        return verify.verify(self.family, self.site, release=None, force=False, keep=False)

    def publish(self) -> Image:
        image = publish.publish(self.family, self.site, cloud=CLOUD, release=None, dry_run=False)
        assert image is not None, "only a dry run publishes nothing"
        return image

    def record(self, stage: str) -> Record | None:
        """What the newest release has to say about a stage."""
        releases = ArtifactStore(self.site.artifacts).releases(FAMILY)
        return releases[-1].record(stage) if releases else None

    def show(self, artifact: Artifact, together: float, report: Path, image: Image) -> None:
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"\n[bold]{self.family.title}[/], release {artifact.release}\n")
        for one in self.done:
            console.print(f"  {one.stage:<10}{one.seconds:>7.1f} s  {one.result}")
        console.print(f"  {'together':<10}{together:>7.1f} s\n")
        console.print(f"As Glance shows it (cloud {CLOUD}):")
        facts = image.facts()
        width = max(len(key) for key in facts)
        for key, value in facts.items():
            console.print(f"  {key:<{width}}  {escape(str(value))}")
        console.print(f"\nreport  {escape(str(report))}")
        console.print(f"disk    {escape(str(artifact.disk))}\n")
        for line in self.dashboard():
            console.print(escape(line))
        console.print()

    def dashboard(self) -> list[str]:
        """Where to look at it as a user, or how to get there."""
        address = devcloud.dashboard_address(self.site)
        if address is None:
            return [f"To look at it in Horizon: {_program()} devcloud start --with-dashboard"]
        return [
            f"dashboard  {address}",
            "log in as  demo, alice or bob, or as admin; "
            f"`{_program()} devcloud password demo` prints the password",
            "look at    Project, Compute, Operating systems; as admin also Admin, Compute",
        ]


def _program() -> str:
    """What is typed to run imagecycle; a newcomer has a checkout and nothing on his PATH."""
    if shutil.which("imagecycle") or not shipped.IN_CHECKOUT:
        return "imagecycle"
    own = shipped.CHECKOUT / "scripts" / "imagecycle"
    return os.path.relpath(own) if own.is_relative_to(Path.cwd()) else str(own)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.monotonic()
    result = work()
    return result, time.monotonic() - started


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
