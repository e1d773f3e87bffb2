"""The rules over machines that will not come up, on consoles as real machines have left them."""

import dataclasses
from pathlib import Path

import pytest

from imagecycle.verify import pictures, stalls
from imagecycle.verify.pictures import Picture
from imagecycle.verify.stalls import Network, Situation

CONSOLES = Path(__file__).parent / "consoles"
"""Recorded from good and from sabotaged images; of the latter, their ends"""

MOVING = Situation(system=True, handed_over=True, still=0.5, busy=1.0)
UP = dataclasses.replace(MOVING, console="[  OK  ] Reached target network.\nserver login: ")


def situation(**changes: object) -> Situation:
    return dataclasses.replace(MOVING, **changes)  # type: ignore[arg-type]


def picture(found: Situation) -> Picture | None:
    stall = stalls.judge(found)
    return stall.picture if stall else None


def recorded(name: str) -> str:
    return (CONSOLES / f"{name}.txt").read_text()


@pytest.mark.parametrize("path", sorted(CONSOLES.glob("good-*.txt")), ids=lambda path: path.stem)
def test_no_moment_of_a_good_boot_is_a_picture(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    for count in range(0, len(lines), 7):
        assert picture(situation(console="".join(lines[:count]))) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no-initial-ram-disk", Picture.PANIC),
        ("wrong-root", Picture.INITRAMFS),
    ],
)
def test_recorded_console_is_known(name: str, expected: Picture) -> None:
    assert picture(situation(console=recorded(name))) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("No bootable device.  Retrying in 60 seconds.", Picture.NO_BOOTABLE_DISK),
        ("BdsDxe: No bootable option or device was found.", Picture.NO_BOOTABLE_DISK),
        (">>Start PXE over IPv4.", Picture.NO_BOOTABLE_DISK),
        ("UEFI Interactive Shell v2.2", Picture.NO_BOOTABLE_DISK),
        ("error: no such device: 1234.\ngrub rescue>", Picture.LOADER_LOST),
        (
            'BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot: Access Denied',
            Picture.NOT_SIGNED,
        ),
        ("dracut:/# ", Picture.INITRAMFS),
        ("Give root password for maintenance", Picture.EMERGENCY),
        ("/dev/vda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.", Picture.REPAIR),
        ("Please unlock disk vda1_crypt:", Picture.PASSPHRASE),
        ("systemd[1]: Freezing execution.", Picture.NO_SYSTEM),
        (
            "url_helper.py[WARNING]: Calling 'http://169.254.169.254/openstack' failed [12/120s]",
            Picture.NOT_CONTEXTUALISED,
        ),
    ],
)
def test_words_decide_wherever_they_are_seen(words: str, expected: Picture) -> None:
    for place in ("console", "firmware", "screen"):
        assert picture(situation(**{place: f"before\n{words}\nafter"})) is expected


def test_every_picture_can_be_reached() -> None:
    by_words = {sign.picture for sign in pictures.SIGNS}
    by_rules = {
        Picture.RESTARTS,
        Picture.WAITS_FOR_UNIT,
        Picture.LOADER_WAITS,
        Picture.NO_NETWORK,
        Picture.NO_SSH,
        Picture.STANDS_STILL,
        Picture.HANGS,
    }
    by_readiness = {Picture.SWITCHED_OFF, Picture.LATE}
    by_screens = {Picture.ON_SCREEN}  # of Windows
    assert by_words | by_rules | by_readiness | by_screens == set(Picture)


def test_loader_that_does_nothing_waits_for_a_key() -> None:
    waiting = situation(system=False, still=stalls.LOADER + 1, busy=1.0)
    assert picture(waiting) is Picture.LOADER_WAITS
    menu = dataclasses.replace(waiting, screen="         GNU GRUB  version 2.06\n*Debian")
    stall = stalls.judge(menu)
    assert stall is not None
    assert "menu" in stall.meaning


def test_loader_that_reads_or_counts_down_does_not_wait() -> None:
    assert picture(situation(system=False, still=stalls.LOADER - 1)) is None


def test_loader_that_has_loaded_a_kernel_gets_time_to_unpack_it() -> None:
    said = "Loading Linux 6.1.0-56-cloud-amd64 ...\nLoading initial ramdisk ...\n\n"
    loading = situation(system=False, still=stalls.LOADER + 9, console=said)
    assert picture(loading) is None
    assert picture(dataclasses.replace(loading, still=stalls.SILENT + 1)) is Picture.LOADER_WAITS
    menu = dataclasses.replace(loading, screen="         GNU GRUB  version 2.06\n*Debian")
    assert picture(menu) is Picture.LOADER_WAITS


def test_firmware_that_tries_devices_is_no_loader() -> None:
    assert picture(situation(system=False, handed_over=False, still=stalls.LOADER + 1)) is None


def test_login_prompt_gives_network_and_ssh_some_time() -> None:
    assert picture(dataclasses.replace(UP, prompt=stalls.LOGIN - 1)) is None


def test_a_slow_machine_at_work_gets_longer_from_its_prompt_to_a_login() -> None:
    slow = dataclasses.replace(UP, prompt=stalls.LOGIN + 9, pace=100.0)
    assert picture(slow) is None
    assert picture(dataclasses.replace(slow, pace=40.0)) is Picture.NO_NETWORK
    assert picture(dataclasses.replace(slow, busy=0.1)) is Picture.NO_NETWORK
    late = dataclasses.replace(slow, prompt=stalls.SLOW * 100, pace=199.0)
    assert picture(late) is None
    assert picture(dataclasses.replace(late, pace=139.0)) is Picture.NO_NETWORK


def test_prompt_without_an_address_is_no_network() -> None:
    late = dataclasses.replace(UP, prompt=stalls.LOGIN + 1)
    assert picture(late) is Picture.NO_NETWORK
    asked = dataclasses.replace(late, network=Network(addresses_asked=3))
    stall = stalls.judge(asked)
    assert stall is not None
    assert stall.picture is Picture.NO_NETWORK
    assert "asked for an address" in stall.meaning


def test_address_without_an_answer_is_no_ssh() -> None:
    late = dataclasses.replace(UP, prompt=stalls.LOGIN + 1, network=Network(has_address=True))
    assert picture(late) is Picture.NO_SSH
    refusing = dataclasses.replace(late, network=Network(has_address=True, ssh_refused=9))
    stall = stalls.judge(refusing)
    assert stall is not None
    assert "refuses connections" in stall.meaning


def test_answer_without_our_key_is_no_contextualisation() -> None:
    late = dataclasses.replace(UP, prompt=stalls.LOGIN + 1, ssh_answered=True, key_refused=True)
    assert picture(late) is Picture.NOT_CONTEXTUALISED


def test_end_of_contextualisation_counts_where_no_prompt_is_seen() -> None:
    late = situation(finished=stalls.FINISHED + 1, key_refused=True, ssh_answered=True)
    assert picture(late) is Picture.NOT_CONTEXTUALISED


def test_last_login_is_no_prompt() -> None:
    assert stalls.PROMPT.search("Last login: Sat Nov 28 on ttyS0") is None
    assert stalls.PROMPT.search("server login: [   45.1] cloud-init[435]: Cloud-init")


def test_third_start_is_one_too_many() -> None:
    assert picture(situation(starts=2)) is None
    assert picture(situation(starts=3)) is Picture.RESTARTS


JOB = "[ ***  ] A start job is running for {} ({} / 1min 30s)\n"


def test_device_that_does_not_come_is_named() -> None:
    waiting = situation(busy=0.02, console=JOB.format("/dev/disk/by-uuid/1111", "21s"))
    stall = stalls.judge(waiting)
    assert stall is not None
    assert stall.picture is Picture.WAITS_FOR_UNIT
    assert "/dev/disk/by-uuid/1111" in stall.meaning


def test_device_is_known_by_its_unit_as_well() -> None:
    line = r"[  *** ] Job dev-disk-by\x2duuid-1111\x2…tart running (1min 21s / 1min 30s)"
    stall = stalls.judge(situation(busy=0.02, console=line))
    assert stall is not None
    assert "81 s of 1min 30s for a device" in stall.meaning


def test_unit_that_works_is_waited_for() -> None:
    text = JOB.format("Initial cloud-init job", "1min 2s")
    assert picture(situation(busy=0.9, console=text)) is None
    assert picture(situation(busy=0.02, console=text)) is Picture.WAITS_FOR_UNIT
    young = JOB.format("Initial cloud-init job", "3s")
    assert picture(situation(busy=0.02, console=young)) is None


def test_initial_ram_disk_that_looks_in_vain_is_not_waited_out() -> None:
    line = "Begin: Running /scripts/local-block ... done.\n"
    assert picture(situation(console=line * 2)) is None
    assert picture(situation(console=line * stalls.ROOT_TRIES)) is Picture.INITRAMFS
    assert picture(situation(console=line * stalls.ROOT_TRIES, pace=60.0)) is None
    assert picture(situation(console=line * 24, pace=60.0)) is Picture.INITRAMFS


def test_idle_machine_that_shows_nothing_stands_still() -> None:
    still = situation(
        still=stalls.STILL + 1, busy=0.02, console="[   9.9] random: crng init done\n"
    )
    stall = stalls.judge(still)
    assert stall is not None
    assert stall.picture is Picture.STANDS_STILL
    assert "crng init done" in stall.meaning
    assert picture(dataclasses.replace(still, busy=1.0)) is None


def test_busy_machine_that_shows_nothing_hangs_at_last() -> None:
    assert picture(situation(still=stalls.SILENT - 1)) is None
    assert picture(situation(still=stalls.SILENT + 1)) is Picture.HANGS
