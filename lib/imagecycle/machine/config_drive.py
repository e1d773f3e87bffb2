"""The config drive: what an instance is told about itself, in the form that OpenStack gives it.

An ISO 9660 file system with the volume label ``config-2``, Rock Ridge and Joliet names, holding
one folder per version of the metadata below ``openstack/`` and ``ec2/``. The format is described
in Nova's user guide under "Metadata" (sections "Config drives" and "OpenStack format metadata").
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.machine import iso

LABEL = "config-2"
VERSIONS = {
    "2012-08-10": ("meta_data.json", "user_data"),
    "2013-04-04": ("meta_data.json", "user_data"),
    "2013-10-17": ("meta_data.json", "user_data", "vendor_data.json"),
    "2015-10-15": ("meta_data.json", "user_data", "vendor_data.json", "network_data.json"),
    "2016-10-06": (
        "meta_data.json",
        "user_data",
        "vendor_data.json",
        "vendor_data2.json",
        "network_data.json",
    ),
}
"""The files of each version that brought a new one; Nova writes them all."""
REPEATED = ("2016-06-30", "2017-02-22", "2018-08-27", "2020-10-14", "latest")
"""Versions with the files of the one before them."""
EC2_VERSIONS = ("2009-04-04", "latest")
KEY_NAME = "imagecycle-verify"
DOMAIN = "novalocal"
"""Nova's default ``dhcp_domain``."""


def _random_seed() -> str:
    return base64.b64encode(secrets.token_bytes(512)).decode()


def _marker() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True)
class InstanceData:
    """What one instance is told: the checks ask the guest whether it listened.

    ``user_data`` is a shell script that writes ``marker`` to ``MARKER_FILE``.
    """

    name: str
    public_key: str
    """One line, as in authorized_keys"""
    mac: str
    """Of the first network card"""
    second_mac: str = ""
    """Of a second one; empty without"""
    stateful_ipv6: bool = False
    """Whether the first card's address of IPv6 comes from DHCPv6"""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    marker: str = field(default_factory=_marker)
    random_seed: str = field(default_factory=_random_seed)
    admin_password: str = field(default="", repr=False)
    """That Nova makes; empty where nobody would use it"""
    script: str = ""
    """User data in the place of the usual script"""

    @property
    def hostname(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def user_data(self) -> str:
        return self.script or f"#!/bin/sh\necho {self.marker} > {MARKER_FILE}\n"

    @property
    def vendor_data(self) -> str:
        """What the operator of a cloud passes to all instances."""
        return f"#!/bin/sh\necho {self.marker} > {VENDOR_MARKER_FILE}\n"


MARKER_FILE = "/run/imagecycle-user-data"
VENDOR_MARKER_FILE = "/run/imagecycle-vendor-data"
MTU = 1450
"""Of the instances' network: less than Ethernet's, as on networks in tunnels"""


def write(instance_data: InstanceData, path: Path) -> None:
    """Write the config drive of an instance to ``path``."""
    iso.write(LABEL, files(instance_data), path)


def files(instance_data: InstanceData) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of everything on the config drive."""
    contents = {
        "meta_data.json": _json(_meta_data(instance_data)),
        "user_data": instance_data.user_data.encode(),
        "vendor_data.json": _json({"cloud-init": instance_data.vendor_data}),
        "vendor_data2.json": _json({"static": {}}),
        "network_data.json": _json(_network_data(instance_data)),
    }
    for version, names in VERSIONS.items():
        for name in names:
            yield f"openstack/{version}/{name}", contents[name]
    for version in REPEATED:
        for name, content in contents.items():
            yield f"openstack/{version}/{name}", content
    for version in EC2_VERSIONS:
        yield f"ec2/{version}/meta-data.json", _json(_ec2_meta_data(instance_data))
        yield f"ec2/{version}/user-data", instance_data.user_data.encode()


def _meta_data(instance_data: InstanceData) -> dict[str, Any]:
    password = instance_data.admin_password
    return {
        **({"admin_pass": password} if password else {}),
        "uuid": instance_data.uuid,
        "name": instance_data.name,
        "hostname": instance_data.hostname,
        "public_keys": {KEY_NAME: instance_data.public_key},
        "keys": [{"name": KEY_NAME, "type": "ssh", "data": instance_data.public_key}],
        "availability_zone": "nova",
        "launch_index": 0,
        "random_seed": instance_data.random_seed,
        "project_id": "0" * 32,
        "devices": [],
        "dedicated_cpus": [],
    }


def _network_data(instance_data: InstanceData) -> dict[str, Any]:
    """One interface with DHCP for each card, as on ordinary Neutron networks; the first may have a
    second subnet, whose addresses of IPv6 are lent by DHCPv6."""
    macs = [mac for mac in (instance_data.mac, instance_data.second_mac) if mac]
    networks = [(number, "ipv4_dhcp") for number in range(len(macs))]
    if instance_data.stateful_ipv6:
        networks.append((0, "ipv6_dhcpv6-stateful"))
    return {
        "links": [
            {
                "id": f"tap{number}",
                "vif_id": str(uuid.UUID(int=number)),
                "type": "ovs",
                "mtu": MTU,
                "ethernet_mac_address": mac,
            }
            for number, mac in enumerate(macs)
        ],
        "networks": [
            {
                "id": f"network{number}",
                "type": kind,
                "link": f"tap{card}",
                "network_id": str(uuid.UUID(int=card)),
            }
            for number, (card, kind) in enumerate(networks)
        ],
        "services": [],
    }


def _ec2_meta_data(instance_data: InstanceData) -> dict[str, Any]:
    return {
        "instance-id": f"i-{instance_data.uuid[:8]}",
        "hostname": instance_data.hostname,
        "local-hostname": instance_data.hostname,
        "public-hostname": instance_data.hostname,
        "placement": {"availability-zone": "nova"},
        "public-keys": {"0": {"_name": f"0={KEY_NAME}", "openssh-key": instance_data.public_key}},
    }


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
