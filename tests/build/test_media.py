"""Media: fetched once, and never used when its checksum is wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest

import vendor_media
from imagecycle import catalog
from imagecycle.build import media
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family, Media
from imagecycle.site import CATALOG, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path / "home")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A medium of Debian 12."""
    folder = tmp_path_factory.mktemp("vendor")
    identity = {**vendor_media.DEBIAN_12.identity, "/pool/main/x.deb": ""}
    whole = dataclasses.replace(vendor_media.DEBIAN_12, identity=identity)
    return vendor_media.write(whole, folder / "d.iso")


def sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def family(**changes: object) -> Family:
    found = catalog.find(CATALOG, "debian-12-x86_64-base")
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def iso(path: Path, sha256: str) -> Family:
    return family(media=Media("iso", path.as_uri(), sha256, place="site/debian-12.yaml:3"))


def test_an_iso_is_fetched_and_given_to_oz_from_the_cache(
    site: Site, debian: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(debian, tmp_path))
    digest = sum_of(copy)
    url = media.find(iso(copy, digest), site).fetch()
    assert url == (site.cache / "media" / digest / "d.iso").as_uri()
    copy.unlink()
    assert media.find(iso(copy, digest), site).fetch() == url


def test_a_wrong_checksum_names_both_and_leaves_nothing(site: Site, debian: Path) -> None:
    with pytest.raises(ImagecycleError) as caught:
        media.find(iso(debian, "0" * 64), site).fetch()
    assert sum_of(debian) in caught.value.message
    assert "0" * 64 in caught.value.message
    assert not [path for path in site.cache.rglob("*") if path.is_file()]


def test_a_cached_file_that_has_rotted_is_fetched_again(site: Site, debian: Path) -> None:
    digest = sum_of(debian)
    source = media.find(iso(debian, digest), site)
    source.fetch()
    cached = site.cache / "media" / digest / "d.iso"
    cached.write_bytes(b"rotten")
    source.fetch()
    assert cached.read_bytes() == debian.read_bytes()


def test_a_vendor_that_is_away_is_named(site: Site) -> None:
    away = family(media=Media("iso", "http://127.0.0.1:9/d.iso", "0" * 64))
    with pytest.raises(ImagecycleError, match=r"127\.0\.0\.1:9/d\.iso cannot be fetched"):
        media.find(away, site).fetch()


def test_the_wrong_medium_is_refused_with_the_place_that_names_it(
    site: Site, tmp_path: Path
) -> None:
    ubuntu = vendor_media.write(vendor_media.UBUNTU_24, tmp_path / "u.iso")
    with pytest.raises(
        UsageError, match=r"site/debian-12\.yaml:3: u\.iso is the wrong medium"
    ) as no:
        media.find(iso(ubuntu, sum_of(ubuntu)), site).fetch()
    assert "it is Ubuntu 24.04.3 for x86_64, and no medium of debian" in no.value.message
    with pytest.raises(UsageError, match="wrong medium"):  # known before anything is begun
        media.find(iso(ubuntu, sum_of(ubuntu)), site)


WRONG = {
    "another system": (
        vendor_media.UBUNTU_24,
        ("debian", "12"),
        "it is Ubuntu 24.04.3 for x86_64, and no medium of debian",
    ),
    "another architecture": (
        vendor_media.UBUNTU_24_ARM,
        ("ubuntu", "24.04"),
        "it is Ubuntu 24.04.3 for aarch64, and the catalog says x86_64",
    ),
    "another version": (
        vendor_media.UBUNTU_24,
        ("ubuntu", "22.04"),
        "it is Ubuntu 24.04.3 for x86_64, and the catalog says 22.04",
    ),
    "no packages": (
        vendor_media.RHEL_9,
        ("rhel", "9"),
        "it is Red Hat Enterprise Linux 9.6 for x86_64, but an installer without packages",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_medium_of_something_else_is_refused_before_anything_is_begun(
    mistake: str, site: Site, tmp_path: Path
) -> None:
    layout, (distro, version), why = WRONG[mistake]
    path = vendor_media.write(layout, tmp_path / "given.iso")
    digest = sum_of(path)
    wanted = dataclasses.replace(iso(path, digest), distro=distro, version=version)
    cached = media.cached(site, path.as_uri(), digest)
    cached.parent.mkdir(parents=True)
    path.rename(cached)
    with pytest.raises(UsageError) as refused:
        media.find(wanted, site)
    said = f"site/debian-12.yaml:3: given.iso is the wrong medium: {why}"
    assert refused.value.message == said
    assert refused.value.exit_code == 2


def test_a_truncated_medium_is_refused_though_its_checksum_is_that_of_the_catalog(
    site: Site, debian: Path, tmp_path: Path
) -> None:
    half = Path(shutil.copy(debian, tmp_path))
    with half.open("r+b") as stream:
        stream.truncate(half.stat().st_size // 2)
    with pytest.raises(UsageError, match=r"site/debian-12\.yaml:3: d\.iso is truncated: ") as no:
        media.find(iso(half, sum_of(half)), site).fetch()
    assert "take its checksum from the vendor" in no.value.hint


def test_a_medium_with_a_damaged_file_is_refused(site: Site, tmp_path: Path) -> None:
    layout = vendor_media.RHEL_9
    listed = f"{layout.kernel[1:]} = sha256:{'0' * 64}\n"
    identity = {"/.treeinfo": layout.identity["/.treeinfo"] + listed, "/repodata/repomd.xml": ""}
    path = vendor_media.write(dataclasses.replace(layout, identity=identity), tmp_path / "r.iso")
    rhel = dataclasses.replace(iso(path, sum_of(path)), distro="rhel", version="9")
    with pytest.raises(UsageError, match=f"r.iso is damaged: {layout.kernel} differ from"):
        media.find(rhel, site).fetch()


def test_an_installer_for_another_machine_is_refused(site: Site, tmp_path: Path) -> None:
    boot = tmp_path / "tree/debian-installer/amd64"
    boot.mkdir(parents=True)
    (boot / "linux").write_bytes(b"\0" * 56 + b"ARM\x64" + b"\0" * 2000)
    (boot / "initrd.gz").write_bytes(b"initrd")
    found = Media("url", (tmp_path / "tree").as_uri(), sum_of(boot / "initrd.gz"), place="s.yaml:9")
    with pytest.raises(
        UsageError, match=r"s\.yaml:9: file:.* is the wrong medium: it is .*aarch64"
    ):
        media.find(family(media=found), site).fetch()


TREE_OF_RHEL = {"family": "Red Hat Enterprise Linux", "version": "9.6", "arch": "x86_64"}


@pytest.mark.parametrize(
    ("said", "kernel", "why"),
    [
        ({}, b"kernel", ""),
        ({}, b"another", "is damaged: images/pxeboot/vmlinuz differ from the checksums in its"),
        ({"version": "8.10"}, b"kernel", "wrong medium: it is Red Hat Enterprise Linux 8.10"),
        ({"arch": "aarch64"}, b"kernel", "wrong medium: .* and the catalog says x86_64"),
    ],
)
def test_an_install_tree_is_compared_with_what_it_says_of_itself(
    site: Site, tmp_path: Path, said: dict[str, str], kernel: bytes, why: str
) -> None:
    boot = tmp_path / "tree/images/pxeboot"
    boot.mkdir(parents=True)
    (boot / "vmlinuz").write_bytes(kernel)
    (boot / "initrd.img").write_bytes(b"initrd")
    general = "".join(f"{name} = {value}\n" for name, value in {**TREE_OF_RHEL, **said}.items())
    sums = f"images/pxeboot/vmlinuz = sha256:{hashlib.sha256(b'kernel').hexdigest()}\n"
    (tmp_path / "tree/.treeinfo").write_text(f"[general]\n{general}[checksums]\n{sums}")
    found = Media("url", (tmp_path / "tree").as_uri(), sum_of(boot / "initrd.img"))
    source = media.find(family(distro="rhel", version="9", media=found), site)
    if not why:
        assert source.fetch().startswith("file://")
        return
    with pytest.raises(UsageError, match=why):
        source.fetch()


def test_what_is_no_medium_at_all_is_refused(site: Site, tmp_path: Path) -> None:
    page = tmp_path / "d.iso"
    page.write_text("<html>not found</html>")
    with pytest.raises(UsageError, match=r"site/debian-12\.yaml:3: d\.iso is no ISO image"):
        media.find(iso(page, sum_of(page)), site).fetch()


def test_an_unknown_system_is_refused(site: Site) -> None:
    other = family(distro="plan9", media=Media("url", "http://127.0.0.1:9", "0" * 64))
    with pytest.raises(UsageError, match="unknown distro: plan9"):
        media.find(other, site)


def test_an_architecture_that_no_tree_can_be_made_for_is_refused(site: Site) -> None:
    with pytest.raises(UsageError, match="no install tree can be made for this system on s390x"):
        media.find(family(arch="s390x"), site)


def test_a_mirror_that_is_away_is_an_error_while_nothing_is_cached(site: Site) -> None:
    away = site.model_copy(
        update={"mirror": "http://127.0.0.1:9/d", "security_mirror": "http://127.0.0.1:9/s"}
    )
    with pytest.raises(ImagecycleError, match="package mirror failed") as caught:
        media.find(family(), away)
    assert "mirror" in caught.value.hint


def test_a_mirror_that_is_away_does_no_harm_once_a_tree_is_there(site: Site) -> None:
    away = site.model_copy(
        update={"mirror": "http://127.0.0.1:9/d", "security_mirror": "http://127.0.0.1:9/s"}
    )
    (away.cache / "install-trees" / "debian-12-x86_64-0123456789ab").mkdir(parents=True)
    assert media.find(family(), away).digest == "0123456789ab"


def test_media_that_a_site_has_not_configured_are_named_with_the_way_out(site: Site) -> None:
    with pytest.raises(UsageError, match="its install media are not configured") as refused:
        media.find(family(media=Media("iso")), site)
    assert "docs/catalog.rst" in refused.value.hint
