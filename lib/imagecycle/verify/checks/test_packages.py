"""The package manager is in order."""

from collections.abc import Mapping


def test_all_are_installed_whole(told: Mapping[str, str]) -> None:
    """The first installation or upgrade on a server stops at packages left half done."""
    assert told["audit"].splitlines() == []
