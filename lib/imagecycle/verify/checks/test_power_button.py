"""A server can be stopped and started again."""

import pytest

from imagecycle.machine import hardware
from imagecycle.verify import ext4
from imagecycle.verify.power_off import PowerOff
from imagecycle.verify.session import INSTANCE, TWIN, Session


@pytest.mark.parametrize("role", [INSTANCE, TWIN])
def test_shuts_down_cleanly(powered_off: dict[str, PowerOff], session: Session, role: str) -> None:
    """Stop, resize and shelve take a minute each, and then cut the power: data is lost."""
    if role not in powered_off:
        pytest.skip(f"not run: the {role} did not come up")
    off = powered_off[role]
    assert off.clean, f"under {session.subject(role).firmware.upper()}: " + (
        f"still running after {session.power_off_limit:.0f} s" if off.reason is None else off.reason
    )


def test_leaves_file_systems_clean(powered_off: dict[str, PowerOff], session: Session) -> None:
    """Every start after a stop begins with a file system repair, and some day fails with it."""
    if INSTANCE not in powered_off:
        pytest.skip(f"not run: the {INSTANCE} did not come up")
    disk = session.subject(INSTANCE).folder / hardware.DISK
    assert ext4.unclean(disk) == []
