"""The values that travel between the rooms."""

from __future__ import annotations

import pytest

from imagecycle.errors import UsageError
from imagecycle.model import Release


@pytest.mark.parametrize("text", ["20261122", "20261122.1", "20261122.12"])
def test_a_release_reads_as_it_is_written(text: str) -> None:
    assert str(Release.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "2026-11-22", "20261322", "20261122.0", "20261122.", "20261122.01", "x20261122"]
)
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a release"):
        Release.parse(text)


def test_releases_sort_by_day_and_then_by_number() -> None:
    texts = ["20261122.10", "20261122.2", "20261123", "20261122"]
    assert [str(release) for release in sorted(map(Release.parse, texts))] == [
        "20261122",
        "20261122.2",
        "20261122.10",
        "20261123",
    ]
