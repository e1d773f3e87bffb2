"""The interface of the instance works as Neutron's DHCP and the config drive say."""

import re
from collections.abc import Mapping

import pytest

from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT


@pytest.fixture(scope="module")
def card(told: Mapping[str, str], instance: Subject) -> tuple[str, str]:
    """The name of the network card and what is told of it."""
    mac = re.escape(instance.instance_data.mac)
    found = re.search(rf"^\d+: ([^:@]+)[:@](.*link/ether {mac}.*)$", told["links"], re.MULTILINE)
    assert found, f"there is no card with the address {instance.instance_data.mac}"
    return found[1], found[2]


def test_interface_has_an_address(told: Mapping[str, str], card: tuple[str, str]) -> None:
    """The server has no address on its network card."""
    assert re.search(rf"^\d+: {re.escape(card[0])}\s+inet ", told["addresses"], re.MULTILINE)


def test_interface_has_the_networks_mtu(card: tuple[str, str], session: Session) -> None:
    """Connections hang as soon as much is sent: packets are larger than the network takes."""
    if not session.network.mtu:
        pytest.skip(f"{LEFT_OUT}: {session.cloud} does not report the MTU of its network")
    assert f" mtu {session.network.mtu} " in card[1]


def test_has_a_default_route(told: Mapping[str, str]) -> None:
    """The server reaches nothing beyond its own network."""
    assert "default via" in told["routes"]


def test_asks_the_resolver_that_it_was_given(told: Mapping[str, str], session: Session) -> None:
    """No name can be resolved: packages cannot be installed, nothing can be downloaded."""
    known = re.findall(r"^nameserver\s+(\S+)", told["resolvers"], re.MULTILINE)
    assert known, "there is no resolver"
    if not (given := session.network.resolvers):
        pytest.skip(f"{LEFT_OUT}: {session.cloud} does not report the resolvers of its network")
    assert set(known) & set(given), f"asked are {', '.join(known)}"
