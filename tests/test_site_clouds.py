"""What a site says of its clouds."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle import site
from imagecycle.errors import InvalidFile


def load(tmp_path: Path, text: str) -> site.Site:
    path = tmp_path / "site.yaml"
    path.write_text(text)
    return site.load(path)


def test_a_region_has_its_own_settings_or_those_of_its_entry(tmp_path: Path) -> None:
    made = load(
        tmp_path,
        "clouds:\n"
        "  lab: {disk_format: raw, stores: [fast, slow]}\n"
        "  lab/geneva: {disk_format: vmdk}\n",
    )
    assert made.settings_of("lab").stores == ("fast", "slow")
    assert made.settings_of("lab/prague").disk_format == "raw"
    assert made.settings_of("lab/geneva").disk_format == "vmdk"
    assert made.settings_of("other").disk_format == "qcow2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clouds: {lab: {disk_format: vhd}}", "disk_format"),
        ("clouds: {lab: {format: raw}}", "clouds.lab.format"),
        ("clouds: {lab: {import_method: copy-image}}", "import_method"),
        ("clouds: {lab: {import_method: web-download}}", "artifacts_url belong together"),
        ("clouds: {lab: {artifacts_url: 'http://store.example'}}", "artifacts_url belong together"),
        (
            "clouds: {lab: {import_method: web-download, artifacts_url: 'file:///srv'}}",
            "begins with http:// or https://",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidFile, match=said):
        load(tmp_path, text)
