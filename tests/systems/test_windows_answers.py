"""The answer files of Windows, for every release, firmware and flavour."""

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import windows_families
from imagecycle.catalog import unattended
from imagecycle.model import Family
from imagecycle.systems import windows_releases, windows_settings
from imagecycle.systems.windows_answers import partitions

GOLDEN = Path(__file__).parent / "golden" / "windows"
REGENERATE = "IMAGECYCLE_REGENERATE"
"""With this variable set, the golden files are written anew instead of compared"""
SECRET_KEY = "BCDFG-HJKMP-QRTVW-XY234-6789N"
NAMES = {"u": windows_settings.UNATTEND}

VARIANTS: dict[str, dict[str, Any]] = {
    **{slug: {"slug": slug} for slug in windows_families.families()},
    "windows-2022-bios": {"firmware": ("bios",)},
    "windows-2022-without-recovery": {"windows": {"recovery_mib": 0}},
    "windows-2022-without-remote-desktop": {"windows": {"remote_desktop": False}},
    "windows-2022-evaluation": {"windows": {"key": "evaluation", "edition": "ServerStandardEval"}},
    "windows-2022-mak": {"windows": {"key": "mak"}},
    "windows-11-without-requirements": {
        "slug": "windows-11-x86_64-desktop",
        "windows": {"bypass_requirements": True},
    },
    "windows-10-german": {
        "slug": "windows-10-x86_64-desktop",
        "windows": {
            "language": "de-DE",
            "locale": "de-DE",
            "keyboard": "0407:00000407",
            "time_zone": "W. Europe Standard Time",
            "owner": "Rechenzentrum <R&D>",
            "organization": "Beispiel",
        },
    },
}


def rendered(family: Family) -> str:
    return unattended.render(
        family, root_password="Aa1-password", product_key=SECRET_KEY, image_index="2"
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_an_answer_file_is_valid_and_as_it_was(name: str) -> None:
    """See what has changed with ``git diff``; IMAGECYCLE_REGENERATE=1 accepts it."""
    family = windows_families.family(**VARIANTS[name])
    text = rendered(family)
    assert family.windows is not None
    release = windows_releases.release(family.version)
    assert windows_settings.problems(text, release, family.windows.installation_type) == []
    golden = GOLDEN / f"{name}.xml"
    if os.environ.get(REGENERATE):
        golden.write_text(text)
    assert text == golden.read_text()


def test_there_is_no_golden_file_too_many() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == VARIANTS.keys()


def key_in(family: Family) -> str | None:
    return ElementTree.fromstring(rendered(family)).findtext(".//u:ProductKey/u:Key", None, NAMES)


def test_a_volume_key_is_the_public_one_and_a_secret_one_the_sites() -> None:
    assert key_in(windows_families.family()) == "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"
    for kind in ("mak", "retail"):
        assert key_in(windows_families.family(windows={"key": kind})) == SECRET_KEY


def test_an_evaluation_edition_is_given_no_key() -> None:
    facts = {"key": "evaluation", "edition": "ServerStandardEval"}
    assert key_in(windows_families.family(windows=facts)) is None


def test_a_secret_key_is_no_input_of_the_digest() -> None:
    """Else whoever reads a build record could try keys against it."""
    assert SECRET_KEY not in unattended.render(windows_families.family(windows={"key": "mak"}))


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("recovery", [0, 700])
def test_windows_has_the_last_partition_and_the_rest_of_the_disk(
    firmware: str, recovery: int
) -> None:
    plan = partitions(firmware, recovery)
    assert [part.number for part in plan] == list(range(1, len(plan) + 1))
    assert [part.label for part in plan if part.size_mib is None] == ["Windows"]
    assert plan[-1].letter == "C"
    assert sum(part.label == "Recovery" for part in plan) == bool(recovery)
    assert any(part.active for part in plan) == (firmware == "bios")
