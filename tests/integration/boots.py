"""Boots of one sabotaged disk, without the checks that follow in a whole verification."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import systems
from imagecycle.artifacts import Artifact
from imagecycle.machine import accelerator, stateful_ipv6, virtual_machine
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import course, guest, power_off
from imagecycle.verify.cases import INSTANCE, Case
from imagecycle.verify.course import Course
from imagecycle.verify.readiness import Boot
from imagecycle.verify.session import Life, Outcome, Subject
from imagecycle.verify.way_in import SshWay
from spoilt_disk import root_of

Sabotage = Callable[[Path], None]
BuiltFamily = tuple[Family, Site, Artifact]


@dataclass(frozen=True)
class Booted:
    """What became of a machine."""

    subject: Subject
    outcome: Outcome
    account: Mapping[str, str]
    """Empty where it was not waited for"""
    asked: Sequence[str]
    """What it asked the router and the DHCPv6 server for, where it had these"""
    lives: Mapping[str, Life]
    """What became of it after its first boot, where it was waited for"""
    first: Mapping[str, str]
    """What it told of itself in its first life"""


def boot(built: BuiltFamily, sabotage: Sabotage, firmware: str = "bios") -> Outcome:
    """What becomes of one machine from a release whose root file system was changed."""
    family, _, _ = built
    case = Case(INSTANCE, firmware, family.properties, processors=2)
    return boot_case(built, sabotage, case, lambda boot: boot.outcome is not None).outcome


def boot_case(
    built: BuiltFamily, sabotage: Sabotage, case: Case, enough: Callable[[Boot], bool]
) -> Booted:
    """One machine of the matrix from a release whose root file system was changed.

    :param enough: whether the boot need not go on.
    """
    family, site, artifact = built
    with tempfile.TemporaryDirectory(dir=site.home) as name:
        folder = Path(name)
        release = Artifact(artifact.family, artifact.release, folder / "release")
        release.folder.mkdir()
        with root_of(artifact.disk, release.disk) as root:
            sabotage(root)
        found = accelerator.find(site)
        told = course.new_instance(
            case.name, guest.make_key(folder), stateful_ipv6=case.stateful_ipv6
        )
        subject = course.Subject(case, folder / case.name, told)
        one = Course(
            family=family,
            artifact=release,
            way=SshWay(folder, family.admin_user, systems.linux(family.distro)),
            accelerator=found,
            folder=folder,
            subject=subject,
            memory_mib=family.min_ram_mib,
            size=virtual_machine.virtual_size(release.disk),
            boot_limit=site.boot_timeout,
            power_off_limit=power_off.LIMITS[found.kind],
            checked=True,
        )
        generator = one.run()
        try:
            for _ in generator:
                if enough(one.boots[-1]):
                    break
                time.sleep(0.05)
        finally:
            generator.close()
        last = one.boots[-1]
        assert last.outcome is not None
        log = subject.folder / stateful_ipv6.LOG
        asked = log.read_text().splitlines() if log.exists() else []
        recorded = [life for life in case.lives if (subject.folder / f"life-{life}.json").exists()]
        lives = {life: subject.life(life, limit=0) for life in recorded}
        return Booted(subject, last.outcome, last.account, asked, lives, one.boots[0].account)
