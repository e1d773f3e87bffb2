"""What the catalog declares of a flavour is no defect; a desktop is more than a console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import signing
from families import family
from imagecycle.machine import vitals
from imagecycle.machine.screen_picture import ScreenPicture
from imagecycle.model import GuestFile, Repository, Service
from imagecycle.verify import declared, screen
from imagecycle.verify.findings import Defects, Finding


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with signing.signers("vendor") as (vendor,):
        yield vendor.key(tmp_path_factory.mktemp("key") / "site.asc")


def test_a_package_source_that_stays_is_meant_with_its_key(key: Path) -> None:
    kept = Repository("site", "http://p.example", key, "./")
    once = Repository("once", "http://p.example", key, "./", keep=False)
    made = family(repositories=(kept, once), files=(GuestFile("/etc/motd", "x"),))
    assert declared.added(made) == (
        "/etc/motd",
        "/etc/apt/keyrings/site.asc",
        "/etc/apt/sources.list.d/site.sources",
    )


def test_services_are_as_the_flavour_says_and_no_others() -> None:
    said = (Service("agent.service", True), Service("apt-daily.timer", False))
    explained = declared.explained(family(services=said))

    def left(check: str, *names: str) -> list[str]:
        return Defects(check, frozenset(), explained)([Finding(name) for name in names])

    names = ("agent.service", "apt-daily.timer", "other.service")
    assert left("services.those_switched_on_are_declared", *names) == list(names[1:])
    off = left("services.those_of_packages_are_switched_on", *names)
    assert off == ["agent.service", "other.service"]
    link = "/etc/systemd/system/multi-user.target.wants/agent.service"
    assert left("ownership.every_file_is_explained", link) == []
    assert left("ownership.every_file_is_explained", link + "x", "/etc/x") == [link + "x", "/etc/x"]


@pytest.mark.parametrize(
    ("size", "colours", "graphics"),
    [((720, 400), 200, False), ((1280, 800), 16, False), ((1280, 800), 200, True)],
)
def test_a_console_is_no_desktop_in_whatever_mode(
    size: tuple[int, int], colours: int, graphics: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = b"".join(bytes((n % colours, 0, 0)) for n in range(size[0] * size[1]))
    monkeypatch.setattr(vitals, "take", lambda _: ScreenPicture(size, pixels))
    machine: Any = SimpleNamespace()
    shown = screen.look(machine)
    assert shown.is_graphics == graphics
    assert (shown.width, shown.height) == size
