"""The machine that is installed: Oz's description of it, fitted to what it runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from imagecycle.build.domain import Limits
from imagecycle.machine import hardware, platforms
from imagecycle.machine.accelerator import Accelerator

VARIABLES = "variables.fd"


@dataclass(frozen=True)
class Surroundings:
    """Where and how a guest of Oz is run.

    ``folder`` receives the disk, the console and pictures; ``processors`` and ``memory_mib`` are
    the guest's; ``firmware`` is what it boots from where Oz says nothing: ``bios`` or ``uefi``.
    """

    folder: Path
    uri: str
    accelerator: Accelerator
    processors: int
    memory_mib: int
    limits: Limits
    firmware: str = hardware.BIOS
    reshape: Callable[[str], str] = str
    """What else the system wants of the domain, given its XML"""
    reads_screen: bool = False
    """Whether the system asks its questions on the screen alone"""


def adapt(xml: str, surroundings: Surroundings, console: Path) -> str:
    """Oz's domain XML with the console in a file, and a disk and processor that are fast.

    The disk's cache is not safe against a crash of this machine; a build that crashes is begun
    again anyway.

    :raises ImagecycleError: when the firmware is not installed.
    """
    domain = ElementTree.fromstring(xml)
    devices = domain.find("devices")
    assert devices is not None
    for serial in devices.findall("serial"):
        target = serial.find("target")
        if target is not None and target.get("port") == "0":
            serial.set("type", "file")
            ElementTree.SubElement(serial, "source", path=str(console), append="on")
        else:
            devices.remove(serial)
    for driver in devices.findall("disk/driver"):
        driver.set("cache", "unsafe")
        driver.set("discard", "unmap")
    if surroundings.accelerator.kind == "kvm" and domain.find("cpu") is None:
        ElementTree.SubElement(domain, "cpu", mode="host-passthrough")
    for seclabel in domain.findall("seclabel"):
        domain.remove(seclabel)
    kind = domain.find("os/type")
    if kind is not None and kind.get("arch") == platforms.AARCH64:
        _fit_arm(domain, devices, surroundings)
    else:
        _keep_time_as_nova(domain)
        if surroundings.firmware == hardware.UEFI:
            _boot_from_uefi(domain, surroundings)
    return ElementTree.tostring(domain, encoding="unicode")


def _keep_time_as_nova(domain: ElementTree.Element) -> None:
    """Give a PC the timers that Nova gives it: no HPET above all.

    Under emulation a guest that keeps its time by the HPET may stand still: QEMU 10.0 loses its
    interrupts now and then.
    """
    clock = domain.find("clock")
    if clock is None:
        clock = ElementTree.SubElement(domain, "clock", offset="utc")
    ElementTree.SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    ElementTree.SubElement(clock, "timer", name="pit", tickpolicy="delay")
    ElementTree.SubElement(clock, "timer", name="hpet", present="no")


def _boot_from_uefi(domain: ElementTree.Element, surroundings: Surroundings) -> None:
    system = domain.find("os")
    assert system is not None
    code, variables = platforms.of(platforms.X86_64).uefi()
    loader = ElementTree.SubElement(system, "loader", readonly="yes", type="pflash")
    loader.text = str(code)
    nvram = ElementTree.SubElement(system, "nvram", template=str(variables))
    nvram.text = str(surroundings.folder / VARIABLES)


def _fit_arm(
    domain: ElementTree.Element, devices: ElementTree.Element, surroundings: Surroundings
) -> None:
    """Take away what a PC has, and put what the machine ``virt`` has instead."""
    features = domain.find("features")
    if features is not None:
        for name in ("apic", "pae"):
            for feature in features.findall(name):
                features.remove(feature)
    for mouse in devices.findall("input"):
        devices.remove(mouse)
    nvram = domain.find("os/nvram")
    if nvram is not None:
        nvram.text = str(surroundings.folder / VARIABLES)
    if surroundings.accelerator.kind != "kvm":
        for cpu in domain.findall("cpu"):
            domain.remove(cpu)
        processor = platforms.of(platforms.AARCH64).processor
        cpu = ElementTree.SubElement(domain, "cpu", mode="custom", match="exact")
        ElementTree.SubElement(cpu, "model", fallback="allow").text = processor
    drives = [disk for disk in devices.findall("disk") if disk.get("device") == "cdrom"]
    for drive in drives:
        target = drive.find("target")
        if target is not None:
            target.set("dev", "sda")
            target.set("bus", "scsi")
    if drives:
        ElementTree.SubElement(devices, "controller", type="scsi", model="virtio-scsi")
