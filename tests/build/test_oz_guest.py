"""The domain that Oz describes, after imagecycle has adapted it; and what Oz makes of templates."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from xml.etree import ElementTree

import oz.Debian
import oz.TDL
import pytest

from imagecycle import catalog
from imagecycle.build import domain_xml, installation, template
from imagecycle.build.domain import Limits
from imagecycle.machine.accelerator import Accelerator, fitting
from imagecycle.model import Media
from imagecycle.site import CATALOG
from imagecycle.systems.debian import Debian

FAMILY = catalog.find(CATALOG, "debian-12-x86_64-server")
OF_OZ = """<domain type="qemu"><name>n</name><os><type>hvm</type></os><devices>
<serial type="pty"><target port="0"/></serial>
<serial type="tcp"><source mode="bind" host="127.0.0.1" service="1"/><target port="1"/></serial>
<disk device="disk" type="file"><target dev="vda" bus="virtio"/><source file="/d.raw"/>
<driver name="qemu" type="raw"/></disk></devices></domain>"""


def text_of(command: object) -> str:
    content = command.read()  # type: ignore[attr-defined]
    return content.decode() if isinstance(content, bytes) else content


def adapted(kind: str, xml: str = OF_OZ, firmware: str = "bios") -> ElementTree.Element:
    around = domain_xml.Surroundings(
        Path("/srv"), "test:///default", Accelerator(kind, ""), 2, 1024, Limits(1, 1), firmware
    )
    return ElementTree.fromstring(domain_xml.adapt(xml, around, Path("/srv/console.log")))


def test_the_console_goes_to_a_file_and_no_port_is_opened() -> None:
    serials = adapted("tcg").findall("devices/serial")
    assert [serial.get("type") for serial in serials] == ["file"]
    source = serials[0].find("source")
    assert source is not None
    assert source.get("path") == "/srv/console.log"


def test_the_disk_is_fast_rather_than_safe() -> None:
    driver = adapted("tcg").find("devices/disk/driver")
    assert driver is not None
    assert driver.attrib.items() >= {"cache": "unsafe", "discard": "unmap", "type": "raw"}.items()


@pytest.mark.parametrize(("kind", "mode"), [("kvm", "host-passthrough"), ("tcg", None)])
def test_the_processor_fits_the_accelerator(kind: str, mode: str | None) -> None:
    cpu = adapted(kind).find("cpu")
    assert (cpu.get("mode") if cpu is not None else None) == mode


def test_a_pc_keeps_its_time_as_in_nova() -> None:
    timers = {timer.get("name"): timer.attrib for timer in adapted("tcg").findall("clock/timer")}
    assert timers["hpet"]["present"] == "no"
    assert timers["rtc"]["tickpolicy"] == "catchup"
    assert timers["pit"]["tickpolicy"] == "delay"


def test_a_machine_boots_from_uefi_with_variables_of_its_own() -> None:
    system = adapted("tcg", firmware="uefi").find("os")
    assert system is not None
    assert system.findtext("loader", "").startswith("/usr/share/OVMF/OVMF_CODE")
    assert system.findtext("nvram") == "/srv/variables.fd"
    assert adapted("tcg").find("os/loader") is None


@pytest.mark.parametrize(
    ("kind", "firmware", "booted"),
    [
        ("iso", ("bios", "uefi"), "uefi"),
        ("url", ("bios", "uefi"), "uefi"),
        ("url", ("bios",), "bios"),
        ("tree", ("bios", "uefi"), "bios"),
    ],
)
def test_the_vendors_installer_runs_under_uefi_where_the_system_boots_from_it(
    kind: str, firmware: tuple[str, ...], booted: str
) -> None:
    family = dataclasses.replace(FAMILY, media=Media(kind), firmware=firmware)
    assert installation.firmware_of(family) == booted


ARM = """<domain type="qemu"><features><acpi/><apic/><pae/></features><os>
<type arch="aarch64" machine="virt">hvm</type><loader/><nvram template="/t"/></os><devices>
<input bus="ps2" type="mouse"/><disk device="cdrom" type="file"><source file="/m.iso"/>
<target dev="hdc"/></disk></devices></domain>"""


def test_a_machine_for_arm_has_nothing_that_only_a_pc_has() -> None:
    domain = adapted("tcg", ARM, "uefi")
    assert [feature.tag for feature in domain.findall("features/*")] == ["acpi"]
    assert domain.find("devices/input") is None
    assert domain.findtext("cpu/model") == "cortex-a57"
    target = domain.find("devices/disk/target")
    assert target is not None
    assert target.attrib == {"dev": "sda", "bus": "scsi"}
    assert domain.find("devices/controller[@model='virtio-scsi']") is not None
    assert domain.findtext("os/nvram") == "/srv/variables.fd"


def test_another_architecture_is_emulated_whatever_this_machine_can_do() -> None:
    kvm = Accelerator("kvm", "")
    own = platform.machine()
    assert fitting(kvm, own) == kvm
    other = "x86_64" if own == "aarch64" else "aarch64"
    assert fitting(kvm, other).kind == "tcg"


def test_oz_reads_the_template_of_an_installation() -> None:
    tdl = oz.TDL.TDL(
        template.installation(FAMILY, name="n", media_url="file:///tree", root_password="p")
    )
    assert (tdl.distro, tdl.update, tdl.arch) == ("Debian", "12", "x86_64")
    assert (tdl.url, int(tdl.disksize)) == ("file:///tree", FAMILY.disk_gib)


def test_oz_reads_the_template_of_a_customisation_in_order() -> None:
    tdl = oz.TDL.TDL(
        template.customisation(
            FAMILY,
            name="n",
            media_url="file:///tree",
            root_password="p",
            before=["key", "update <&>\nagain"],
            after=["touch /a", "clean"],
        )
    )
    assert tuple(package.name for package in tdl.packages) == FAMILY.packages
    assert [text_of(command) for command in tdl.precommands] == ["key", "update <&>\nagain"]
    texts = [text_of(command) for command in tdl.commands]
    assert texts == ["touch /a", "clean"]


def test_oz_is_taught_the_releases_that_it_does_not_know() -> None:
    Debian().teach_oz()
    assert {"12", "13"} <= set(oz.Debian.version_to_config)
