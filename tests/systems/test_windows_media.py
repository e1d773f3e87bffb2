"""The list of images of a Windows installation medium."""

from pathlib import Path
from typing import Any

import pytest

import windows_families
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.systems import windows, windows_media
from windows_media_made import CORE, FULL, image, wim

EVALUATION = image(3, "Windows Server 2022 Datacenter Evaluation", "ServerDatacenterEval")
OLD = image(4, "Windows 10 Pro", "Professional", arch=0, language="de-DE")


def choose(path: Path, edition: str, language: str = "en-US") -> int:
    offered = windows_media.offered(path)
    return windows_media.chosen(
        path, offered, edition=edition, language=language, arch="x86_64"
    ).index


def test_an_edition_is_found_by_id_and_by_name_in_any_case(tmp_path: Path) -> None:
    path = wim(tmp_path, CORE, FULL, EVALUATION, OLD)
    assert choose(path, "serverdatacentereval") == 3
    assert choose(path, "Windows Server 2022 ServerStandard") == 2


def test_images_that_share_an_edition_are_told_apart_by_their_kind(tmp_path: Path) -> None:
    path = wim(tmp_path, CORE, FULL, EVALUATION)
    for slug, index in (("server-core", 1), ("server", 2)):
        family = windows_families.family(f"windows-2022-x86_64-{slug}")
        assert windows.image(family, path).index == index


@pytest.mark.parametrize(
    ("images", "changes", "says"),
    [
        ([CORE], {}, "edition ServerStandard as Server;"),
        ([FULL.replace("20348", "17763")], {}, "no medium of Windows Server 2022.* build 17763"),
        (
            [image(1, "Standard", "ServerStandardEval")],
            {"windows": {"edition": "Standard"}},
            "an evaluation edition and takes no kms key",
        ),
        (
            [FULL.replace("Server 2022 SERVERSTANDARD", "Standard")],
            {"windows": {"edition": "Windows Standard", "key": "evaluation"}},
            "is no evaluation edition",
        ),
    ],
)
def test_a_medium_that_does_not_fit_the_family_is_named(
    tmp_path: Path, images: list[str], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        windows.image(windows_families.family(**changes), wim(tmp_path, *images))


@pytest.mark.parametrize(
    ("edition", "language", "says"),
    [
        ("ServerDatacenter", "en-US", "did you mean ServerDatacenterEval"),
        ("ServerStandard", "en-US", "several images as ServerStandard"),
        ("ServerDatacenterEval", "fr-FR", "in the language fr-FR"),
        ("Professional", "de-DE", "Professional for x86_64"),
    ],
)
def test_what_is_not_offered_is_named_with_all_that_is(
    tmp_path: Path, edition: str, language: str, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        choose(wim(tmp_path, CORE, FULL, EVALUATION, OLD), edition, language)
    assert "build 20348, en-US)" in caught.value.message


def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    path = wim(tmp_path, FULL)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ImagecycleError, match="damaged or cut off"):
        windows_media.offered(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImagecycleError, match="damaged or cut off"):
        windows_media.offered(path)


def test_what_is_no_medium_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        windows_media.offered(tmp_path / "none.iso")
    (tmp_path / "text").write_text("no medium")
    with pytest.raises(UsageError, match="neither an ISO nor"):
        windows_media.offered(tmp_path / "text")
