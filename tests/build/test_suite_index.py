"""Whether a mirror's index is there and young enough is found out before minutes are spent."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagecycle.build import suite_index
from imagecycle.errors import ImagecycleError
from servers_of_files import serving

INDEX = b"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Suite: testing
Date: Fri, 30 Oct 2026 08:08:01 UTC
Valid-Until: Fri, 06 Nov 2026 08:08:01 UTC
"""


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "dists" / "forky"
    folder.mkdir(parents=True)
    (folder / "InRelease").write_bytes(INDEX)
    with serving(tmp_path) as url:
        yield url


def test_an_index_is_good_until_its_own_limit() -> None:
    assert suite_index.expired(INDEX, 0, at("2026-11-06T08:00:00")) == ""
    assert suite_index.expired(INDEX, 0, at("2026-11-06T08:10:00")) == (
        "dated 2026-10-30 and expired on 2026-11-06"
    )


def test_a_site_may_accept_it_for_longer_but_not_for_ever() -> None:
    assert suite_index.expired(INDEX, 30, at("2026-11-28T00:00:00")) == ""
    assert suite_index.expired(INDEX, 30, at("2026-11-30T00:00:00")) == (
        "dated 2026-10-30 and expired on 2026-11-29"
    )


def test_a_version_that_gets_no_more_updates_has_no_limit() -> None:
    lines = INDEX.split(b"Valid-Until")[0]
    assert suite_index.expired(lines, 0, at("2031-01-01T00:00:00")) == ""


def test_an_expired_index_is_refused_with_the_way_out(mirror: str) -> None:
    index = suite_index.fetch(mirror, "forky")
    with pytest.raises(ImagecycleError, match="forky/InRelease is dated 2026-10-30") as refused:
        suite_index.refuse_expired(mirror, "forky", index, 0)
    assert "index_days" in refused.value.hint
    suite_index.refuse_expired(mirror, "forky", index, 36500)


def test_a_version_that_the_mirror_lacks_is_named_with_the_archive(mirror: str) -> None:
    with pytest.raises(ImagecycleError, match="the package mirror has no buster") as missing:
        suite_index.fetch(mirror, "buster")
    assert "archive" in missing.value.hint
