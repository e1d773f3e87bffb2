"""Nothing listens to the network but what is meant to."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.systems.linux import Linux
from imagecycle.verify.findings import Defects, Finding


def test_is_meant_to(told: Mapping[str, str], system: Linux, defects: Defects) -> None:
    """Servers offer a service that nobody asked for to whoever reaches them."""
    assert told["listening"], "not even SSH listens"
    ports = dict.fromkeys(_ports(told["listening"]))
    assert defects(Finding(port, "listens") for port in ports if port not in system.listening) == []


def _ports(shown: str) -> Iterator[str]:
    """What can be reached from outside, as ``22/tcp``; see ss(8)."""
    for line in shown.splitlines():
        protocol, state, _, _, local = line.split()[:5]
        address, _, port = local.rpartition(":")
        if re.match(r"127\.|\[?::1\]?$|\[?::ffff:127\.", address.partition("%")[0]):
            continue
        if (protocol == "tcp" and state == "LISTEN") or protocol == "udp":
            yield f"{port}/{protocol}"
