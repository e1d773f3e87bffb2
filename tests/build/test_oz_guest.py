"""The domain that Oz describes, after imagecycle has adapted it; and what Oz makes of templates."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import oz.Debian
import oz.TDL
import pytest

from imagecycle import catalog
from imagecycle.build import oz_guest, template
from imagecycle.build.domain import Limits
from imagecycle.machine.accelerator import Accelerator
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


def adapted(kind: str) -> ElementTree.Element:
    around = oz_guest.Surroundings(
        Path("/srv"), "test:///default", Accelerator(kind, ""), 2, 1024, Limits(1, 1)
    )
    return ElementTree.fromstring(oz_guest.adapt(OF_OZ, around, Path("/srv/console.log")))


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
            prepare="update <&>",
            finish="clean",
        )
    )
    assert tuple(package.name for package in tdl.packages) == FAMILY.packages
    assert [text_of(command) for command in tdl.precommands] == ["update <&>"]
    texts = [text_of(command) for command in tdl.commands]
    assert texts == [*FAMILY.commands, "clean"]


def test_oz_is_taught_the_releases_that_it_does_not_know() -> None:
    Debian().teach_oz()
    assert {"12", "13"} <= set(oz.Debian.version_to_config)
