"""The metadata service at its link-local address, answered inside a machine's own network.

QEMU's user networking takes connections to an address of the guest's network and hands each to a
program. So the guest's network is made wide enough to hold 169.254.169.254 and an ordinary private
address for the guest; nothing listens on this machine, and nothing is left when QEMU ends.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from imagecycle.machine import config_drive, metadata_answer
from imagecycle.machine.config_drive import InstanceData

FOLDER = "metadata"
LOG = "metadata.log"
"""The guest's requests, one a line: status, method, path"""
ADDRESS = "169.254.169.254"
_NETWORK = "net=160.0.0.0/4,host=172.16.0.1,dns=172.16.0.3,dhcpstart=172.16.0.10"


def write(instance_data: InstanceData, folder: Path) -> None:
    """Lay down below ``folder`` what the service answers, one file for each address."""
    for name, content in files(instance_data).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def files(instance_data: InstanceData) -> dict[str, bytes]:
    """The addresses below the service's root and what they answer, as Nova gives them."""
    found = {
        name: content
        for name, content in config_drive.files(instance_data)
        if name.startswith("openstack/")
    }
    key = instance_data.public_key.encode()
    ec2 = {
        "instance-id": f"i-{instance_data.uuid[:8]}",
        "hostname": instance_data.hostname,
        "local-hostname": instance_data.hostname,
        "public-hostname": instance_data.hostname,
        "ami-id": "ami-00000001",
        "ami-launch-index": "0",
        "instance-type": "m1.small",
        "placement/availability-zone": "nova",
        "public-keys/0/openssh-key": key.decode(),
    }
    for version in (*config_drive.EC2_VERSIONS, "2008-02-01", "1.0"):
        for name, text in ec2.items():
            found[f"{version}/meta-data/{name}"] = text.encode()
        keys = f"{version}/meta-data/public-keys"
        found[f"{keys}/{metadata_answer.NAMES}"] = f"0={config_drive.KEY_NAME}".encode()
        found[f"{version}/user-data"] = instance_data.user_data.encode()
    return found


def network() -> str:
    """The part of QEMU's ``-netdev user`` that makes the guest's network and the service in it.

    The program's paths are as seen from the machine's folder.
    """
    words = [sys.executable, "-I", "-S", metadata_answer.__file__, FOLDER, LOG]
    command = shlex.join(words).replace(",", ",,")
    return f"{_NETWORK},guestfwd=tcp:{ADDRESS}:80-cmd:{command}"


def requests(log: Path) -> list[str]:
    """What the guest has asked for so far."""
    return log.read_text(errors="replace").splitlines() if log.exists() else []
