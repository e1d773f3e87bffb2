"""The NoCloud drive: what an instance is told about itself where there is no cloud.

An ISO 9660 file system with the volume label ``cidata``; the format is described in cloud-init's
documentation under "NoCloud".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from imagecycle.machine import iso
from imagecycle.machine.config_drive import MTU, InstanceData

LABEL = "cidata"


def write(instance_data: InstanceData, path: Path) -> None:
    """Write the NoCloud drive of an instance to ``path``."""
    iso.write(LABEL, files(instance_data), path)


def files(instance_data: InstanceData) -> Iterator[tuple[str, bytes]]:
    """The paths and contents of everything on the drive; JSON is YAML as well."""
    macs = [mac for mac in (instance_data.mac, instance_data.second_mac) if mac]
    cards = {
        f"card{number}": {"match": {"macaddress": mac}, "dhcp4": True, "mtu": MTU}
        for number, mac in enumerate(macs)
    }
    if instance_data.stateful_ipv6:
        cards["card0"]["dhcp6"] = True
    meta_data = {
        "instance-id": instance_data.uuid,
        "local-hostname": instance_data.hostname,
        "public-keys": [instance_data.public_key],
    }
    yield "meta-data", json.dumps(meta_data).encode()
    yield "user-data", instance_data.user_data.encode()
    yield "vendor-data", instance_data.vendor_data.encode()
    yield "network-config", json.dumps({"version": 2, "ethernets": cards}).encode()
