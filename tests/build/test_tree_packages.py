"""Which packages an embedded install tree gets, by architecture and version."""

from pathlib import Path

import pytest

from imagecycle.build import tree_packages


@pytest.mark.parametrize(
    ("architecture", "version", "chosen"),
    [
        ("amd64", "bookworm", ["all", "pc", "resolved"]),
        ("amd64", "bullseye", ["all", "pc", "old"]),
        ("arm64", "trixie", ["all", "resolved", "both"]),
    ],
)
def test_a_line_holds_for_what_it_is_restricted_to(
    architecture: str, version: str, chosen: list[str], tmp_path: Path
) -> None:
    lines = (
        "# words\nall\npc [amd64]\n\nresolved <!bullseye>\nold <bullseye>\nboth [arm64] <trixie>"
    )
    (tmp_path / "packages").write_text(lines)
    assert tree_packages.select(architecture, version, tmp_path / "packages") == chosen


@pytest.mark.parametrize("version", ["bullseye", "trixie"])
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_every_system_gets_one_kernel_and_a_boot_loader_for_its_firmware(
    architecture: str, version: str
) -> None:
    chosen = tree_packages.select(architecture, version)
    assert len([name for name in chosen if name.startswith("linux-image-")]) == 1
    assert f"grub-efi-{architecture}-bin" in chosen
    assert ("grub-pc-bin" in chosen) == (architecture == "amd64")


@pytest.mark.parametrize("version", ["bullseye", "bookworm", "trixie", "forky"])
def test_one_program_manages_the_network(version: str) -> None:
    chosen = tree_packages.select("amd64", version)
    assert ("ifupdown" in chosen) != ("systemd-resolved" in chosen)


@pytest.mark.parametrize(("version", "brought"), [("bookworm", False), ("trixie", True)])
def test_the_vendors_settings_of_the_kernel_are_there(version: str, brought: bool) -> None:
    """Those of bookworm are systemd's; without any, only root may ping."""
    assert ("linux-sysctl-defaults" in tree_packages.select("amd64", version)) == brought
