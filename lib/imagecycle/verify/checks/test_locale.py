"""The language settings exist."""

from collections.abc import Mapping


def test_is_there(told: Mapping[str, str]) -> None:
    """Every program complains of its locale, and some break text that is not English."""
    assert told["locale"] == ""
