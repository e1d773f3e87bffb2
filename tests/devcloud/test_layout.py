from pathlib import Path

import pytest

from imagecycle.devcloud.layout import (
    COMPUTE_USERS,
    FIRST_COMPUTE_PORTS,
    FIRST_DASHBOARD_PORTS,
    FIRST_PORTS,
    Layout,
    ensure_identity,
    load_identity,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "devcloud", tmp_path / "venv")
    made.make()
    return made


def test_nova_adds_ports_and_passwords_and_changes_none(layout: Layout) -> None:
    plain = ensure_identity(layout)
    assert plain.ports.keys() == FIRST_PORTS.keys()
    assert not set(COMPUTE_USERS) & plain.passwords.keys()
    full = ensure_identity(layout, compute=True)
    assert plain.ports.items() <= full.ports.items()
    assert plain.passwords.items() <= full.passwords.items()
    assert full.ports.keys() == FIRST_PORTS.keys() | FIRST_COMPUTE_PORTS.keys()
    assert set(COMPUTE_USERS) <= full.passwords.keys()
    assert ensure_identity(layout) == ensure_identity(layout, compute=True) == full
    assert load_identity(layout) == full


def test_the_dashboard_adds_its_own_and_changes_none(layout: Layout) -> None:
    plain = ensure_identity(layout)
    full = ensure_identity(layout, dashboard=True)
    assert full.ports.keys() - plain.ports.keys() == FIRST_DASHBOARD_PORTS.keys()
    assert plain.ports.items() <= full.ports.items()
    assert plain.passwords.items() <= full.passwords.items()
    assert ensure_identity(layout) == full


def test_no_two_services_of_any_development_cloud_share_a_port() -> None:
    ports = FIRST_PORTS | FIRST_COMPUTE_PORTS | FIRST_DASHBOARD_PORTS
    ends = [port % 10 for port in ports.values()]
    assert len(ends) == len(set(ends)), "others are ten apart"


def test_ports_and_passwords_are_for_their_owner_alone(layout: Layout) -> None:
    ensure_identity(layout, compute=True)
    assert (layout.folder / "identity.json").stat().st_mode & 0o077 == 0
