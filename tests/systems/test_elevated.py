"""Reading the capabilities of a program."""

import struct

import pytest

from imagecycle.systems.elevated import NAMES, capability_names


def attribute(*numbers: int, inheritable: int = 0) -> bytes:
    low, high = (sum(1 << n - 32 * half for n in numbers if n // 32 == half) for half in (0, 1))
    return struct.pack("<5I", 0x02000001, low, inheritable, high, 0)


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_each_capability_has_its_name(number: int) -> None:
    assert capability_names(attribute(number)) == {NAMES[number]}


def test_inheritable_ones_count() -> None:
    assert capability_names(attribute(13, inheritable=1 << 7)) == {"net_raw", "setuid"}


def test_without_the_attribute_there_are_none() -> None:
    assert capability_names(b"") == frozenset()
