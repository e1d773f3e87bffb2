"""The machine that Windows is installed on, as libvirt is told of it."""

import configparser
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import libvirt
import oz.GuestFactory
import oz.TDL
import pytest

import windows_families
from imagecycle import systems
from imagecycle.build import template, windows_domain
from imagecycle.errors import UsageError
from imagecycle.machine.accelerator import Accelerator
from imagecycle.model import Family

FOLDER = Path("/build")


@pytest.fixture(scope="module")
def of_oz(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The domain that Oz itself describes for an installation from a CD."""
    folder = tmp_path_factory.mktemp("oz")
    configuration = configparser.ConfigParser()
    configuration.read_dict(
        {
            "paths": {"output_dir": str(folder / "out"), "data_dir": str(folder / "data")},
            "libvirt": {"uri": "test:///default", "type": "qemu", "bridge_name": "virbr0"},
        }
    )
    family = windows_families.family()
    described = template.installation(
        family, name="imagecycle-n", media_url="file:///m.iso", root_password="none"
    )
    systems.of(family).teach_oz()
    guest = oz.GuestFactory.guest_factory(
        oz.TDL.TDL(described), configuration, "/answers", str(folder / "disk.raw")
    )
    cds = [guest._InstallDev("cdrom", f"/{name}.iso", "hdc") for name in ("one", "two")]
    return str(guest._generate_xml("cdrom", cds))


def domain(of_oz: str, family: Family, kind: str = "tcg") -> ElementTree.Element:
    return ElementTree.fromstring(
        windows_domain.adapt(of_oz, family, Accelerator(kind, ""), FOLDER)
    )


def attributes(element: ElementTree.Element, path: str) -> list[dict[str, Any]]:
    return [found.attrib for found in element.findall(path)]


@pytest.mark.parametrize("kind", ["kvm", "tcg"])
@pytest.mark.parametrize("slug", windows_families.families())
def test_libvirts_schema_takes_it(of_oz: str, slug: str, kind: str) -> None:
    xml = windows_domain.adapt(of_oz, windows_families.family(slug), Accelerator(kind, ""), FOLDER)
    connection = libvirt.open("test:///default")
    try:
        wanted = xml.replace('type="qemu"', 'type="test"', 1)
        wanted = re.sub("<uuid>.*</uuid>", "", wanted)  # Oz writes it where the schema has it not
        connection.defineXMLFlags(wanted, libvirt.VIR_DOMAIN_DEFINE_VALIDATE).undefine()
    finally:
        connection.close()


def test_it_ends_at_power_off_alone_and_starts_the_disk_before_the_cds(of_oz: str) -> None:
    found = domain(of_oz, windows_families.family())
    assert (found.findtext("on_reboot"), found.findtext("on_poweroff")) == ("restart", "destroy")
    assert found.findall("os/boot") == []
    orders = [
        (disk.get("device"), disk.find("boot").get("order"))  # type: ignore[union-attr]
        for disk in found.findall("devices/disk")
    ]
    assert orders == [("disk", "1"), ("cdrom", "2"), ("cdrom", "3")]
    targets = [target["dev"] for target in attributes(found, "devices/disk/target")]
    assert targets == ["vda", "sdb", "sdc"]


def test_windows_11_is_given_what_it_demands(of_oz: str) -> None:
    found = domain(of_oz, windows_families.family("windows-11-x86_64-desktop"))
    assert attributes(found, "os/type")[0]["machine"] == "q35"
    assert attributes(found, "os")[0]["firmware"] == "efi"
    assert found.findtext("os/nvram") == "/build/variables.fd"
    features = attributes(found, "os/firmware/feature")
    assert {one["name"]: one["enabled"] for one in features} == {
        "secure-boot": "yes",
        "enrolled-keys": "yes",
    }
    assert attributes(found, "features/smm") == [{"state": "on"}]
    assert attributes(found, "devices/tpm") == [{"model": "tpm-crb"}]
    assert attributes(found, "devices/tpm/backend") == [{"type": "emulator", "version": "2.0"}]


def test_an_old_server_is_given_a_machine_that_it_knows(of_oz: str) -> None:
    found = domain(of_oz, windows_families.family("windows-2012r2-x86_64-server"))
    assert attributes(found, "os/type")[0]["machine"] == "pc"
    assert "firmware" not in attributes(found, "os")[0]
    assert attributes(found, "devices/tpm") == []
    assert [target["bus"] for target in attributes(found, "devices/disk/target")][1:] == ["ide"] * 2


def test_its_clock_runs_as_novas_does_for_windows(of_oz: str) -> None:
    assert attributes(domain(of_oz, windows_families.family()), "clock")[0]["offset"] == "localtime"


def test_only_kvm_gives_the_enlightenments_of_hyper_v(of_oz: str) -> None:
    family = windows_families.family()
    assert domain(of_oz, family, "kvm").find("features/hyperv/stimer") is not None
    assert domain(of_oz, family, "tcg").find("features/hyperv") is None
    assert attributes(domain(of_oz, family, "tcg"), "cpu") == [{"mode": "maximum"}]


def test_the_disk_and_the_card_are_those_of_the_catalog(of_oz: str) -> None:
    properties = {"hw_disk_bus": "scsi", "hw_vif_model": "e1000e", "hw_machine_type": "q35"}
    found = domain(of_oz, windows_families.family(properties=properties))
    assert attributes(found, "devices/disk/target")[0] == {"dev": "sda", "bus": "scsi"}
    assert attributes(found, "devices/interface/model") == [{"type": "e1000e"}]
    assert {"type": "scsi", "index": "0", "model": "virtio-scsi"} in attributes(
        found, "devices/controller"
    )


def test_an_unknown_disk_bus_is_refused(of_oz: str) -> None:
    family = windows_families.family(properties={"hw_disk_bus": "fdc"})
    with pytest.raises(UsageError, match="property hw_disk_bus: fdc"):
        domain(of_oz, family)


@pytest.mark.integration
def test_libvirts_qemu_finds_the_firmware_and_what_windows_11_demands(of_oz: str) -> None:
    family = windows_families.family("windows-11-x86_64-desktop")
    connection = libvirt.open("qemu:///system")
    try:  # starts nothing
        xml = windows_domain.adapt(of_oz, family, Accelerator("tcg", ""), FOLDER)
        line = connection.domainXMLToNative("qemu-argv", xml, 0)
    finally:
        connection.close()
    for part in (
        "OVMF_CODE_4M.ms.fd",
        '"filename":"/build/variables.fd"',
        "driver=cfi.pflash01,property=secure,value=on",
        '"driver":"tpm-crb"',
    ):
        assert part in line
