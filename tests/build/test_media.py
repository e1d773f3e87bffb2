"""Media: fetched once, and never used when its checksum is wrong."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from imagecycle import catalog
from imagecycle.build import media
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import Family, Media
from imagecycle.site import CATALOG, Site

CONTENT = b"an installer"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path / "home")


def family(**changes: object) -> Family:
    found = catalog.find(CATALOG, "debian-12-x86_64-base")
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def iso(path: Path, sha256: str) -> Family:
    return family(media=Media("iso", path.as_uri(), sha256))


def test_an_iso_is_fetched_and_given_to_oz_from_the_cache(site: Site, tmp_path: Path) -> None:
    (tmp_path / "d.iso").write_bytes(CONTENT)
    url = media.find(iso(tmp_path / "d.iso", DIGEST), site).fetch()
    assert url == (site.cache / "media" / DIGEST / "d.iso").as_uri()
    (tmp_path / "d.iso").unlink()
    assert media.find(iso(tmp_path / "d.iso", DIGEST), site).fetch() == url


def test_a_wrong_checksum_names_both_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "d.iso").write_bytes(CONTENT)
    with pytest.raises(ImagecycleError) as caught:
        media.find(iso(tmp_path / "d.iso", "0" * 64), site).fetch()
    assert DIGEST in caught.value.message
    assert "0" * 64 in caught.value.message
    assert not [path for path in site.cache.rglob("*") if path.is_file()]


def test_a_cached_file_that_has_rotted_is_fetched_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "d.iso").write_bytes(CONTENT)
    source = media.find(iso(tmp_path / "d.iso", DIGEST), site)
    source.fetch()
    cached = site.cache / "media" / DIGEST / "d.iso"
    cached.write_bytes(b"rotten")
    source.fetch()
    assert cached.read_bytes() == CONTENT


def test_a_vendor_that_is_away_is_named(site: Site) -> None:
    away = family(media=Media("iso", "http://127.0.0.1:9/d.iso", DIGEST))
    with pytest.raises(ImagecycleError, match=r"127\.0\.0\.1:9/d\.iso cannot be fetched"):
        media.find(away, site).fetch()


def test_an_unknown_system_is_refused(site: Site) -> None:
    other = family(distro="plan9", media=Media("url", "http://127.0.0.1:9", DIGEST))
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
