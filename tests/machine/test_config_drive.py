import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pycdlib
import pytest

from imagecycle.machine import config_drive
from imagecycle.machine.config_drive import InstanceData

TOLD = InstanceData(name="verify-one", public_key="ssh-ed25519 AAAA key", mac="fa:16:3e:00:00:01")


class Drive:
    """A config drive as its readers see it."""

    def __init__(self, path: Path) -> None:
        self.iso = pycdlib.PyCdlib()
        self.iso.open(str(path))

    def read(self, name: str, names: str = "rr_path") -> bytes:
        content = io.BytesIO()
        self.iso.get_file_from_iso_fp(content, **{names: f"/{name}"})
        return content.getvalue()

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))

    def folders(self, name: str) -> set[str]:
        children = self.iso.list_children(rr_path=f"/{name}")
        found = {child.rock_ridge.name().decode() for child in children if child.rock_ridge}
        return found - {"", ".", ".."}


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    config_drive.write(TOLD, tmp_path / "config.iso")
    return Drive(tmp_path / "config.iso")


def test_volume_has_the_label_that_readers_look_for(drive: Drive) -> None:
    assert drive.iso.pvd.volume_identifier.decode().strip() == "config-2"


def test_meta_data_names_the_instance_and_its_key(drive: Drive) -> None:
    instance_data = drive.json("openstack/latest/meta_data.json")
    assert instance_data["uuid"] == TOLD.uuid
    assert instance_data["name"] == "verify-one"
    assert instance_data["hostname"] == "verify-one.novalocal"
    assert instance_data["public_keys"] == {"imagecycle-verify": "ssh-ed25519 AAAA key"}
    assert instance_data["availability_zone"] == "nova"
    assert instance_data["launch_index"] == 0


def test_user_data_is_the_script_that_leaves_the_marker(drive: Drive) -> None:
    script = drive.read("openstack/latest/user_data").decode()
    assert script.startswith("#!/bin/sh\n")
    assert TOLD.marker in script


def test_network_data_asks_for_dhcp_on_the_instances_card(drive: Drive) -> None:
    network = drive.json("openstack/latest/network_data.json")
    assert network["links"][0]["ethernet_mac_address"] == TOLD.mac
    assert network["networks"][0]["type"] == "ipv4_dhcp"
    assert network["networks"][0]["link"] == network["links"][0]["id"]


def test_older_versions_lack_what_came_later(drive: Drive) -> None:
    assert drive.folders("openstack/2012-08-10") == {"meta_data.json", "user_data"}
    assert "network_data.json" not in drive.folders("openstack/2013-10-17")
    assert "vendor_data.json" in drive.folders("openstack/2013-10-17")
    assert "vendor_data2.json" in drive.folders("openstack/2018-08-27")


def test_every_version_says_the_same(drive: Drive) -> None:
    versions = drive.folders("openstack")
    assert {"2012-08-10", "2018-08-27", "latest"} <= versions
    said = {drive.read(f"openstack/{version}/meta_data.json") for version in versions}
    assert len(said) == 1


def test_ec2_metadata_is_there_as_in_nova(drive: Drive) -> None:
    assert drive.json("ec2/latest/meta-data.json")["hostname"] == "verify-one.novalocal"


def test_readers_of_joliet_see_the_same_names(drive: Drive) -> None:
    name = "openstack/latest/meta_data.json"
    assert drive.read(name, "joliet_path") == drive.read(name)


def test_two_instances_are_told_different_things() -> None:
    other = InstanceData(name="verify-two", public_key=TOLD.public_key, mac="fa:16:3e:00:00:02")
    assert other.uuid != TOLD.uuid
    assert other.marker != TOLD.marker
    assert other.random_seed != TOLD.random_seed


def test_network_data_asks_for_dhcpv6_where_addresses_are_lent(tmp_path: Path) -> None:
    stateful = dataclasses.replace(TOLD, stateful_ipv6=True)
    config_drive.write(stateful, tmp_path / "stateful.iso")
    network = Drive(tmp_path / "stateful.iso").json("openstack/latest/network_data.json")
    assert [(one["type"], one["link"]) for one in network["networks"]] == [
        ("ipv4_dhcp", "tap0"),
        ("ipv6_dhcpv6-stateful", "tap0"),
    ]
