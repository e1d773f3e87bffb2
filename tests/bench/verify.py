"""How long verify takes against the shortest boot-to-login of the same disk.

Verify boots two machines, looks at them and switches them off. What it is compared with is the
least that anybody can do: one machine, whose only task is to answer one command over SSH. Both
take the same QEMU, accelerator, disk and contextualisation, in turns.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.table import Row
from imagecycle import catalog
from imagecycle.artifacts import Artifact, ArtifactStore, Record
from imagecycle.errors import ImagecycleError
from imagecycle.machine import accelerator, hardware, virtual_machine
from imagecycle.machine.config_drive import InstanceData
from imagecycle.machine.hardware import Hardware
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.verify import guest
from imagecycle.verify.cases import GROWTH
from sabotages.checks import offline as of_disks

LIB = Path(__file__).parents[2] / "lib"
FAMILY = "debian-12-x86_64-base"
TURNS = 3
LIMIT = 900.0
EXIT_DEFECTS = 3
TRY_AGAIN = 0.2
"""Seconds between two attempts of the bare loop to log in"""


@dataclass(frozen=True)
class Spent:
    """Seconds that passed, and seconds that processors worked."""

    seconds: float
    processor: float


def rows(site: Site, scratch: Path) -> list[Row]:
    """Measure with the newest release of FAMILY in the site's artifact folder.

    :raises UnknownName: when there is none yet.
    """
    family = catalog.find(site.catalog, FAMILY)
    artifact = ArtifactStore(site.artifacts).find(family.slug, None)
    wholes: list[Spent] = []
    bares: list[Spent] = []
    records: list[Record] = []
    for turn in range(TURNS):
        folder = scratch / f"verify-{turn}"
        folder.mkdir(parents=True)
        try:
            bares.append(boot_to_login(site, family, artifact.disk, folder / "bare"))
            spent, record = whole(artifact, folder / "home")
            wholes.append(spent)
            records.append(record)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    seconds, bare = (statistics.median(s.seconds for s in spent) for spent in (wholes, bares))
    work, least = (statistics.median(s.processor for s in spent) for spent in (wholes, bares))
    login = statistics.median(record["durations"]["boot_instance"] for record in records)
    checks = len(records[0]["checks"])
    rest = statistics.median(record["durations"]["checks"] for record in records)
    offline = of_disks()
    disk = statistics.median(
        sum(one["seconds"] for one in record["checks"] if one["id"] in offline)
        for record in records
    )
    asked = statistics.median(record["machines"][0]["seconds_asked"] for record in records)
    return [
        Row(
            name="verify, two machines and all checks",
            measured=seconds,
            unit="s",
            reference=bare,
            ratio=seconds / bare,
            target="at most 1.60",
            how=(
                f"whole `imagecycle verify` ({checks} checks, {' and '.join(family.firmware)}) "
                f"against one machine and a loop of ssh; median of {TURNS} turns"
            ),
        ),
        Row(
            name="verify, power-on to login",
            measured=login,
            unit="s",
            reference=bare,
            ratio=login / bare,
            target="the rest is the second machine's share",
            how=f"from verify.json, against the same loop; median of {TURNS} turns",
        ),
        Row(
            name="verify, from the instance's login to the end",
            measured=rest,
            unit="s",
            reference=seconds,
            ratio=rest / seconds,
            target="",
            how="from verify.json: the end of its contextualisation, the twin's boot, all checks",
        ),
        Row(
            name="verify, checks of the disk",
            measured=disk,
            unit="s",
            reference=None,
            ratio=None,
            target="at most 5.00 s",
            how="their sum in verify.json; they run while the machines boot",
        ),
        Row(
            name="verify, questions to the instance",
            measured=asked,
            unit="s",
            reference=None,
            ratio=None,
            target="at most 10.00 s",
            how="by the guest's clock, from verify.json; without waiting for contextualisation",
        ),
        Row(
            name="verify, processor time",
            measured=work,
            unit="s",
            reference=least,
            ratio=work / least,
            target="at most 3.00",
            how="of all processes, QEMU's included; what a busy machine does not distort",
        ),
    ]


def whole(
    artifact: Artifact, home: Path, *options: str, limit: float = LIMIT
) -> tuple[Spent, Record]:
    """What the command takes, in a home of its own so that no record is replaced."""
    folder = Site(home=home).artifacts / artifact.family / str(artifact.release)
    folder.mkdir(parents=True)
    (folder / artifact.disk.name).symlink_to(artifact.disk.resolve())
    shutil.copyfile(artifact.folder / "build.json", folder / "build.json")
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "imagecycle", "verify", artifact.family, *options],
        env={**os.environ, "PYTHONPATH": str(LIB), "IMAGECYCLE_HOME": str(home)},
        timeout=limit,
        capture_output=True,
        text=True,
    )
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    record = Artifact(artifact.family, artifact.release, folder).record("verify")
    if done.returncode not in (0, EXIT_DEFECTS) or record is None:
        raise ImagecycleError(f"verify exited with {done.returncode}: {done.stderr.strip()}")
    return Spent(seconds, processor), record


def boot_to_login(site: Site, family: Family, disk: Path, folder: Path) -> Spent:
    """What it takes from power-on until one command has been answered, with all processors.

    :raises ImagecycleError: when nobody can log in.
    """
    folder.mkdir()
    instance_data = InstanceData(
        name="bench", public_key=guest.make_key(folder), mac="fa:16:3e:00:00:01"
    )
    firmware = hardware.BIOS
    size = virtual_machine.virtual_size(disk) + GROWTH
    parts = Hardware(
        firmware=firmware,
        memory_mib=family.min_ram_mib,
        processors=os.cpu_count() or 1,
        uuid=instance_data.uuid,
        mac=instance_data.mac,
        accelerator=accelerator.find(site).qemu_arguments(family.properties),
        properties=family.properties,
    )
    virtual_machine.prepare(folder / "machine", parts, disk, size, instance_data)
    argv = ["ssh", "-F", guest.config("bare"), "-o", "ControlPath=none", "-o", "ConnectTimeout=2"]
    with virtual_machine.running("bare", folder / "machine", parts) as machine:
        guest.write_config(folder, family.admin_user, "bare", machine.port)
        while time.monotonic() - machine.started < LIMIT:
            tried = subprocess.run(
                [*argv, "bare", "echo", instance_data.marker],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=60,
            )
            if tried.stdout.strip() == instance_data.marker:
                return Spent(time.monotonic() - machine.started, _processor(machine.process.pid))
            time.sleep(TRY_AGAIN)
    raise ImagecycleError(
        f"the bare machine: no login within {LIMIT:.0f} s: {tried.stderr.strip()}"
    )


def _processor(pid: int) -> float:
    """Seconds that a running process has worked, in user and kernel mode; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
