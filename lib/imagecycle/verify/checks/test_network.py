"""The interface of the instance works as Neutron's DHCP and the config drive say."""

import re
from collections.abc import Mapping

import pytest

from imagecycle.machine.config_drive import MTU
from imagecycle.verify.session import Subject

RESOLVERS = ("10.0.2.3", "fd69:6d61:6765:1::3", "172.16.0.3")
"""Those that the machine's network offers"""


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


def test_interface_has_the_networks_mtu(card: tuple[str, str]) -> None:
    """Connections hang as soon as much is sent: packets are larger than the network takes."""
    assert f" mtu {MTU} " in card[1]


def test_has_a_default_route(told: Mapping[str, str]) -> None:
    """The server reaches nothing beyond its own network."""
    assert "default via" in told["routes"]


def test_asks_the_resolver_that_it_was_given(told: Mapping[str, str]) -> None:
    """No name can be resolved: packages cannot be installed, nothing can be downloaded."""
    known = re.findall(r"^nameserver\s+(\S+)", told["resolvers"], re.MULTILINE)
    assert known, "there is no resolver"
    assert set(known) & set(RESOLVERS), f"asked are {', '.join(known)}"
