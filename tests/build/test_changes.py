"""What is done in a guest, in which order and how."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import signing
from families import family
from imagecycle import systems
from imagecycle.build import changes, customise, oz_guest
from imagecycle.build.changes import Changes, Step
from imagecycle.build.domain import InstallationFailed
from imagecycle.build.offline import MountedSystem
from imagecycle.errors import CommandFailed, UsageError
from imagecycle.model import Family, GuestFile, Repository, Service
from imagecycle.site import Site

SITE = Site(mirror="http://m.example/debian", security_mirror="http://m.example/security")
DEBIAN = systems.linux("debian")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with signing.signers("vendor") as (vendor,):
        yield vendor.key(tmp_path_factory.mktemp("key") / "site.asc")


def flavour(key: Path, **more: Any) -> Family:
    return family(
        repositories=(
            Repository("site", "http://p.example", key, "./"),
            Repository("once", "http://o.example", key, "./", keep=False),
        ),
        packages=("less", "agent"),
        files=(GuestFile("/etc/motd", "hello"),),
        commands=("useradd tester", "true " * 30),
        services=(Service("agent.service", True), Service("apt-daily.timer", False)),
        places={"commands.useradd tester": "images/lab.yaml:7"},
        **more,
    )


def test_changes_come_in_the_order_of_the_documentation(key: Path) -> None:
    found = changes.of(flavour(key), DEBIAN, SITE)
    assert [step.title for step in (*found.before, found.packages, *found.after)] == [
        "package source site",
        "package source once",
        "package lists",
        "packages less, agent",
        "file /etc/motd",
        "command 1 of 2: useradd tester",
        f"command 2 of 2: {('true ' * 30)[:57]}...",
        "service agent.service on",
        "service apt-daily.timer off",
        "the builder's package sources off",
    ]


def test_a_source_that_only_the_build_uses_is_forgotten_with_its_key(key: Path) -> None:
    last = changes.of(flavour(key), DEBIAN, SITE).after[-1].text
    assert "rm /etc/apt/keyrings/once.asc /etc/apt/sources.list.d/once.sources\n" in last
    assert "site.sources" not in last
    redhat = changes.of(flavour(key), systems.linux("rocky"), SITE)
    assert "rpm --import /etc/pki/rpm-gpg/site.asc" in redhat.before[0].text
    assert "rpm --erase --allmatches gpg-pubkey-" in redhat.after[-1].text


def test_files_alone_need_no_start(key: Path) -> None:
    assert not changes.needed(family(files=(GuestFile("/etc/motd", "x"),)))
    for name in ("repositories", "packages", "commands", "services"):
        alone = dataclasses.replace(family(), **{name: getattr(flavour(key), name)})
        assert changes.needed(alone), name


def test_a_file_arrives_as_it_is_declared(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 1000)
    file = GuestFile(f"{tmp_path}/new folder/file", "", 0o4750, "daemon", "adm", source)
    (step, *_) = changes.of(family(files=(file,)), DEBIAN, SITE).after
    subprocess.run(["sh"], input=step.text.encode(), check=True, timeout=30)
    made = Path(file.path)
    assert made.read_bytes() == source.read_bytes()
    assert (made.stat().st_mode & 0o7777, made.owner(), made.group()) == (0o4750, "daemon", "adm")


def test_a_file_that_cannot_be_written_fails() -> None:
    file = GuestFile("/etc/motd", "x", owner="nobody-has-this-name")
    (step, *_) = changes.of(family(files=(file,)), DEBIAN, SITE).after
    done = subprocess.run(["sh"], input=step.text.encode(), timeout=30, capture_output=True)
    assert done.returncode != 0
    assert b"nobody-has-this-name" in done.stderr
    Path("/run/imagecycle-file").unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_a_file_is_put_on_a_disk_with_its_owner(tmp_path: Path) -> None:
    system = MountedSystem(tmp_path)
    system.write("/etc/passwd", b"root:x:0:0::/:\nagent:x:990:991::/:\n", 0o644)
    system.write("/etc/group", b"root:x:0:\nlog:x:77:agent\n", 0o644)
    customise.put(system, GuestFile("/opt/a", "x", 0o4711, "agent", "log"), family())
    status = (tmp_path / "opt/a").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (990, 77, 0o4711)
    places = {"files./b": "images/lab.yaml:3"}
    with pytest.raises(UsageError, match=r"images/lab.yaml:3: /b is to belong to nobody, which"):
        customise.put(system, GuestFile("/b", "x", owner="nobody"), family(places=places))


class Guest(oz_guest.WatchedGuest):
    """A guest in which everything works but what is named."""

    def __init__(self, wanted: Changes, failing: str) -> None:
        texts = [SimpleNamespace(read=lambda step=step: step.text) for step in wanted.before]
        later = [SimpleNamespace(read=lambda step=step: step.text) for step in wanted.after]
        self.tdl = SimpleNamespace(precommands=texts, packages=["less"], commands=later)
        self.changes, self.failing, self.done, self.times = wanted, failing, [], []

    def guest_execute_command(self, guestaddr: str, guest_command: str, timeout: float = 10) -> Any:
        if self.failing in guest_command:
            raise CommandFailed(["ssh"], 3, "one\ntwo")
        self.done.append(guest_command)


def test_each_step_is_timed_and_one_that_fails_names_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = Changes(
        (Step("lists", "update"),),
        Step("packages", "install"),
        (Step("command 1 of 1: x", "x -v", "images/lab.yaml:7"),),
    )
    guest = Guest(wanted, "nothing fails")
    guest.do_customize("address")
    assert guest.done == ["update", "install", "x -v", "sync"]
    assert [one.step for one in guest.times][:3] == ["lists", "packages", "command 1 of 1: x"]
    assert "command 1 of 1: x: 0.0 s" in capsys.readouterr().err
    with pytest.raises(InstallationFailed) as failed:
        Guest(wanted, "x -v").do_customize("address")
    assert failed.value.message == (
        "images/lab.yaml:7: command 1 of 1: x failed in the guest with status 3:\n  | one\n  | two"
    )
