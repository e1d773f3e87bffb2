"""What a flavour adds: package sources, files, services, a larger disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import signing
from catalog.test_loading import Folder
from imagecycle import catalog
from imagecycle.model import GuestFile, Repository, Service
from signing import Signer

SERVER = "debian-12-x86_64-server"
LAST = "    packages: [less, curl]\n"


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    with signing.signers("vendor") as (vendor,):
        yield vendor


@pytest.fixture
def folder(tmp_path: Path, signer: Signer) -> Folder:
    found = Folder(tmp_path)
    signer.key(tmp_path / "site.asc")
    found.write("motd", "hello\n")
    return found


def add(folder: Folder, text: str) -> None:
    folder.spoil(LAST, LAST + text)


REPOSITORY = """\
    repositories:
      - name: site
        url: https://packages.example/debian/
        suite: bookworm
        components: [main]
        key: site.asc
"""


def test_a_package_source_comes_with_its_key_and_its_place(folder: Folder) -> None:
    add(folder, REPOSITORY)
    found = catalog.find(folder.path, SERVER)
    key = folder.path / "site.asc"
    expected = Repository("site", "https://packages.example/debian", key, "bookworm", ("main",))
    assert found.repositories == (expected,)
    assert found.repositories[0].place == f"{folder.path}/debian.yaml:27"
    assert catalog.find(folder.path, "debian-12-x86_64-base").repositories == ()


def test_a_package_may_be_for_one_architecture(folder: Folder) -> None:
    folder.spoil("[less, curl]", '["less [x86_64]", "nano [aarch64]", curl]')
    found = catalog.find(folder.path, SERVER)
    assert found.packages == ("less", "curl")
    assert found.places["packages.nano"] == f"{folder.path}/debian.yaml:25"


def test_a_package_for_an_unknown_architecture_is_refused(folder: Folder) -> None:
    folder.spoil("[less, curl]", '["less [riscv64]"]')
    (mistake,) = folder.mistakes()
    assert mistake.startswith("debian.yaml:25: flavours.server.packages.0: expected the name of a")


def test_a_fingerprint_names_the_key_that_is_meant(folder: Folder, signer: Signer) -> None:
    right = signer.fingerprint()
    add(folder, f"{REPOSITORY}        fingerprint: {right.lower()}\n")
    assert catalog.find(folder.path, SERVER).repositories
    folder.spoil(right.lower(), "AB" * 20)
    (mistake,) = folder.mistakes()
    assert mistake == (
        "debian.yaml:32: flavours.server.repositories.0.fingerprint: "
        f"site.asc is of the key {right}"
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "        key: site.asc\n",
            "",
            "27: flavours.server.repositories.0.key is missing: expect",
        ),
        (
            "key: site.asc",
            "key: sit.asc",
            "31: flavours.server.repositories.0.key: there is no sit.asc beside this file; did you",
        ),
        (
            "key: site.asc",
            "key: motd",
            "31: flavours.server.repositories.0.key: motd is no public key: it holds no OpenPGP",
        ),
        ("key: site.asc", "key: ../site.asc", "31: flavours.server.repositories.0.key: expected a"),
        ("        suite: bookworm\n", "", "27: flavours.server.repositories.0.suite is missing: "),
        ("suite: bookworm", "suite: ./", "27: flavours.server.repositories.0.components: a folder"),
        ("https:", "ftp:", "28: flavours.server.repositories.0.url: expected an address such as"),
        (
            "        key:",
            "        gpgcheck: no\n        key:",
            "31: unknown key flavours.server.repo",
        ),
    ],
)
def test_a_package_source_that_cannot_be_right_is_refused(
    folder: Folder, before: str, after: str, message: str
) -> None:
    add(folder, REPOSITORY)
    folder.spoil(before, after)
    mistakes = folder.mistakes()
    assert [text for text in mistakes if text.startswith(f"debian.yaml:{message}")], mistakes


def test_a_source_of_another_package_manager_has_no_suite(folder: Folder) -> None:
    add(folder, REPOSITORY)
    folder.spoil("distro: debian", "distro: rocky")
    folder.spoil("unattended: debian.preseed.j2", "unattended: rocky.ks.j2")
    folder.spoil("{kind: tree}", "{kind: iso}")
    folder.write("rocky.ks.j2", "x")
    mistakes = folder.mistakes()
    assert "debian.yaml:27: flavours.server.repositories.0.suite: only sources of apt have it" in (
        mistakes
    )


def test_a_file_has_owner_group_and_a_source_of_its_own(folder: Folder) -> None:
    add(folder, "    files:\n      - {path: /etc/motd, source: motd, owner: man, group: adm}\n")
    (file,) = catalog.find(folder.path, SERVER).files
    assert file == GuestFile("/etc/motd", "", 0o644, "man", "adm", folder.path / "motd")
    assert file.data() == b"hello\n"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("{path: /a, source: mot}", "27: flavours.server.files.0.source: there is no mot beside"),
        ("{path: /a, source: motd, content: x}", "27: flavours.server.files.0: expected either"),
        ("{path: /a}", "27: flavours.server.files.0: expected either content or source"),
        ("{path: /a, content: x, owner: 'a b'}", "27: flavours.server.files.0.owner: expected an"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(folder: Folder, file: str, message: str) -> None:
    add(folder, f"    files:\n      - {file}\n")
    mistakes = folder.mistakes()
    assert [text for text in mistakes if text.startswith(f"debian.yaml:{message}")], mistakes


def test_the_last_word_about_a_service_counts(folder: Folder) -> None:
    folder.spoil("accepts logins\n", "accepts logins\n    services: {enabled: [chrony, ssh]}\n")
    folder.spoil(LAST, f"{LAST}    services: {{disabled: [chrony, apt-daily.timer]}}\n")
    assert catalog.find(folder.path, SERVER).services == (
        Service("chrony.service", False),
        Service("ssh.service", True),
        Service("apt-daily.timer", False),
    )


def test_a_service_is_not_on_and_off(folder: Folder) -> None:
    add(folder, "    services:\n      enabled: [a, b]\n      disabled:\n        - b\n")
    assert folder.mistakes() == [
        "debian.yaml:29: flavours.server.services: b is to be enabled and disabled"
    ]


def test_a_flavour_may_have_more_disk_and_memory(folder: Folder) -> None:
    add(folder, "    disk: 6\n    memory: 1024\n    screen: graphics\n")
    server, base = (catalog.find(folder.path, f"debian-12-x86_64-{n}") for n in ("server", "base"))
    assert (server.disk_gib, server.installed_disk_gib, base.disk_gib) == (6, 3, 3)
    assert (server.min_ram_mib, base.min_ram_mib) == (1024, 512)
    assert (server.screen, base.screen) == ("graphics", "text")


def test_a_flavour_has_no_less_disk_than_what_is_installed(folder: Folder) -> None:
    add(folder, "    disk: 2\n")
    assert folder.mistakes() == [
        "debian.yaml:26: flavours.server.disk: 2 GiB are less than the system's 3, "
        "which is installed first"
    ]


def test_a_layer_of_a_site_brings_a_flavour_with_its_key(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory, signer: Signer
) -> None:
    site = tmp_path_factory.mktemp("site")
    signer.key(site / "lab.asc")
    (site / "debian.yaml").write_text(
        "flavours:\n  lab:\n    title: Lab\n    description: Ours\n    extends: server\n"
        + REPOSITORY.replace("site.asc", "lab.asc")
    )
    lab = catalog.find([folder.path, site], "debian-12-x86_64-lab")
    assert lab.repositories[0].key == site / "lab.asc"
    assert lab.repositories[0].place == f"{site}/debian.yaml:7"
    assert lab.places["packages.curl"] == f"{folder.path}/debian.yaml:25"
