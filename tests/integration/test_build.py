"""Building for real: Oz, libvirt and QEMU, from an install tree made from the package mirror."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import libvirt
import pytest

import terminal
from imagecycle import catalog
from imagecycle.artifacts import Artifact, ArtifactStore, checksums
from imagecycle.build import domain as domains
from imagecycle.build import offline, recovery, stage
from imagecycle.errors import ImagecycleError, LockHeld, UsageError
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site

pytestmark = [pytest.mark.integration, pytest.mark.machines]

Built = tuple[Family, Site, Artifact]
NO_DISK = "d-i partman-auto/disk string /dev/vdz\n"
START_LIMIT = 240
"""Seconds until a machine must run, its media made; on a busy machine that takes more than 60."""


@pytest.fixture
def raw(built_family: Built, tmp_path: Path) -> Path:
    disk = tmp_path / "disk.raw"
    subprocess.run(
        ["qemu-img", "convert", "-O", "raw", built_family[2].disk, disk], check=True, timeout=300
    )
    return disk


@pytest.fixture
def connection(build_site: Site) -> Iterator[Any]:
    connection = domains.connect(build_site.libvirt_uri)
    yield connection
    connection.close()


@pytest.fixture
def failing(built_family: Built, tmp_path: Path) -> tuple[Family, Site]:
    """A family whose installer finds no disk, seconds after it has begun."""
    family, site, _ = built_family
    answers = tmp_path / "answers.j2"
    answers.write_text(NO_DISK)
    return dataclasses.replace(family, slug="failing-1-x86_64-base", unattended=answers), site


def domains_of(connection: Any, slug: str, site: Site) -> list[Any]:
    return list(domains.own_domains(connection, site.artifacts / slug))


def is_running(connection: Any, slug: str, site: Site) -> bool:
    with contextlib.suppress(libvirt.libvirtError):
        states = [domain.state()[0] for domain in domains_of(connection, slug, site)]
        return states == [libvirt.VIR_DOMAIN_RUNNING]
    return False


def identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_blocks, found.st_mode


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.1)


def test_the_record_tells_what_was_built_from_what_with_what(built_family: Built) -> None:
    family, _, artifact = built_family
    record = artifact.record("build")
    assert record is not None
    assert (record["family"], record["release"]) == (family.slug, str(artifact.release))
    sums = checksums(artifact.disk)
    assert (record["disk"]["sha256"], record["disk"]["sha512"]) == (sums["sha256"], sums["sha512"])
    assert record["disk"]["size"] == artifact.disk.stat().st_size
    assert record["disk"]["virtual_size"] == family.disk_gib * 2**30
    assert {"oz", "qemu-system-x86", "imagecycle"} <= record["versions"].keys()
    assert record["durations"]["installation"] > 5
    names = {
        p["name"] for p in json.loads((artifact.folder / "packages.json").read_text())["packages"]
    }
    assert {"cloud-init", "openssh-server", "systemd"} <= names
    assert record["packages"] == len(names)


def test_the_disk_holds_nothing_that_machines_must_not_share(raw: Path, tmp_path: Path) -> None:
    with offline.opened(raw, tmp_path) as system:
        assert system.glob("/etc/ssh/ssh_host_*") == []
        assert system.read("/etc/machine-id") == b""
        assert not system.exists("/var/lib/systemd/random-seed")
        assert system.glob("/var/lib/apt/lists/*") == []
        assert system.read("/etc/apt/sources.list") == b""
        assert all(system.read(path) == b"" for path in system.files_below("/var/log"))
        assert "$" not in system.read("/etc/shadow").decode()


@pytest.mark.rotating(2, 1)
def test_libguestfs_opens_the_same_system_where_mounting_is_not_possible(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "mount").write_text("#!/bin/sh\nexit 1\n")
    (programs / "mount").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with offline.opened(raw, tmp_path) as system:
        assert isinstance(system, offline.GuestfsSystem)
        system.write("/etc/new/file", b"text", 0o600)
        assert system.read("/etc/new/file") == b"text"
        assert system.glob("/etc/new/*") == ["/etc/new/file"]
        system.remove("/etc/new")
        assert not system.exists("/etc/new/file")
        assert "/var/log/wtmp" in system.files_below("/var/log")


def test_a_second_build_of_the_same_inputs_does_nothing(built_family: Built) -> None:
    family, site, artifact = built_family
    before = artifact.disk.stat()
    assert stage.build(family, site) == artifact
    assert artifact.disk.stat() == before


def test_a_dry_run_changes_nothing(built_family: Built) -> None:
    family, site, _ = built_family
    other = dataclasses.replace(family, slug="other-1-x86_64-base")
    assert stage.build(other, site, dry_run=True) is None
    assert ArtifactStore(site.artifacts).releases(other.slug) == []


def test_a_release_of_other_inputs_is_not_replaced_silently(built_family: Built) -> None:
    family, site, artifact = built_family
    changed = dataclasses.replace(family, packages=("less",))
    with pytest.raises(UsageError, match="other inputs"):
        stage.build(changed, site, release=str(artifact.release))


def test_the_lock_names_its_holder(built_family: Built) -> None:
    family, site, _ = built_family
    store = ArtifactStore(site.artifacts)
    with store.lock(family.slug, "build"), pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        stage.build(family, site, force=True)


def test_a_failed_installation_says_why_and_leaves_only_the_evidence(
    failing: tuple[Family, Site], connection: Any
) -> None:
    family, site = failing
    with pytest.raises(ImagecycleError, match="there is no disk /dev/vdz") as caught:
        stage.build(family, site)
    assert f"screenshot: {site.home / 'failures'}" in caught.value.hint
    folder = next((site.home / "failures" / family.slug).iterdir())
    assert {"console.log", "oz.log", "screenshot.png"} <= {path.name for path in folder.iterdir()}
    assert (folder / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    assert domains_of(connection, family.slug, site) == []
    assert ArtifactStore(site.artifacts).partials(family.slug) == []


@pytest.mark.rotating(2)
@pytest.mark.parametrize(
    ("crashes", "message"), [(1, "there is no disk /dev/vdz"), (2, "the virtual machine crashed")]
)
def test_an_installation_whose_virtual_machine_crashes_is_begun_once_more(
    failing: tuple[Family, Site],
    connection: Any,
    capsys: pytest.CaptureFixture[str],
    crashes: int,
    message: str,
) -> None:
    family, site = failing
    killed: set[Path] = set()

    def kill_each() -> None:
        for _ in range(crashes):
            wait_for(lambda: emulators(family.slug) - killed, START_LIMIT, "another QEMU")
            wait_for(lambda: is_running(connection, family.slug, site), START_LIMIT, "its start")
            (process,) = emulators(family.slug) - killed
            os.kill(int(process.name), signal.SIGKILL)
            killed.add(process)

    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_each)
        with pytest.raises(ImagecycleError, match=message):
            stage.build(family, site)
        killing.result()
    assert capsys.readouterr().err.count("the virtual machine crashed; installing once more") == 1
    assert domains_of(connection, family.slug, site) == []
    assert ArtifactStore(site.artifacts).partials(family.slug) == []


def emulators(slug: str) -> set[Path]:
    """The processes of QEMU that run a family's virtual machine."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program, *words = (process / "cmdline").read_text().split("\0")
            is_qemu = Path(program).name.startswith("qemu-system-")
            if is_qemu and any(word.startswith(f"guest=imagecycle-{slug}") for word in words):
                found.add(process)
    return found


def test_an_installation_that_takes_too_long_is_ended(
    failing: tuple[Family, Site], connection: Any
) -> None:
    family, site = failing
    with pytest.raises(ImagecycleError, match="not done after 1 s"):
        stage.build(family, site.model_copy(update={"install_timeout": 1}))
    assert domains_of(connection, family.slug, site) == []


def test_a_libvirt_that_is_away_is_one_clear_message(failing: tuple[Family, Site]) -> None:
    family, site = failing
    away = "qemu+unix:///system?socket=/nowhere/libvirt-sock"
    with pytest.raises(ImagecycleError, match="libvirt does not answer"):
        stage.build(family, site.model_copy(update={"libvirt_uri": away}))
    assert ArtifactStore(site.artifacts).partials(family.slug) == []


@pytest.fixture
def started(
    failing: tuple[Family, Site], connection: Any, tmp_path: Path
) -> Iterator[subprocess.Popen[str]]:
    """A build from a terminal, in the midst of an installation that never ends by itself."""
    _, site = failing
    text = (CATALOG / "debian-12.yaml").read_text()
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "failing.yaml").write_text(text.replace("debian.preseed.j2", "answers.preseed.j2"))
    (folder / "answers.preseed.j2").write_text(NO_DISK)
    settings = tmp_path / "site.yaml"
    settings.write_text(json.dumps({"home": str(site.home), "catalog": str(folder)}))
    process = terminal.start("build", "debian-12-x86_64-server", IMAGECYCLE_SITE=str(settings))
    try:
        slug = "debian-12-x86_64-server"
        wait_for(lambda: domains_of(connection, slug, site), START_LIMIT, "the virtual machine")
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_an_interrupted_build_cleans_up_and_says_so(
    started: subprocess.Popen[str], build_site: Site, connection: Any
) -> None:
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert domains_of(connection, "debian-12-x86_64-server", build_site) == []
    assert ArtifactStore(build_site.artifacts).partials("debian-12-x86_64-server") == []


def test_a_killed_build_leaves_no_virtual_machine_and_the_next_one_clears_the_rest(
    started: subprocess.Popen[str], build_site: Site, connection: Any
) -> None:
    slug = "debian-12-x86_64-server"
    started.kill()
    started.communicate(timeout=30)
    wait_for(lambda: not domains_of(connection, slug, build_site), 20, "the virtual machine's end")
    store = ArtifactStore(build_site.artifacts)
    assert len(store.partials(slug)) == 1
    with store.lock(slug, "test"):
        recovery.clear(build_site, store, slug)
    assert store.partials(slug) == []


def test_a_flavour_adds_its_packages_to_the_shared_installation(built_family: Built) -> None:
    _, site, _ = built_family
    server = catalog.find(CATALOG, "debian-12-x86_64-server")
    installed = list((site.cache / "installations").glob("*.raw"))
    before = identity(installed[0])
    built = stage.build(server, site)
    assert built is not None
    assert identity(installed[0]) == before
    listed = json.loads((built.folder / "packages.json").read_text())["packages"]
    assert set(server.packages) <= {package["name"] for package in listed}


def test_a_customised_disk_keeps_no_trace_of_the_build(built_family: Built, tmp_path: Path) -> None:
    _, site, _ = built_family
    server = ArtifactStore(site.artifacts).find("debian-12-x86_64-server", None)
    raw = tmp_path / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", server.disk, raw], check=True, timeout=300)
    with offline.opened(raw, tmp_path) as system:
        for trace in (
            "/root/.ssh",
            "/etc/systemd/network/00-build.network",
            "/etc/cloud/cloud-init.disabled",
            "/etc/apt/sources.list.d/build.list",
            "/etc/apt/apt.conf.d/00build",
        ):
            assert not system.exists(trace)
        assert system.glob("/etc/ssh/ssh_host_*") == []
        assert system.read("/etc/machine-id") == b""


def test_a_package_that_does_not_exist_is_refused_before_anything_is_made(
    built_family: Built, connection: Any
) -> None:
    family, site, _ = built_family
    wrong = dataclasses.replace(
        family, slug="wrong-1-x86_64-base", packages=("no-such-package-anywhere",)
    )
    with pytest.raises(ImagecycleError, match="no package source has no-such-package-anywhere"):
        stage.build(wrong, site)
    assert domains_of(connection, wrong.slug, site) == []
    assert ArtifactStore(site.artifacts).releases(wrong.slug) == []
