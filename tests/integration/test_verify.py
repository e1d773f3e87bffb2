"""Verify on real machines: a real image, one with planted defects, and disks that never boot."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import terminal
from imagecycle import cli
from imagecycle.artifacts import Artifact, checksums, write_json
from imagecycle.model import Family, Release
from imagecycle.site import Site
from imagecycle.verify import sectors
from imagecycle.verify.verdict import LEFT_OUT

pytestmark = [pytest.mark.integration, pytest.mark.machines]

REPOSITORY = Path(__file__).parents[2]
RELEASE = "20261122"
BuiltFamily = tuple[Family, Site, Artifact]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own; no machine may outlive the test."""
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    yield tmp_path
    assert processes_in(tmp_path) == []


def running_in(folder: Path) -> dict[int, str]:
    """The programs that run in a folder or below it, by their process ids."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "comm").read_text().strip()
    return found


def processes_in(folder: Path) -> list[str]:
    return list(running_in(folder).values())


def emulators(folder: Path) -> set[int]:
    """The process ids of the machines that run below a folder."""
    return {pid for pid, name in running_in(folder).items() if name == "qemu-system-x86"}


def release_of(family: Family, home: Path, disk: Path) -> Path:
    """A release whose disk is ``disk``, as build would leave it; returns its folder."""
    folder = Site(home=home).artifacts / family.slug / RELEASE
    folder.mkdir(parents=True)
    made = Artifact(family.slug, Release.parse(RELEASE), folder)
    made.disk.symlink_to(disk)
    write_json(folder / "build.json", {"disk": {"file": "disk.qcow2", **checksums(disk)}})
    return folder


def record(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "verify.json").read_text())
    return said


def not_passed(folder: Path) -> dict[str, str]:
    """The messages of the checks that were run and did not pass, by their names."""
    checks = record(folder)["checks"]
    fine = ("passed", LEFT_OUT)
    return {check["id"]: check["message"] for check in checks if check["outcome"] not in fine}


def test_real_image_passes(verified_family: BuiltFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    family, site, artifact = verified_family
    folder = artifact.folder
    said = record(folder)
    assert not_passed(folder) == {}
    assert said["left_out"] == ["guest_agent.answers"]  # the image promises none
    assert said["verdict"] == "passed"
    assert said["disk_sha256"] == checksums(artifact.disk)["sha256"]
    assert {machine["firmware"] for machine in said["machines"]} == set(family.firmware)
    for name in ("verify.html", "verify.xml", "console-instance.log", "screenshot-twin.png"):
        assert (folder / name).stat().st_size > 0
    assert list(site.work.glob("verify-*")) == []

    monkeypatch.setenv("IMAGECYCLE_HOME", str(site.home))
    begun = time.monotonic()
    assert cli.main(["verify", family.slug]) == 0
    assert time.monotonic() - begun < 5
    assert record(folder) == said


MACHINE_ID = "0123456789abcdef0123456789abcdef"
HASH = (
    "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."
)


@pytest.mark.rotating(3, 0)
def test_each_planted_defect_is_named(built_family: BuiltFamily, home: Path) -> None:
    family, _, artifact = built_family
    folder = release_of(family, home, spoilt(artifact.disk, home))
    assert cli.main(["verify", family.slug]) == 3
    assert record(folder)["verdict"] == "failed"
    assert set(not_passed(folder)) >= {
        "host_keys.are_not_in_the_image",
        "machine_id.is_not_in_the_image",
        "machine_id.differs_between_machines",
        "passwords.none_in_the_image",
        "build_traces.no_authorized_keys",
        "build_traces.no_logs",
    }
    assert "ssh_host_ed25519_key" in not_passed(folder)["host_keys.are_not_in_the_image"]
    assert MACHINE_ID in not_passed(folder)["machine_id.differs_between_machines"]
    page = (folder / "verify.html").read_text()
    assert "Whoever has the image can pretend to be any server made from it." in page


def spoilt(disk: Path, folder: Path) -> Path:
    """A copy of a disk with a host key, a machine-id, a password and other traces planted."""
    raw, planted = folder / "spoilt.raw", folder / "planted"
    planted.mkdir()
    subprocess.run(["qemu-img", "convert", "-O", "raw", disk, raw], check=True, timeout=300)
    with raw.open("rb") as stream:
        head = stream.read(64 * sectors.SECTOR)
        (start,) = [
            start * sectors.SECTOR
            for _, start in sectors.partitions(head)
            if magic(raw, start * sectors.SECTOR) == 0xEF53
        ]
    shadow = debugfs(raw, start, "cat /etc/shadow")
    lines = ["root:" + HASH + line[line.index(":", 5) :] for line in shadow.splitlines()[:1]]
    files = {
        "/etc/shadow": "\n".join([*lines, *shadow.splitlines()[1:]]) + "\n",
        "/etc/machine-id": f"{MACHINE_ID}\n",
        "/etc/ssh/ssh_host_ed25519_key": "a key\n",
        "/root/.ssh/authorized_keys": "ssh-ed25519 AAAA builder\n",
        "/var/log/build.log": "built\n",
    }
    commands = ["mkdir /root/.ssh"]
    for number, (name, content) in enumerate(files.items()):
        (planted / str(number)).write_text(content)
        commands += [f"rm {name}", f"write {planted / str(number)} {name}"]
    (planted / "commands").write_text("\n".join(commands) + "\n")
    image = f"{raw}?offset={start}"
    argv = ["debugfs", "-w", "-f", planted / "commands", image]
    subprocess.run(argv, check=True, timeout=60, capture_output=True)
    made = folder / "spoilt.qcow2"
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made]
    subprocess.run(argv, check=True, timeout=300)
    raw.unlink()
    return made


def magic(raw: Path, start: int) -> int:
    with raw.open("rb") as stream:
        stream.seek(start + 1024 + 56)
        number: int = struct.unpack("<H", stream.read(2))[0]
        return number


def debugfs(raw: Path, start: int, command: str) -> str:
    argv = ["debugfs", "-R", command, f"{raw}?offset={start}"]
    return subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True).stdout


def empty(folder: Path) -> Path:
    disk = folder / "empty.qcow2"
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", disk, "1G"]
    subprocess.run(argv, check=True, timeout=60)
    return disk


def test_disk_without_a_system_fails_soon_and_with_pictures(
    catalog_family: Family, home: Path
) -> None:
    folder = release_of(catalog_family, home, empty(home))
    begun = time.monotonic()
    assert cli.main(["verify", catalog_family.slug]) == 3
    # noticed, and not waited out
    assert time.monotonic() - begun < Site().boot_timeout
    failed = not_passed(folder)
    for role in ("instance", "twin"):
        assert "nothing to boot" in failed[f"boot.lets_the_injected_key_in[{role}]"]
        assert (folder / f"screenshot-{role}.png").read_bytes().startswith(b"\x89PNG")
    assert "nothing to boot" in (folder / "verify.html").read_text()


@pytest.fixture
def catalog_family() -> Family:
    from imagecycle import catalog

    return catalog.find(REPOSITORY / "images", "debian-12-x86_64-base")


@pytest.fixture
def verifying(catalog_family: Family, home: Path) -> Iterator[subprocess.Popen[str]]:
    """``imagecycle verify`` while both of its machines are running."""
    # A disk that boots into nothing but an endless loop, so that nobody gives it up.
    raw = home / "loop.raw"
    raw.write_bytes(b"\xeb\xfe".ljust(510, b"\0") + b"\x55\xaa")
    os.truncate(raw, 2**20)
    disk = home / "loop.qcow2"
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk]
    subprocess.run(argv, check=True, timeout=60)
    release_of(catalog_family, home, disk)
    process = terminal.start("verify", catalog_family.slug)
    try:
        deadline = time.monotonic() + 60
        while len(emulators(home)) < 2:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def wait_for_silence(home: Path) -> None:
    deadline = time.monotonic() + 15
    while processes_in(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_in(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_no_machine_and_no_folder(
    verifying: subprocess.Popen[str], home: Path, number: signal.Signals
) -> None:
    verifying.send_signal(number)
    _, said = verifying.communicate(timeout=30)
    assert verifying.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    wait_for_silence(home)
    assert list(Site(home=home).work.iterdir()) == []


def test_kill_leaves_no_machine_and_the_next_run_cleans_up(
    verifying: subprocess.Popen[str], home: Path, catalog_family: Family
) -> None:
    verifying.kill()
    verifying.wait(10)
    wait_for_silence(home)
    (left,) = Site(home=home).work.iterdir()
    shutil.rmtree(Site(home=home).artifacts)
    release_of(catalog_family, home, empty(home))
    assert cli.main(["verify", catalog_family.slug]) == 3
    assert not left.exists()
    assert list(Site(home=home).work.iterdir()) == []


def test_a_crash_of_qemu_is_no_verdict(
    verifying: subprocess.Popen[str], home: Path, catalog_family: Family
) -> None:
    first = emulators(home)
    os.kill(min(first), signal.SIGSEGV)
    deadline = time.monotonic() + 60
    while len(again := emulators(home) - first) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(max(again), signal.SIGSEGV)
    _, said = verifying.communicate(timeout=30)
    assert verifying.returncode == 1
    assert said.count("; verifying once more") == 1
    assert "was ended by SIGSEGV, which says nothing about the image" in said.splitlines()[-2]
    assert "Traceback" not in said
    folder = Site(home=home).artifacts / catalog_family.slug / RELEASE
    assert not (folder / "verify.json").exists()
    assert list(Site(home=home).work.iterdir()) == []


def test_after_a_crash_of_qemu_the_second_attempt_decides(
    catalog_family: Family, home: Path
) -> None:
    folder = release_of(catalog_family, home, empty(home))
    with terminal.start("verify", catalog_family.slug) as process:
        deadline = time.monotonic() + 60
        while not (running := emulators(home)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(min(running), signal.SIGSEGV)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 3
    assert said.count("; verifying once more") == 1
    assert "nothing to boot" in not_passed(folder)["boot.lets_the_injected_key_in[instance]"]
