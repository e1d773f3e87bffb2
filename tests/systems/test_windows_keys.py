"""Product keys: which go with which edition, and where the secret ones come from."""

from pathlib import Path

import pytest

from imagecycle.errors import UsageError
from imagecycle.systems import windows_keys
from imagecycle.systems.windows_keys import VARIABLE, ProductKey

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789N"
NAME = "windows-2022-ServerStandard-mak"


def file(folder: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    path = folder / "keys.yaml"
    path.write_text(text)
    path.chmod(mode)
    return {VARIABLE: str(path)}


def test_a_secret_key_comes_from_the_sites_file_and_is_not_shown(tmp_path: Path) -> None:
    found = windows_keys.secret(NAME, file(tmp_path, f"{NAME}: {KEY.lower()}\n"))
    assert found == ProductKey(KEY)
    assert KEY not in f"{found} {found!r}"


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (f"{NAME}: {KEY}\n", 0o640, "can be read by others"),
        (f"windows-2022-ServerStandrad-mak: {KEY}\n", 0o600, "did you mean windows-2022-"),
        (f"{NAME}: {KEY}9\n", 0o600, "is no product key"),
        (f"- {KEY}\n", 0o600, "is no list of product keys"),
        ("a: [\n", 0o600, "is no list of product keys"),
    ],
)
def test_a_file_that_does_not_serve_is_refused_without_showing_a_key(
    tmp_path: Path, text: str, mode: int, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        windows_keys.secret(NAME, file(tmp_path, text, mode))
    assert KEY not in caught.value.message + caught.value.hint


def test_without_a_file_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{VARIABLE} names no file"):
        windows_keys.secret(NAME, {})
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        windows_keys.secret(NAME, {VARIABLE: str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("edition", "kind", "fits"),
    [
        ("ServerStandard", "kms", True),
        ("ServerStandard", "evaluation", False),
        ("ServerStandardEval", "evaluation", True),
        ("ServerStandardEval", "kms", False),
        ("EnterpriseEval", "mak", False),
    ],
)
def test_an_evaluation_edition_takes_no_key_and_any_other_needs_one(
    edition: str, kind: str, fits: bool
) -> None:
    assert (windows_keys.unfit(edition, kind) == "") is fits
