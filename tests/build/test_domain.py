"""Watching a domain, against libvirt's own test driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from imagecycle.build import domain as domains
from imagecycle.errors import ImagecycleError

XML = """<domain type='test'><name>{name}</name><memory>8192</memory><os><type>hvm</type></os>
<devices><disk type='file' device='disk'><source file='/nowhere/disk'/>
<target dev='vda' bus='virtio'/>
</disk></devices></domain>"""


@pytest.fixture
def connection() -> Iterator[Any]:
    connection = domains.connect("test:///default")
    yield connection
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        if domain.name().startswith(domains.PREFIX):  # else the next test meets it
            domain.destroy()
    connection.close()


def started(connection: Any, name: str = "imagecycle-a-1") -> Any:
    return connection.createXML(XML.format(name=name), 0)


def test_the_end_is_noticed_at_once(connection: Any) -> None:
    domain = started(connection)
    ended_at: list[float] = []

    def end() -> None:
        ended_at.append(time.monotonic())
        domain.shutdown()

    timer = threading.Timer(0.8, end)
    timer.start()
    domains.watch(connection, domain, domains.Limits(30, 30))
    assert time.monotonic() - ended_at[0] < 5
    timer.join()


def test_a_domain_that_is_gone_already_is_not_waited_for(connection: Any) -> None:
    domain = started(connection)
    domains.listen(connection, domain)
    domain.shutdown()
    began = time.monotonic()
    domains.watch(connection, domain, domains.Limits(30, 30))
    assert time.monotonic() - began < 5


def test_an_end_that_nobody_heard_of_is_no_good_end(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains, "_LAST_WORD", 0.1)
    domain = started(connection)
    domain.shutdown()
    with pytest.raises(domains.MachineCrashed):
        domains.watch(connection, domain, domains.Limits(30, 30))


def test_an_end_whose_word_comes_late_is_awaited(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = started(connection)
    monkeypatch.setattr(domains, "runs", lambda _domain: False)
    timer = threading.Timer(0.5, domain.shutdown)
    timer.start()
    domains.watch(connection, domain, domains.Limits(30, 30))
    timer.join()


def test_a_domain_that_somebody_ended_is_not_installed(connection: Any) -> None:
    domain = started(connection)
    domains.listen(connection, domain)
    domain.destroy()
    with pytest.raises(domains.InstallationFailed, match="somebody else ended"):
        domains.watch(connection, domain, domains.Limits(30, 30))


def test_a_stall_is_told_from_a_long_run(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(domains.InstallationFailed, match="stalled"):
        domains.watch(connection, domain, domains.Limits(total=60, stall=1))


def test_a_machine_that_has_no_room_to_write_is_no_stall(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = started(connection)
    halted = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
    monkeypatch.setattr(libvirt.virDomain, "state", lambda _: halted)
    with pytest.raises(domains.InstallationFailed, match="no space is left") as failed:
        domains.watch(connection, domain, domains.Limits(30, 30))
    assert "make room" in failed.value.hint


def test_signs_of_life_keep_it_going_until_the_time_limit(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(domains.InstallationFailed, match="not done after 2 s"):
        domains.watch(connection, domain, domains.Limits(total=2, stall=1), tick=lambda: True)


def test_leaving_the_block_ends_the_domain(connection: Any) -> None:
    domain = started(connection)
    with pytest.raises(KeyboardInterrupt), domains.ended_on_exit(domain):
        raise KeyboardInterrupt
    assert not domains.runs(domain)


def test_nobody_listens_to_a_domain_that_was_left(connection: Any) -> None:
    domain = started(connection)
    domains.listen(connection, domain)
    with domains.ended_on_exit(domain):
        pass
    assert domain.UUIDString() not in domains._endings


def test_only_domains_of_the_same_place_are_its_own(connection: Any) -> None:
    here, elsewhere = Path("/srv/images/debian-12"), Path("/elsewhere/debian-12")
    mine = domains.name_of(here / ".20261122.1.partial")
    assert mine.startswith("imagecycle-debian-12-20261122.1-")
    started(connection, mine)
    started(connection, domains.name_of(elsewhere / ".20261122.1.partial"))
    started(connection, domains.name_of(here.with_name("debian-12-more") / ".20261122.partial"))
    started(connection, "somebody-elses")
    assert [domain.name() for domain in domains.own_domains(connection, here)] == [mine]


def test_a_domain_that_oz_starts_ends_with_the_connection(connection: Any) -> None:
    asked: list[int] = []

    class Recorder:
        def createXML(self, xml: str, flags: int) -> Any:  # noqa: N802
            asked.append(flags)
            return connection.createXML(xml, 0)  # the test driver knows no such flag

        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

    domain = domains.Connection(Recorder()).createXML(XML.format(name="imagecycle-a-1"), 0)
    assert asked == [libvirt.VIR_DOMAIN_START_AUTODESTROY]
    domain.shutdown()  # is heard, although nobody watches yet
    domains.watch(connection, domain, domains.Limits(30, 30))


def test_a_libvirt_that_is_away_is_named_with_the_way_out() -> None:
    with pytest.raises(ImagecycleError, match="libvirt does not answer") as caught:
        domains.connect("qemu+unix:///system?socket=/nowhere/libvirt-sock")
    assert "doctor" in caught.value.hint


@pytest.mark.parametrize(
    ("forward", "reaches"),
    [
        ("<forward mode='nat'/><ip address='192.168.9.1' netmask='255.255.255.0'/>", True),
        ("<forward mode='bridge'/>", False),
        ("", False),
    ],
)
def test_a_libvirt_without_a_network_is_named_before_minutes_are_spent(
    tmp_path: Path, forward: str, reaches: bool
) -> None:
    network = f"<network><name>a</name>{forward}<bridge name='virbr7'/></network>"
    (tmp_path / "node.xml").write_text(f"<node>{network}</node>")
    uri = f"test://{tmp_path}/node.xml"
    if reaches:
        domains.require_network(uri)
        return
    with pytest.raises(ImagecycleError, match="has no active network") as caught:
        domains.require_network(uri)
    assert f"virsh --connect {uri} net-start default" in caught.value.hint
