"""Debian's own installer, started by Oz with our preseed file, asks nothing.

It cannot be followed to its end where the mirror lacks its components. So the test ends where it
downloads them: what it has shown on the console until then is looked at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re

import pytest

from imagecycle import catalog, systems
from imagecycle.build import stage
from imagecycle.build.domain import InstallationFailed
from imagecycle.model import Media
from imagecycle.site import CATALOG, Site
from integration import stock_installer

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]

RELEASE = "20261122"
STALL = 45.0
"""Seconds without a sign of life after which it waits for an answer"""
CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|.)|[\x00-\x09\x0b-\x1f]")
QUESTION = re.compile(r"<(?:Go Back|Continue|Yes|No|OK)>")


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
    site = build_site.model_copy(update={"stall_timeout": STALL})
    with pytest.raises(InstallationFailed, match="it stalled"):
        stage.build(stock, site, release=RELEASE)
    failure = site.home / "failures" / stock.slug / RELEASE
    shown = CONTROL.sub("", (failure / "console.log").read_text(errors="replace"))
    asked = QUESTION.search(shown)
    assert asked is not None
    assert "Checking the Debian archive mirror" in shown[: asked.start()]
    assert "Download installer components" in shown[: asked.start()]
