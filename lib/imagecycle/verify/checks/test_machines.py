"""Whatever a cloud gives the image, it works: each machine of the matrix."""

import ipaddress
import json
import re
from collections.abc import Mapping

import pytest

from imagecycle.machine import stateful_ipv6
from imagecycle.machine.hardware import CONFIG_DRIVE_SOURCE, METADATA_SERVICE, NOCLOUD
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT

SOURCES = {
    CONFIG_DRIVE_SOURCE: ("ConfigDrive",),
    NOCLOUD: ("NoCloud",),
    METADATA_SERVICE: ("OpenStack", "Ec2"),
}
"""cloud-init's words for where it was told"""


def test_read_the_source_that_they_have(account: Mapping[str, str], subject: Subject) -> None:
    """A cloud that offers only this source gives servers without name, key and user data."""
    said = str(json.loads(account["status"])["v1"]["datasource"])
    assert any(word in said for word in SOURCES[subject.case.source]), f"{said} was read"


def test_have_the_instances_name(account: Mapping[str, str], subject: Subject) -> None:
    """Prompts, logs and monitoring show the builder's name, the same on every server."""
    assert account["name"].split(".")[0] == subject.instance_data.name


def test_run_user_data(account: Mapping[str, str], subject: Subject) -> None:
    """Scripts passed as user data never run, so automation stops at an empty server."""
    assert account["marker"] == subject.instance_data.marker


def test_have_an_address_on_every_card(account: Mapping[str, str], subject: Subject) -> None:
    """A server with several networks is reachable in one of them only."""
    data = subject.instance_data
    macs = [mac for mac in (data.mac, data.second_mac) if mac]
    names = {mac: _card(account["links"], mac) for mac in macs}
    without = [
        f"{mac} ({name or 'no such card'})"
        for mac, name in names.items()
        if not re.search(rf"^\d+: {re.escape(name)}\s+inet ", account["addresses"], re.MULTILINE)
    ]
    assert without == []


def test_have_an_ipv6_address(
    account: Mapping[str, str], subject: Subject, session: Session
) -> None:
    """A server in a network with IPv6 does not take part in it."""
    if not session.network.has_ipv6:
        pytest.skip(f"{LEFT_OUT}: the network has no IPv6")
    name = _card(account["links"], subject.instance_data.mac)
    given = rf"^\d+: {re.escape(name)}\s+inet6 (?!fe80:)(\S+)/\d+ .*scope global"
    found = re.findall(given, account["addresses"], re.MULTILINE)
    if subject.case.stateful_ipv6:
        lent = [one for one in found if ipaddress.ip_address(one) in stateful_ipv6.NETWORK]
        assert lent, "no address by DHCPv6"
    assert found, "no address by advertisement"


def test_see_all_processors(account: Mapping[str, str], subject: Subject) -> None:
    """A flavour with several processors works with one of them only."""
    assert int(account["processors"]) == subject.case.processors


def test_have_no_failed_unit(account: Mapping[str, str]) -> None:
    """Part of the system does not work from the first minute, and monitoring says so."""
    assert [line.split()[0] for line in account["failed"].splitlines()] == []


def _card(links: str, mac: str) -> str:
    """The name of the network card with an address."""
    found = re.search(rf"^\d+: ([^:@]+)[:@].*link/ether {re.escape(mac)}", links, re.MULTILINE)
    return found[1] if found else ""
