"""The machine that a cloud gives an image, as QEMU's command line.

The parts are those that Nova's libvirt driver chooses: a virtio disk and network card, a random
number generator, a balloon, a serial console, a config drive as a CD-ROM, and the marks in SMBIOS
by which a guest sees that it runs in OpenStack. The Glance properties ``hw_machine_type``,
``hw_disk_bus``, ``hw_cdrom_bus`` and ``hw_vif_model`` change them as they do there;
``os_secure_boot: required`` brings Secure Boot, and ``hw_tpm_version`` a TPM. A machine of
``aarch64`` is QEMU's ``virt``, with UEFI, a virtio graphics card and a keyboard on USB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle.errors import UsageError
from imagecycle.machine import (
    glance_properties,
    guest_agent,
    metadata_service,
    platforms,
    stateful_ipv6,
)
from imagecycle.machine.config_drive import MTU
from imagecycle.machine.monitor import RECORDER
from imagecycle.machine.packets import SNAP_LENGTH

BIOS = "bios"
UEFI = "uefi"
VIRT = "virt"
"""The machine of ``aarch64``"""

CONSOLE = "console.log"
FIRMWARE_LOG = "firmware.log"
DISK = "disk.qcow2"
SECOND_DISK = "second-disk.qcow2"
"""Empty, as a volume that a user attaches"""
CONFIG_DRIVE = "config.iso"
VARIABLES = "variables.fd"
NETWORK = "network.pcap"
"""What passed on the network card, until the machine is up"""
AGENT = "agent.sock"
"""The host's end of the channel to the guest's agent"""
MONITORS = {"stage": "stage.qmp", "checks": "checks.qmp"}
"""Each side has a monitor of its own, because a monitor serves one client."""

CONFIG_DRIVE_SOURCE = "config drive"
NOCLOUD = "NoCloud"
METADATA_SERVICE = "metadata service"
SOURCES = (CONFIG_DRIVE_SOURCE, NOCLOUD, METADATA_SERVICE)
"""Where a guest is told about itself"""
IPV6_NETWORK = "fd69:6d61:6765:1::/64"
"""Announced by router advertisements"""
SECOND_NETWORK = "net=192.168.77.0/24,ipv6=off,restrict=on"

TPM = "tpm"
"""The folder with the state of its TPM"""
TPM_SOCKET = "tpm.socket"
_TPMS = {"tpm-tis": "tpm-tis", "tpm-crb": "tpm-crb"}
_DISKS = {"virtio": "virtio-blk-pci", "scsi": "scsi-hd"}
_CDROM_BUSES = {"pc": "ide", "q35": "sata", VIRT: "scsi"}
"""Nova's choice where an image asks for none"""
_CDROMS = {"ide": "ide-cd", "sata": "ide-cd", "scsi": "scsi-cd"}
_CARDS = {"virtio": f"virtio-net-pci,host_mtu={MTU}", "e1000": "e1000", "e1000e": "e1000e"}
"""A card of virtio tells its guest the network's MTU, as those do that Nova makes"""


@dataclass(frozen=True)
class Hardware:
    """One virtual machine; files are named as seen from its own folder."""

    firmware: str
    memory_mib: int
    processors: int
    uuid: str
    mac: str
    accelerator: Sequence[str]
    """QEMU's options for it"""
    properties: Mapping[str, str] = field(default_factory=dict)
    """The image's Glance properties"""
    source: str = CONFIG_DRIVE_SOURCE
    second_mac: str = ""
    """Of a second network card, on a network without a way out; empty without"""
    second_disk: int = 0
    """Of a second disk, in bytes; 0 without"""
    stateful_ipv6: bool = False
    """Whether addresses of IPv6 come from DHCPv6 alone; by router advertisements otherwise"""
    port: int = 22
    """Of the guest's service that a port on loopback leads to"""
    local_time: bool = False
    """Whether the clock is in local time, as Nova gives it to Windows"""
    arch: str = "x86_64"

    @property
    def platform(self) -> platforms.Platform:
        return platforms.of(self.arch)

    @property
    def machine(self) -> str:
        """QEMU's kind of machine; versions of one kind, as in ``pc-q35-7.2``, are taken for it."""
        first, *others = self.platform.machines
        asked = self._property("hw_machine_type", first)
        return next((kind for kind in others if kind in asked), first)

    @property
    def secure_boot(self) -> bool:
        """Whether the firmware starts only what is signed; Nova's word for it is ``required``."""
        return self.firmware == UEFI and self._property("os_secure_boot", "") == "required"

    @property
    def tpm(self) -> str:
        """The version of its TPM; empty without one."""
        return self._property("hw_tpm_version", "")

    def uefi(self) -> tuple[Path, Path]:
        """Its firmware, and the variables that it begins with.

        :raises ImagecycleError: when they are not installed.
        """
        return self.platform.uefi(secure=self.secure_boot)

    def command_line(self) -> list[str]:
        """:raises UsageError: when a property names hardware that is not known here."""
        return [
            *(self.platform.emulator, "-nodefaults", "-no-user-config", "-display", "none"),
            *self._screen(),
            *("-machine", self._machine(), *self.accelerator),
            *("-smp", str(self.processors), "-m", str(self.memory_mib)),
            *("-rtc", self._clock(), "-uuid", self.uuid, *self._smbios()),
            *self._firmware(),
            *self._tpm(),
            *self._disks(),
            *self._network(),
            *self._consoles(),
            *("-device", "virtio-rng-pci", "-device", "virtio-balloon-pci"),
        ]

    def _property(self, name: str, default: str) -> str:
        return self.properties.get(name, default)

    def _choose(self, name: str, default: str, known: Mapping[str, str]) -> tuple[str, str]:
        chosen = self._property(name, default)
        if chosen not in known:
            raise UsageError(
                f"verify cannot attach hardware for the property {name}: {chosen}",
                hint=f"it knows {', '.join(known)}",
            )
        return chosen, known[chosen]

    def _machine(self) -> str:
        if self.machine == VIRT:
            return self.machine
        # Nova gives none unless the image asks; QEMU 10.0 emulates one whose interrupts get lost
        hpet = glance_properties.is_on(self.properties, "hw_time_hpet")
        machine = f"{self.machine},hpet={'on' if hpet else 'off'}"
        if not self.secure_boot:
            return machine
        if self.machine != "q35":
            raise UsageError(
                f"a machine of the kind {self.machine} has no Secure Boot",
                hint="os_secure_boot: required needs hw_machine_type: q35",
            )
        return f"{machine},smm=on"

    def _smbios(self) -> list[str]:
        if self.source == NOCLOUD:  # no cloud, so nothing says that it is one
            return []
        words = (
            "type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,version=34.0.0,"
            f"serial={self.uuid},uuid={self.uuid},family=Virtual Machine"
        )
        return ["-smbios", words]

    def _screen(self) -> list[str]:
        if self.machine != VIRT:
            return ["-vga", "std"]
        return ["-device", "virtio-gpu-pci", "-device", "qemu-xhci", "-device", "usb-kbd"]

    def _clock(self) -> str:
        base = "base=localtime" if self.local_time else "base=utc"
        return base if self.machine == VIRT else f"{base},driftfix=slew"

    def _firmware(self) -> list[str]:
        log: list[str] = []
        if self.machine != VIRT:  # whose firmware keeps no log beside the serial console
            log += ["-chardev", f"file,id=firmware,path={FIRMWARE_LOG}"]
            log += ["-device", "isa-debugcon,iobase=0x402,chardev=firmware"]
        if self.firmware != UEFI:
            return log
        code, _ = self.uefi()
        if self.secure_boot:  # only the firmware itself may write its variables
            log += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        pflash = "if=pflash,format=raw"
        return [
            *log,
            *("-drive", f"{pflash},unit=0,readonly=on,file={code}"),
            *("-drive", f"{pflash},unit=1,file={VARIABLES}"),
        ]

    def _tpm(self) -> list[str]:
        if not self.tpm:
            return []
        _, model = self._choose("hw_tpm_model", "tpm-tis", _TPMS)
        return [
            *("-chardev", f"socket,id=tpm,path={TPM_SOCKET}"),
            *("-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", f"{model},tpmdev=tpm0"),
        ]

    def _disks(self) -> list[str]:
        disk_bus, disk = self._choose("hw_disk_bus", "virtio", _DISKS)
        cdrom_bus, cdrom = self._choose("hw_cdrom_bus", _CDROM_BUSES[self.machine], _CDROMS)
        # Nothing of the overlay is needed after a crash of this machine: no flush to the disk.
        how = "format=qcow2,cache=unsafe,discard=unmap"
        options = [
            *("-drive", f"if=none,id=root,file={DISK},{how}"),
            *("-device", f"{disk},drive=root,bootindex=1"),
        ]
        if self.second_disk:
            options += ["-drive", f"if=none,id=second-disk,file={SECOND_DISK},{how}"]
            options += ["-device", f"{disk},drive=second-disk"]
        if self.source != METADATA_SERVICE:
            options += ["-drive", f"if=none,id=config,file={CONFIG_DRIVE},format=raw,readonly=on"]
            options += ["-device", f"{cdrom},drive=config"]
        if "scsi" in (disk_bus, cdrom_bus):
            options = ["-device", "virtio-scsi-pci", *options]
        return options

    def _network(self) -> list[str]:
        _, card = self._choose("hw_vif_model", "virtio", _CARDS)
        # Port 0: the system chooses a free one, the monitor tells which.
        user = f"hostfwd=tcp:127.0.0.1:0-:{self.port}"
        if self.source == METADATA_SERVICE:
            user += f",{metadata_service.network()}"
        recorder = f"filter-dump,id={RECORDER},netdev=net,file={NETWORK},maxlen={SNAP_LENGTH}"
        options = ["-netdev", f"user,id=net,ipv6-net={IPV6_NETWORK},{user}"]
        if self.stateful_ipv6:
            options = stateful_ipv6.netdevs(user, "net")
        options += ["-device", f"{card},netdev=net,mac={self.mac},romfile=", "-object", recorder]
        if self.second_mac:
            options += ["-netdev", f"user,id=second,{SECOND_NETWORK}"]
            options += ["-device", f"{card},netdev=second,mac={self.second_mac},romfile="]
        return options

    def _consoles(self) -> list[str]:
        options = ["-chardev", f"file,id=console,path={CONSOLE}", "-serial", "chardev:console"]
        for name, socket in MONITORS.items():
            options += ["-chardev", f"socket,id={name},path={socket},server=on,wait=off"]
            options += ["-mon", f"chardev={name},mode=control"]
        if guest_agent.is_declared(self.properties):
            options += ["-device", "virtio-serial-pci"]
            options += ["-chardev", f"socket,id=agent,path={AGENT},server=on,wait=off"]
            options += ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]
        return options
