import dataclasses
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine import platforms
from imagecycle.machine.guest_agent import PROPERTY
from imagecycle.machine.hardware import Hardware

PARTS = Hardware(
    firmware="bios",
    memory_mib=512,
    processors=2,
    uuid="2b63a3ff-5551-4dd6-8e8b-c97fafcf61f7",
    mac="fa:16:3e:00:00:01",
    accelerator=["-accel", "tcg,thread=multi", "-cpu", "max"],
)


def line(**properties: str) -> str:
    return " ".join(dataclasses.replace(PARTS, properties=properties).command_line())


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that firmware is looked for in."""
    for arch, platform in platforms.PLATFORMS.items():
        pairs = tuple((tmp_path / c.name, tmp_path / v.name) for c, v in platform.firmware)
        secure = tuple((tmp_path / c.name, tmp_path / v.name) for c, v in platform.secure_firmware)
        moved = dataclasses.replace(platform, firmware=pairs, secure_firmware=secure)
        monkeypatch.setitem(platforms.PLATFORMS, arch, moved)
    return tmp_path


def test_parts_are_those_that_nova_chooses() -> None:
    for part in (
        "-machine pc,hpet=off -accel tcg,thread=multi -cpu max",
        "-device virtio-blk-pci,drive=root,bootindex=1",
        "virtio-net-pci,host_mtu=1450,netdev=net,mac=fa:16:3e:00:00:01",
        "-device ide-cd,drive=config",
        "-device virtio-rng-pci",
        "-device virtio-balloon-pci",
        "product=OpenStack Nova",
    ):
        assert part in line()


def test_a_second_disk_comes_after_the_first_and_is_not_booted() -> None:
    found = dataclasses.replace(PARTS, second_disk=2**30).command_line()
    drives = [word for word in found if word.startswith(("virtio-blk-pci", "if=none,id=second"))]
    assert drives[0] == "virtio-blk-pci,drive=root,bootindex=1"
    assert drives[1].startswith("if=none,id=second-disk,file=second-disk.qcow2,format=qcow2")
    assert drives[2] == "virtio-blk-pci,drive=second-disk"


def test_a_channel_leads_to_the_agent_of_an_image_that_promises_one() -> None:
    said = " ".join(dataclasses.replace(PARTS, properties={PROPERTY: "yes"}).command_line())
    assert "virtserialport,chardev=agent,name=org.qemu.guest_agent.0" in said
    assert "socket,id=agent,path=agent.sock,server=on,wait=off" in said
    assert "virtserialport" not in line()


def test_bios_needs_no_firmware_files() -> None:
    assert "pflash" not in line()


def test_uefi_boots_from_code_that_is_shared_and_variables_of_its_own(firmware: Path) -> None:
    for name in ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"):
        (firmware / name).touch()
    said = " ".join(dataclasses.replace(PARTS, firmware="uefi").command_line())
    assert f"if=pflash,format=raw,unit=0,readonly=on,file={firmware}/OVMF_CODE_4M.fd" in said
    assert "if=pflash,format=raw,unit=1,file=variables.fd" in said


SECURE = {"hw_machine_type": "q35", "os_secure_boot": "required"}


def test_secure_boot_has_keys_that_only_the_firmware_can_change(firmware: Path) -> None:
    for name in ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"):
        (firmware / name).touch()
    parts = dataclasses.replace(PARTS, firmware="uefi", properties=SECURE)
    said = " ".join(parts.command_line())
    assert "-machine q35,hpet=off,smm=on" in said
    assert "-global driver=cfi.pflash01,property=secure,value=on" in said
    assert f"unit=0,readonly=on,file={firmware}/OVMF_CODE_4M.ms.fd" in said
    assert parts.uefi()[1] == firmware / "OVMF_VARS_4M.ms.fd"
    optional = dataclasses.replace(parts, properties={**SECURE, "os_secure_boot": "optional"})
    assert "smm" not in " ".join(optional.command_line())


def test_secure_boot_without_what_it_needs_is_refused(firmware: Path) -> None:
    parts = dataclasses.replace(PARTS, firmware="uefi", properties=SECURE)
    with pytest.raises(ImagecycleError, match="no UEFI firmware with Secure Boot for x86_64"):
        parts.command_line()
    older = dataclasses.replace(parts, properties={**SECURE, "hw_machine_type": "pc"})
    with pytest.raises(UsageError, match="a machine of the kind pc has no Secure Boot"):
        older.command_line()


def test_a_tpm_is_what_the_image_asks_for() -> None:
    assert "tpm" not in line()
    assert "-device tpm-tis,tpmdev=tpm0" in line(hw_tpm_version="2.0")
    assert "-device tpm-crb,tpmdev=tpm0" in line(hw_tpm_version="2.0", hw_tpm_model="tpm-crb")
    with pytest.raises(UsageError, match="hw_tpm_model: tpm-spapr"):
        line(hw_tpm_version="2.0", hw_tpm_model="tpm-spapr")


def test_a_machine_for_arm_has_what_nova_gives_it_and_nothing_of_a_pc(firmware: Path) -> None:
    for name in ("AAVMF_CODE.fd", "AAVMF_VARS.fd"):
        (firmware / name).touch()
    words = dataclasses.replace(PARTS, firmware="uefi", arch="aarch64").command_line()
    said = " ".join(words)
    assert words[0] == "qemu-system-aarch64"
    for part in (
        "-machine virt",
        f"unit=0,readonly=on,file={firmware}/AAVMF_CODE.fd",
        "-device virtio-gpu-pci",
        "-device usb-kbd",
        "-device scsi-cd,drive=config",
        "-device virtio-net-pci",
        "product=OpenStack Nova",
    ):
        assert part in said
    for part in ("-vga", "isa-", "driftfix", "ide-cd", "hpet"):
        assert part not in said


def test_properties_of_the_image_change_the_parts() -> None:
    said = line(hw_machine_type="q35", hw_cdrom_bus="scsi", hw_vif_model="e1000")
    assert "-machine q35,hpet=off" in said
    assert "-device virtio-scsi-pci" in said
    assert "-device scsi-cd,drive=config" in said
    assert "-device e1000,netdev=net" in said  # which cannot tell an MTU


@pytest.mark.parametrize(
    ("said", "hpet"),
    [({}, "off"), ({"hw_time_hpet": "true"}, "on"), ({"hw_time_hpet": "no"}, "off")],
)
def test_a_pc_has_a_high_precision_timer_only_if_the_image_asks(
    said: dict[str, str], hpet: str
) -> None:
    assert f"-machine pc,hpet={hpet} " in line(**said)


def test_q35_has_its_config_drive_on_sata_unless_told_otherwise() -> None:
    assert "-device ide-cd,drive=config" in line(hw_machine_type="q35")


def test_unknown_hardware_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as caught:
        line(hw_disk_bus="floppy")
    assert "hw_disk_bus: floppy" in caught.value.message
    assert "virtio" in caught.value.hint


def test_port_is_left_to_the_system_so_that_two_runs_cannot_meet() -> None:
    assert "hostfwd=tcp:127.0.0.1:0-:22" in line()


def test_addresses_by_dhcpv6_come_from_a_network_beside_the_users() -> None:
    said = " ".join(dataclasses.replace(PARTS, stateful_ipv6=True).command_line())
    assert "ipv6=off" in said
    assert "hubport,id=of-user,hubid=1,netdev=user" in said
    assert "hubport,id=of-router,hubid=1,netdev=router" in said
    assert "virtio-net-pci,host_mtu=1450,netdev=net,mac=fa:16:3e:00:00:01" in said
    assert "hostfwd=tcp:127.0.0.1:0-:22" in said
    assert "hubport" not in line()
    assert "ipv6-net=" in line()
