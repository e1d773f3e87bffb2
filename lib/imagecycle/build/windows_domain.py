"""The machine that Windows is installed and customised on: Oz's domain, with what Windows demands.

It is the machine that the catalog's Glance properties describe, as Nova would make it; so what is
installed starts there. Setup restarts the machine as often as it likes: the domain ends only when
the guest powers off. The disk comes before the CD, so that after the first restart it is the disk
that starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from imagecycle.errors import UsageError
from imagecycle.machine import hardware
from imagecycle.machine.accelerator import Accelerator
from imagecycle.model import Family

_DISKS = {"virtio": "vda", "scsi": "sda", "sata": "sda", "ide": "hda"}
_ENLIGHTENMENTS = ("relaxed", "vapic", "vpindex", "synic", "stimer", "reset", "frequencies")
"""What Nova gives Windows besides spinlocks; QEMU can only do it with KVM"""


def adapt(xml: str, family: Family, accelerator: Accelerator, folder: Path) -> str:
    """Oz's domain for a family of Windows.

    :param folder: of the build, which keeps the variables of UEFI; libvirt's own would stay.
    :raises UsageError: when a property names hardware that is not known here.
    """
    domain = ElementTree.fromstring(xml)
    said = family.properties
    q35 = "q35" in said.get("hw_machine_type", "pc")
    _found(domain, "on_reboot").text = "restart"
    _system(domain, family, q35, folder)
    _features(domain, accelerator, secure=_secure(said))
    _clock(domain, accelerator)
    _devices(_found(domain, "devices"), said, q35)
    return ElementTree.tostring(domain, encoding="unicode")


def _secure(said: Mapping[str, str]) -> bool:
    return said.get("os_secure_boot", "disabled") == "required"


def _system(domain: Element, family: Family, q35: bool, folder: Path) -> None:
    system = _found(domain, "os")
    for boot in system.findall("boot"):
        system.remove(boot)
    _found(system, "type").set("machine", "q35" if q35 else "pc")
    if family.firmware[0] != "uefi":
        return
    system.set("firmware", "efi")
    secure = "yes" if _secure(family.properties) else "no"
    firmware = SubElement(system, "firmware")
    SubElement(firmware, "feature", enabled=secure, name="secure-boot")
    SubElement(firmware, "feature", enabled=secure, name="enrolled-keys")
    SubElement(system, "nvram").text = str(folder / hardware.VARIABLES)


def _features(domain: Element, accelerator: Accelerator, *, secure: bool) -> None:
    features = _found(domain, "features")
    if secure:
        SubElement(features, "smm", state="on")
    if accelerator.kind == "kvm":
        hyperv = SubElement(features, "hyperv")
        for name in _ENLIGHTENMENTS:
            SubElement(hyperv, name, state="on")
        SubElement(hyperv, "spinlocks", state="on", retries="8191")
    elif domain.find("cpu") is None:  # the newer releases demand what QEMU's usual one has not
        SubElement(domain, "cpu", mode="maximum")


def _clock(domain: Element, accelerator: Accelerator) -> None:
    clock = _found(domain, "clock")
    clock.set("offset", "localtime")
    if accelerator.kind == "kvm":
        SubElement(clock, "timer", name="hypervclock", present="yes")


def _devices(devices: Element, said: Mapping[str, str], q35: bool) -> None:
    bus = said.get("hw_disk_bus", "virtio")
    if bus not in _DISKS:
        raise UsageError(
            f"Windows cannot be built on the hardware of the property hw_disk_bus: {bus}",
            hint=f"it knows {', '.join(_DISKS)}",
        )
    cdroms = 0
    for disk in devices.findall("disk"):
        target = _found(disk, "target")
        if disk.get("device") == "cdrom":
            letter = "bcd"[cdroms]
            target.set("bus", "sata" if q35 else "ide")
            target.set("dev", f"{'sd' if q35 else 'hd'}{letter}")
            SubElement(disk, "boot", order=str(2 + cdroms))
            SubElement(disk, "readonly")
            cdroms += 1
        else:
            target.set("bus", bus)
            target.set("dev", _DISKS[bus])
            SubElement(disk, "boot", order="1")
    if bus == "scsi":
        SubElement(devices, "controller", type="scsi", index="0", model="virtio-scsi")
    for card in devices.findall("interface/model"):
        card.set("type", said.get("hw_vif_model", "virtio"))
    video = SubElement(devices, "video")
    SubElement(video, "model", type="vga")
    agent = SubElement(devices, "channel", type="unix")
    SubElement(agent, "target", type="virtio", name="org.qemu.guest_agent.0")
    if version := said.get("hw_tpm_version"):
        tpm = SubElement(devices, "tpm", model=said.get("hw_tpm_model", "tpm-tis"))
        SubElement(tpm, "backend", type="emulator", version=version)


def _found(parent: Element, path: str) -> Element:
    found = parent.find(path)
    assert found is not None, path  # Oz writes it
    return found
