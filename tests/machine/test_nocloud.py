import dataclasses
import json
from pathlib import Path

import pycdlib
import yaml

from imagecycle.machine import nocloud
from imagecycle.machine.config_drive import InstanceData

TOLD = InstanceData(
    name="verify-one",
    public_key="ssh-ed25519 AAAA key",
    mac="fa:16:3e:00:00:01",
    second_mac="fa:16:3e:00:00:02",
)


def test_drive_has_the_label_that_cloud_init_looks_for(tmp_path: Path) -> None:
    nocloud.write(TOLD, tmp_path / "drive.iso")
    iso = pycdlib.PyCdlib()
    iso.open(str(tmp_path / "drive.iso"))
    try:
        assert iso.pvd.volume_identifier.strip() == b"cidata"
        names = {
            child.rock_ridge.name() for child in iso.list_children(rr_path="/") if child.rock_ridge
        }
        assert {b"meta-data", b"user-data", b"network-config"} <= names
    finally:
        iso.close()


def test_drive_says_what_the_instance_is() -> None:
    files = dict(nocloud.files(TOLD))
    said = yaml.safe_load(files["meta-data"])
    assert said["instance-id"] == TOLD.uuid
    assert said["local-hostname"] == TOLD.hostname
    assert said["public-keys"] == [TOLD.public_key]
    assert files["user-data"] == TOLD.user_data.encode()
    network = json.loads(files["network-config"])
    macs = [card["match"]["macaddress"] for card in network["ethernets"].values()]
    assert macs == [TOLD.mac, TOLD.second_mac]


def test_drive_asks_for_dhcpv6_where_addresses_are_lent() -> None:
    stateful = dataclasses.replace(TOLD, stateful_ipv6=True)
    cards = json.loads(dict(nocloud.files(stateful))["network-config"])["ethernets"]
    assert [card.get("dhcp6", False) for card in cards.values()] == [True, False]
