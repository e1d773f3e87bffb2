import itertools

import windows_families
from families import family
from imagecycle.machine.hardware import CONFIG_DRIVE_SOURCE, METADATA_SERVICE, NOCLOUD
from imagecycle.model import Matrix
from imagecycle.verify import cases
from imagecycle.verify.cases import INSTANCE, LIVES, TWIN


def test_cheapest_cover_is_one_machine_for_each_firmware() -> None:
    found = cases.of(family(firmware=("bios", "uefi")), cases.CHEAPEST, 1)
    assert [(case.name, case.firmware) for case in found] == [(INSTANCE, "bios"), (TWIN, "uefi")]
    assert {case.properties["hw_disk_bus"] for case in found} == {"virtio"}


def test_only_firmware_is_booted_twice() -> None:
    found = cases.of(family(firmware=("uefi",)), cases.CHEAPEST, 1)
    assert [case.firmware for case in found] == ["uefi", "uefi"]


def test_full_matrix_keeps_to_what_properties_say() -> None:
    properties = {"hw_disk_bus": "scsi", "hw_machine_type": "q35"}
    found = cases.of(family(properties=properties), cases.FULL, 1)
    assert {case.properties["hw_disk_bus"] for case in found} == {"scsi"}
    assert {case.properties["hw_machine_type"] for case in found} == {"q35"}
    assert {case.source for case in found} == set(cases.OF_OPENSTACK)


def test_full_matrix_varies_what_the_catalog_names() -> None:
    matrix = Matrix(disk_buses=("virtio", "scsi"), sources=(METADATA_SERVICE, NOCLOUD))
    found = cases.of(family(matrix=matrix), cases.FULL, 1)
    assert {case.properties["hw_disk_bus"] for case in found} == {"virtio", "scsi"}
    assert {case.source for case in found} == {METADATA_SERVICE, NOCLOUD}
    assert {case.growth for case in found} == {cases.GROWTH, 0}
    assert {case.second_card for case in found} == {True, False}
    assert len({case.name for case in found}) == len(found)


def test_windows_is_told_about_itself_by_its_config_drive_alone() -> None:
    found = cases.of(windows_families.family(), cases.FULL, 2)
    assert {case.source for case in found} == {CONFIG_DRIVE_SOURCE}
    assert found[0].lives == LIVES


def test_full_matrix_begins_with_all_lives_of_an_ordinary_machine() -> None:
    first, second, *_ = cases.of(family(firmware=("bios", "uefi")), cases.FULL, 1)
    assert (first.name, first.firmware, first.lives) == (INSTANCE, "bios", LIVES)
    assert (second.name, second.firmware) == (TWIN, "uefi")


def test_full_matrix_leaves_out_machines_that_an_architecture_has_not() -> None:
    matrix = Matrix(machine_types=("pc", "q35"))
    arm = family(arch="aarch64", firmware=("uefi",), matrix=matrix)
    found = cases.of(arm, cases.FULL, 1)
    assert {case.properties["hw_machine_type"] for case in found} == {"virt"}
    assert found[0].title.startswith("UEFI, virt, virtio disk")


def test_any_two_values_meet_in_few_rows() -> None:
    dimensions = [("a", "b"), (1, 2, 3), (True, False), ("x", "y"), ("p", "q")]
    rows = cases.covering(*dimensions)
    assert rows[0] == ("a", 1, True, "x", "p")
    for (i, one), (j, other) in itertools.combinations(enumerate(dimensions), 2):
        met = {(row[i], row[j]) for row in rows}
        assert met == set(itertools.product(one, other))
    assert len(rows) <= 8


def test_title_says_what_a_machine_is_made_of() -> None:
    case = cases.Case("one", "uefi", {"hw_machine_type": "q35"}, 2, growth=0, second_card=True)
    assert case.title == (
        "UEFI, q35, virtio disk, config drive, 2 processors, "
        "disk as large as the image, two network cards"
    )


def test_full_matrix_has_addresses_by_dhcpv6_in_no_more_machines() -> None:
    found = cases.of(family(firmware=("bios", "uefi")), cases.FULL, 1)
    assert {case.stateful_ipv6 for case in found} == {True, False}
    assert len(found) <= 8
    assert "IPv6 by DHCPv6" in next(case.title for case in found if case.stateful_ipv6)
    assert not any(one.stateful_ipv6 for one in cases.of(family(), cases.CHEAPEST, 1))
