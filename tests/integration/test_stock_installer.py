"""Debian's own installer, started by Oz with our preseed file, asks nothing.

It cannot be followed to its end where the mirror lacks its components. So the test ends where it
downloads them: its first question is what to do without them.
"""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from imagecycle import catalog, systems
from imagecycle.build import stage
from imagecycle.build.domain import InstallationFailed
from imagecycle.model import Media
from imagecycle.site import CATALOG, Site
from integration import stock_installer

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

RELEASE = "20261122"


@pytest.mark.parametrize("version", ["12", "13"])
def test_debians_installer_reaches_its_components_without_a_question(
    version: str, build_site: Site
) -> None:
    family = catalog.find(CATALOG, f"debian-{version}-x86_64-base")
    boot = systems.of(family).network_boot(family.arch)
    assert boot is not None
    tree = stock_installer.tree(family, build_site)
    digest = hashlib.sha256((tree / boot.initrd).read_bytes()).hexdigest()
    stock = dataclasses.replace(
        family, slug=f"stock-{version}-x86_64-base", media=Media("url", tree.as_uri(), digest)
    )
    with pytest.raises(InstallationFailed) as failed:
        stage.build(stock, build_site, release=RELEASE)
    first, *shown = failed.value.message.splitlines()
    assert first == "the installation failed: the installer asks: Download installer components"
    assert any("The installer failed to download a file from the mirror" in one for one in shown)
    failure = build_site.home / "failures" / stock.slug / RELEASE
    said = (failure / "console.log").read_bytes()
    assert b"efi: EFI v2" in said
    assert b"Checking the Debian archive mirror" in said
