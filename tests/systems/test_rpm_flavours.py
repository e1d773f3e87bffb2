"""Package sources of flavours on systems with RPM: what a guest gets, tried with rpm itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import rpm_roots
import servers_of_files
import signing
from imagecycle.build.offline import MountedSystem
from imagecycle.errors import ImagecycleError
from imagecycle.model import Repository
from imagecycle.systems.dnf import Dnf
from imagecycle.systems.package_manager import Outlook, Wanted
from imagecycle.systems.rpm import Rpm
from imagecycle.systems.zypper import Zypper
from signing import Signer

MANAGERS = {"dnf": Dnf(), "zypper": Zypper()}


@pytest.fixture(scope="module")
def signers() -> Iterator[tuple[Signer, Signer]]:
    with signing.signers("vendor", "other", kind="rsa2048") as (vendor, other):
        yield vendor, other


@pytest.fixture(scope="module")
def packages(
    tmp_path_factory: pytest.TempPathFactory, signers: tuple[Signer, Signer]
) -> list[Path]:
    made = rpm_roots.build(tmp_path_factory.mktemp("packages"))
    rpm_roots.sign(made, signers[0])
    return made


def root_with(root: Path, manager: Rpm, repository: Repository) -> MountedSystem:
    """A system that was given a package source as a guest is."""
    system = MountedSystem(root)
    for path, content in manager.source_files(repository).items():
        system.write(path, content, 0o644)
    run(root, manager.trust(repository))
    return system


def run(root: Path, words: str) -> None:
    """The guest's words, with rpm for a root of its own."""
    own = f'rpm() {{ command rpm --root={root} --dbpath=/var/lib/rpm "$@"; }}\n'
    words = words.replace("/etc/pki", f"{root}/etc/pki")
    subprocess.run(["sh", "-e"], input=(own + words).encode(), check=True, timeout=60)


def checked(root: Path, package: Path) -> bool:
    """Whether the system believes a package's signature."""
    argv = ["rpmkeys", f"--root={root}", "--dbpath=/var/lib/rpm", "--checksig", package]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0 and "signatures OK" in done.stdout


@pytest.mark.parametrize("name", MANAGERS)
def test_packages_count_when_they_are_signed_with_the_key_of_the_catalog(
    name: str, signers: tuple[Signer, Signer], packages: list[Path], tmp_path: Path
) -> None:
    manager = MANAGERS[name]
    for signer, believed in ((signers[0], True), (signers[1], False)):
        root = tmp_path / str(believed)
        root.mkdir()
        repository = Repository("site", "http://r.example/x", signer.key(tmp_path / "key"))
        system = root_with(root, manager, repository)
        assert [checked(root, package) for package in packages] == [believed] * len(packages)
        (source,) = manager.sources(system)
        assert (source.address, source.unsigned) == ("http://r.example/x", False)
        run(root, manager.distrust(repository))
        assert not any(checked(root, package) for package in packages)


def test_the_source_says_where_its_key_is(signers: tuple[Signer, Signer], tmp_path: Path) -> None:
    binary = signers[0].key(tmp_path / "key", armour=False)
    repository = Repository("site", "http://r.example/x", binary)
    for manager in MANAGERS.values():
        files = manager.source_files(repository)
        key, said = sorted(files, key=lambda path: path.endswith(".repo"))
        assert f"gpgkey=file://{key}\n".encode() in files[said]
        assert files[key].startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    (path,) = (path for path in Dnf().source_files(repository) if path.endswith(".repo"))
    assert path == "/etc/yum.repos.d/site.repo"


def outlook(*repositories: Repository) -> Outlook:
    wanted = Wanted("x86_64", (), repositories, (), b"")
    return Dnf().outlook(wanted, Path("/nowhere"))


def test_an_index_must_be_there_and_of_its_key(
    signers: tuple[Signer, Signer], tmp_path: Path
) -> None:
    vendor, other = signers
    index = tmp_path / "repodata/repomd.xml"
    index.parent.mkdir()
    with servers_of_files.serving(tmp_path) as url:
        site = Repository("site", url, vendor.key(tmp_path / "key"), place="images/lab.yaml:9")
        beginning = "images/lab.yaml:9: the package source site cannot be used: "
        with pytest.raises(ImagecycleError, match=rf"{beginning}{url} has no repodata/repomd.xml"):
            outlook(site)
        index.write_text("<repomd/>")
        assert outlook(site) == Outlook()
        signature = index.with_name("repomd.xml.asc")
        signature.write_bytes(vendor.beside(index.read_bytes(), armour=True))
        assert outlook(site) == Outlook()
        signature.write_bytes(other.beside(index.read_bytes(), armour=True))
        with pytest.raises(ImagecycleError, match=f"{beginning}the signature is not one by key"):
            outlook(site)
    with pytest.raises(ImagecycleError, match=f"{beginning}.*cannot be fetched"):
        outlook(site)
