"""The development cloud's dashboard: what is said of it, and to whom."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle import devcloud
from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.layout import Layout, ensure_identity
from imagecycle.errors import UnknownName
from imagecycle.site import Site


def test_its_address_is_told_only_while_it_is_meant_to_run(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    layout = Layout.of(site)
    layout.make()
    assert devcloud.dashboard_address(site) is None
    identity = ensure_identity(layout, dashboard=True)
    assert devcloud.dashboard_address(site) is None
    layout.with_dashboard.touch()
    assert devcloud.dashboard_address(site) == f"http://127.0.0.1:{identity.ports['dashboard']}/"


def test_only_people_have_a_password_to_log_in_with(tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    with pytest.raises(UnknownName):
        devcloud.password(site, "demo")
    layout = Layout.of(site)
    layout.make()
    identity = ensure_identity(layout, compute=True, dashboard=True)
    assert devcloud.password(site, "alice") == identity.passwords["alice"]
    for name in ("glance", "rabbitmq", "dashboard"):
        with pytest.raises(UnknownName):
            devcloud.password(site, name)


@contextlib.contextmanager
def making(done: list[str]) -> Iterator[None]:
    done.append("all")
    yield


def test_another_panel_is_installed_again_and_the_packages_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels = tmp_path / "panels"
    panels.mkdir()
    (panels / "page.html").write_text("one")
    layout = Layout(tmp_path / "devcloud", tmp_path / "venv")
    layout.dashboard_venv.mkdir()
    done: list[str] = []
    monkeypatch.setattr(installation, "PANELS", panels)
    monkeypatch.setattr(installation.install, "made_anew", lambda _venv: making(done))
    monkeypatch.setattr(installation.install, "pip", lambda *_words, what: done.append(what))
    monkeypatch.setattr(installation, "_install_panels", lambda _layout: done.append("panels"))
    installation.ensure(layout)
    assert done == ["all", "Horizon", "panels"]
    assert installation.is_complete(layout)
    (panels / "page.html").write_text("two")
    assert not installation.is_complete(layout)
    installation.ensure(layout)
    assert done[3:] == ["panels"]
    installation.ensure(layout)
    assert len(done) == 4
