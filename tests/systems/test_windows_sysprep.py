"""Why sysprep failed, by the lines of its logs."""

import pytest

from imagecycle.systems import windows_sysprep

LINES = [
    (
        "2026-11-27 10:00:00, Error SYSPRP Package Microsoft.BingWeather_1.0 was installed for a "
        "user, but not provisioned for all users. This package will not function properly in the "
        "sysprep image.",
        "the app Microsoft.BingWeather_1.0 is installed for a user",
    ),
    ("Error SYSPRP BitLocker-Sysprep: BitLocker is on for the OS volume", "BitLocker encrypts"),
    ("Error [0x0f0085] SYSPRP hr = 0x80310039", "BitLocker encrypts"),
    ("Error SYSPRP Sysprep_Clean_Validate_Opk: hr = 0x800F0975", "using reserved storage"),
    (
        "Error SYSPRP There are one or more Windows updates that require a reboot.",
        "a restart is pending",
    ),
    ("Error SYSPRP RunPlatformActions: dwRet = 0xC004D307", "rearmed as often as it may"),
    ("Error SYSPRP Sysprep cannot run on a computer that has been upgraded", "was upgraded"),
    ("Error SYSPRP Machine is in an invalid state", "interrupted before"),
]


@pytest.mark.parametrize(("line", "says"), LINES, ids=[says for _, says in LINES])
def test_a_known_failure_is_told_with_the_way_out(line: str, says: str) -> None:
    told = windows_sysprep.explained(["Info SYSPRP begin", line, "Error SYSPRP failed"])
    assert says in told and "; " in told


def test_an_unknown_failure_is_told_in_sysprep_s_own_words() -> None:
    assert windows_sysprep.explained(["one", "Error SYSPRP new kind "]) == "Error SYSPRP new kind"
    assert windows_sysprep.explained([]) == "its logs say nothing"
