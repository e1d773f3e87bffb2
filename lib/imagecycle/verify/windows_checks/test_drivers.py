"""Windows has a driver for all that the cloud gives it."""

from imagecycle.verify.session import Subject
from imagecycle.verify.windows_fixtures import Said

BOOT = 0
"""Start type of what the boot manager loads itself"""
STORAGE = {"virtio": "viostor", "scsi": "vioscsi"}


def test_no_device_is_unknown(said: Said) -> None:
    """A part of the machine does not work, and users take it for a defect of the cloud."""
    assert said["devices"] == []


def test_storage_driver_starts_at_boot(said: Said, instance: Subject) -> None:
    """After the next move or rebuild a blue screen says INACCESSIBLE_BOOT_DEVICE."""
    bus = instance.case.properties.get("hw_disk_bus", "virtio")
    name = STORAGE.get(bus)
    if name is not None:
        start = said["drivers"].get(name)
        assert start == BOOT, f"{name} has the start type {start}"


def test_network_driver_is_there(said: Said, instance: Subject) -> None:
    """The network is slow on an emulated card, or not there at all."""
    if instance.case.properties.get("hw_vif_model", "virtio") == "virtio":
        assert "netkvm" in said["drivers"], "no driver netkvm"


def test_balloon_and_random_numbers_have_drivers(said: Said) -> None:
    """Hosts cannot take back memory, and keys are made from poor random numbers."""
    assert [name for name in ("balloon", "viorng") if name not in said["drivers"]] == []


def test_guest_agent_runs(said: Said) -> None:
    """Snapshots are not consistent, and the password cannot be set from outside."""
    state = said["services"].get("QEMU-GA", "is not there")
    assert state.startswith("Auto Running"), f"the service QEMU-GA: {state}"
