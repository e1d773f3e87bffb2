"""A network in which addresses of IPv6 are to be had from DHCPv6 alone, as Neutron's subnets with
``ipv6_address_mode: dhcpv6-stateful``."""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

from imagecycle.machine import companion, stateful_answer

NETWORK = ipaddress.IPv6Network((stateful_answer.PREFIX, 64))
SOCKET = "router.socket"
LOG = "router.log"
"""What the guest has asked the router and the DHCPv6 server for, one a line"""
OUTPUT = "router.out"
_HUB = 1


def netdevs(user: str, name: str) -> list[str]:
    """QEMU's options for a network that both this server and its user network are in.

    :param user: the options of the user network, which has the rest: IPv4 and the ways in.
    :param name: by which a card is put into the network.
    """
    words = [f"user,id=user,ipv6=off,{user}", f"hubport,id={name},hubid={_HUB}"]
    words += [f"hubport,id=of-user,hubid={_HUB},netdev=user"]
    words += [f"stream,id=router,server=off,addr.type=unix,addr.path={SOCKET}"]
    words += [f"hubport,id=of-router,hubid={_HUB},netdev=router"]
    return [option for word in words for option in ("-netdev", word)]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[None]:
    """The router and server of a machine, for the length of a ``with`` block.

    :param folder: of the machine, where QEMU is started.
    :raises ImagecycleError: when it does not start.
    """
    argv = [sys.executable, "-I", "-S", stateful_answer.__file__, SOCKET, LOG]
    with companion.running("the DHCPv6 server", argv, folder, socket=SOCKET, output=OUTPUT):
        yield
