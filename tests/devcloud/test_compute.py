import configparser
from pathlib import Path

import pytest

from imagecycle.devcloud import services
from imagecycle.devcloud.compute import SERVICES, cinder, config, nova, programs
from imagecycle.devcloud.layout import Identity, Layout, ensure_identity
from imagecycle.errors import ImagecycleError


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "devcloud", tmp_path / "venv")
    made.make()
    return made


@pytest.fixture
def identity(layout: Layout) -> Identity:
    return ensure_identity(layout, compute=True)


@pytest.fixture
def etc(layout: Layout, identity: Identity) -> Path:
    config.write(layout, identity, layout.etc, programs.database_socket(layout))
    return layout.etc


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read(path)
    return parser


@pytest.mark.parametrize("name", ["nova", "neutron", "placement", "cinder"])
def test_each_service_checks_tokens_with_an_account_of_its_own(
    etc: Path, identity: Identity, name: str
) -> None:
    section = read(etc / f"{name}.conf")["keystone_authtoken"]
    assert section["username"] == name
    assert section["password"] == identity.passwords[name]
    assert section["www_authenticate_uri"] == identity.url("keystone")


def test_hypervisors_have_no_database(etc: Path) -> None:
    assert {"database", "api_database"} <= set(read(etc / "nova.conf").sections())
    assert not {"database", "api_database"} & set(read(etc / "nova-compute.conf").sections())


def test_each_hypervisor_has_a_name_and_a_memory_of_its_own(etc: Path) -> None:
    pairs = {
        (default["host"], default["state_path"])
        for host in config.HOSTS
        for default in [read(etc / f"{host}.conf")["DEFAULT"]]
    }
    assert len({host for host, _ in pairs}) == len({path for _, path in pairs}) == 2
    assert len(nova.COMPUTES) == 2


def test_files_with_secrets_are_for_their_owner_alone(etc: Path) -> None:
    for path in etc.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_no_service_is_told_a_secret_where_all_can_read_it(
    etc: Path, layout: Layout, identity: Identity
) -> None:
    forked = (*nova.FAMILY.members, *cinder.FAMILY.members)
    for service in (*services.SERVICES, *(one for one in SERVICES if one not in forked)):
        _, argv, _ = service.program(layout, identity)
        words = " ".join(str(word) for word in argv)
        assert not any(password in words for password in identity.passwords.values()), service


def test_a_socket_that_the_system_could_not_open_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("long" * 30) / "devcloud", tmp_path / "venv")
    with pytest.raises(ImagecycleError, match="too long for a socket of 107") as caught:
        programs.database_socket(layout)
    assert "shorter" in caught.value.hint


def test_missing_programs_are_named_by_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", str(tmp_path))
    with pytest.raises(ImagecycleError, match="mariadb-server-core, rabbitmq-server") as caught:
        programs.require()
    assert "scripts/setup --compute" in caught.value.hint
