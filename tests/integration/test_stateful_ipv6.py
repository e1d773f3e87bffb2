"""A machine in a network whose addresses of IPv6 come from DHCPv6 alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from imagecycle.verify.cases import INSTANCE, Case
from imagecycle.verify.checks import test_machines
from imagecycle.verify.session import NetworkFacts, Session
from integration import boots
from integration.boots import Booted, BuiltFamily, Sabotage
from sabotages.machines import NETWORK, settings
from sabotages.table import both, put

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

_WITHOUT = """\
[Match]
Type=ether
[Network]
DHCP=ipv4
IPv6AcceptRA=yes
[IPv6AcceptRA]
DHCPv6Client=no
"""


def booted(built: BuiltFamily, sabotage: Sabotage) -> Booted:
    case = Case(INSTANCE, "bios", built[0].properties, processors=2, stateful_ipv6=True)
    found = boots.boot_case(built, sabotage, case, lambda boot: bool(boot.account))
    assert found.outcome.ready, found.outcome.reason
    return found


def check(found: Booted) -> None:
    session = cast("Session", SimpleNamespace(network=NetworkFacts()))
    test_machines.test_have_an_ipv6_address(found.account, found.subject, session)


def test_a_good_image_takes_an_address_from_dhcpv6(built_family: BuiltFamily) -> None:
    found = booted(built_family, lambda _root: None)
    check(found)
    assert any(line.startswith("DHCPv6") for line in found.asked)


def test_an_image_that_asks_no_dhcpv6_is_rejected(built_family: BuiltFamily) -> None:
    without = both(settings("network", "network: {config: disabled}"), put(NETWORK, _WITHOUT))
    found = booted(built_family, without)
    with pytest.raises(AssertionError, match="no address by DHCPv6"):
        check(found)
    assert not any(line.startswith("DHCPv6") for line in found.asked)
