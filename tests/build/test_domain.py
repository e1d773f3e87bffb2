"""Watching a domain, against libvirt's own test driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle.build import domain as domains
from imagecycle.errors import ImagecycleError

XML = """<domain type='test'><name>{name}</name><memory>8192</memory><os><type>hvm</type></os>
<devices><disk type='file' device='disk'><source file='{disk}'/><target dev='vda' bus='virtio'/>
</disk></devices></domain>"""


@pytest.fixture
def connection() -> Iterator[Any]:
    connection = domains.connect("test:///default")
    yield connection
    connection.close()


def started(connection: Any, name: str = "imagecycle-a-1", disk: str = "/nowhere/disk") -> Any:
    return connection.createXML(XML.format(name=name, disk=disk), 0)


def test_the_end_is_noticed_at_once(connection: Any) -> None:
    domain = started(connection)
    ended_at: list[float] = []

    def end() -> None:
        ended_at.append(time.monotonic())
        domain.destroy()

    timer = threading.Timer(0.8, end)
    timer.start()
    domains.watch(connection, domain, domains.Limits(30, 30))
    assert time.monotonic() - ended_at[0] < 5
    timer.join()


def test_a_domain_that_is_gone_already_is_not_waited_for(connection: Any) -> None:
    domain = started(connection)
    domain.destroy()
    domains.watch(connection, domain, domains.Limits(30, 30))


def test_a_stall_is_told_from_a_long_run(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(domains.InstallationFailed, match="stalled"):
        domains.watch(connection, domain, domains.Limits(total=60, stall=1))


def test_signs_of_life_keep_it_going_until_the_time_limit(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(domains.InstallationFailed, match="not done after 2 s"):
        domains.watch(connection, domain, domains.Limits(total=2, stall=1), tick=lambda: True)


def test_leaving_the_block_ends_the_domain(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(KeyboardInterrupt), domains.ended_on_exit(domain):
        raise KeyboardInterrupt
    assert not domains.runs(domain)


def test_only_domains_of_the_family_below_the_folder_are_its_own(connection: Any) -> None:
    mine = "imagecycle-debian-12-x86_64-base-20261122"
    started(connection, mine, "/srv/images/x/disk")
    started(connection, "imagecycle-debian-12-x86_64-base-20261123", "/elsewhere/disk")
    started(connection, "somebody-elses", "/srv/images/y/disk")
    found = domains.own_domains(connection, "imagecycle-debian-12-x86_64-base", Path("/srv/images"))
    assert [domain.name() for domain in found] == [mine]


def test_a_libvirt_that_is_away_is_named_with_the_way_out() -> None:
    with pytest.raises(ImagecycleError, match="libvirt does not answer") as caught:
        domains.connect("qemu+unix:///system?socket=/nowhere/libvirt-sock")
    assert "doctor" in caught.value.hint
