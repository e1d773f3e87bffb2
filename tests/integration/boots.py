"""Boots of one sabotaged disk, without the checks that follow in a whole verification."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from imagecycle import systems
from imagecycle.artifacts import Artifact
from imagecycle.machine import accelerator, virtual_machine
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import course, guest, power_off
from imagecycle.verify.cases import INSTANCE, Case
from imagecycle.verify.course import Course
from imagecycle.verify.session import Outcome
from imagecycle.verify.way_in import SshWay
from spoilt_disk import root_of

Sabotage = Callable[[Path], None]
BuiltFamily = tuple[Family, Site, Artifact]


def boot(built: BuiltFamily, sabotage: Sabotage, firmware: str = "bios") -> Outcome:
    """What becomes of one machine from a release whose root file system was changed."""
    family, site, artifact = built
    with tempfile.TemporaryDirectory(dir=site.home) as name:
        folder = Path(name)
        release = Artifact(artifact.family, artifact.release, folder / "release")
        release.folder.mkdir()
        with root_of(artifact.disk, release.disk) as root:
            sabotage(root)
        found = accelerator.find(site)
        case = Case(INSTANCE, firmware, family.properties, processors=2)
        told = course.new_instance(case.name, guest.make_key(folder))
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
                if one.boots[-1].outcome is not None:
                    break
                time.sleep(0.05)
        finally:
            generator.close()
        outcome = one.boots[-1].outcome
        assert outcome is not None
        return outcome
