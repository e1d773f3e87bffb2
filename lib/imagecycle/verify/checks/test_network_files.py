"""A server gets its addresses from the cloud, whatever its network cards are."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

MAC = re.compile(
    r"(?<![0-9a-f:-])([0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}(?![0-9a-f:-])", re.I
)
NO_CARD = re.compile(r"(?i)^(00|ff)([:-]\1){5}$")
PLACES = (
    "/etc/{netplan,network,NetworkManager,systemd/network,udev,sysconfig,cloud,dhcp,wicked}/**",
    "/etc/{iftab,mactab,dhcpcd.conf,dhclient.conf,conf.d/net}",
    "/{usr/,}lib/{systemd/network,udev/rules.d}/**",
    "/boot/grub/grub.cfg",
)
_NETWORK_OFF = r"(?ms)^network\s*:.*?\b(config\s*:\s*[\"']?disabled|version\s*:)"
FIXED: Mapping[str, str] = {
    "/etc/netplan/*": (
        r"(?m)^\s*(addresses|gateway4|gateway6|set-name|macaddress|mtu)\s*:|dhcp4\s*:\s*(no|false)"
    ),
    "/etc/network/{interfaces,interfaces.d/*}": (
        r"(?m)^\s*(iface\s+(?!lo\b)\S+\s+inet6?\s+static|(address|hwaddress|mtu)\s)"
    ),
    "/etc/sysconfig/network-scripts/ifcfg-*": (
        r"(?mi)^\s*(IPADDR\d*|GATEWAY|HWADDR|MACADDR|MTU)\s*=|^BOOTPROTO=[\"']?(static|none)"
        r"|^ONBOOT=[\"']?no"
    ),
    "/etc/NetworkManager/system-connections/*": (
        r"(?m)^\s*(method=manual|address\d*=|mac-address=|cloned-mac-address=[0-9A-Fa-f]"
        r"|autoconnect=false)"
    ),
    "/etc/NetworkManager/conf.d/*": r"(?m)^\s*(no-auto-default|unmanaged-devices)\s*=\s*\S",
    "/etc/systemd/network/*": (
        r"(?mi)^\s*((Permanent)?MACAddress|Address|Gateway|MTUBytes)\s*=|^\s*DHCP\s*=\s*(no|false|none)\b"
    ),
    "/etc/udev/rules.d/*": r"SUBSYSTEM==\"net\".*(NAME=|ATTR\{address\})",
    "/etc/cloud/{cloud.cfg,cloud.cfg.d/*}": _NETWORK_OFF,
    "/etc/dhcpcd.conf": r"(?m)^\s*static\s",
    "/etc/dhcp/dhclient.conf": (
        r"(?m)^\s*(send\s+(host-name\s+\"|dhcp-client-identifier)|lease\s*\{|fixed-address)"
    ),
    "/etc/sysconfig/network": r"(?mi)^\s*(HOSTNAME|GATEWAY)\s*=\s*\S|^NETWORKING=no",
    "/etc/{iftab,mactab}": r"\S",
}
"""Files, and what in them is only right for the machine of the build"""
_NAME = r"(en[opsx][a-z0-9]+|eth\d+|em\d+|p\d+p\d+)"
INTERFACES: Mapping[str, str] = {
    "/etc/netplan/*": rf"(?m)^\s+{_NAME}\s*:\s*$(?!(?:\n\s+.*)*?\n\s+match\s*:)",
    "/etc/network/{interfaces,interfaces.d/*}": rf"(?m)^\s*(?:auto|allow-\w+|iface)\s+{_NAME}\b",
    "/etc/systemd/network/*.network": rf"(?m)^\s*Name\s*=\s*{_NAME}\s*$",
    "/etc/NetworkManager/system-connections/*": rf"(?m)^\s*interface-name\s*=\s*{_NAME}",
}
"""Files, and where they name one card of one machine"""


def test_name_no_network_card(pristine: Pristine, defects: Defects) -> None:
    """A server's network card is not the one that the settings name: it has no network."""
    assert defects(_cards(pristine)) == []


def _cards(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled(*PLACES):
        if path in pristine.foreign:
            for match in MAC.finditer(pristine.text(path)):
                if not NO_CARD.match(match[0]):
                    yield Finding(path, f"names {match[0]}")


def test_leave_addresses_to_the_cloud(pristine: Pristine, defects: Defects) -> None:
    """A server takes the builder's address, or none, and cannot be reached."""
    assert defects(_fixed(pristine)) == []


def _fixed(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in FIXED.items():
        for path in pristine.filled(pattern):
            if path in pristine.foreign and (match := re.search(said, pristine.text(path))):
                yield Finding(path, f"says {' '.join(match[0].split())}")


def test_fit_any_network_card(pristine: Pristine, defects: Defects) -> None:
    """With another machine type or one card more, the card has another name: no network."""
    assert defects(_named(pristine)) == []


def _named(pristine: Pristine) -> Iterator[Finding]:
    for pattern, said in INTERFACES.items():
        for path in pristine.filled(pattern):
            if path in pristine.foreign and (match := re.search(said, pristine.text(path))):
                yield Finding(path, f"names {match[1]}")
