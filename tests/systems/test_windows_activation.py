"""What Windows says of its activation, in words."""

import json

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.systems import windows_activation


def activation(status: int, reason: int = 0, minutes: int = 0) -> windows_activation.Activation:
    said = {
        "status": status,
        "reason": reason,
        "grace_minutes": minutes,
        "description": "VOLUME_KMSCLIENT channel",
        "kms_host": "",
    }
    return windows_activation.read(json.dumps(said))


def test_an_activated_windows_says_by_what() -> None:
    found = activation(1, minutes=259200)
    assert found.activated and found.grace_days == 0
    assert str(found) == "activated (VOLUME_KMSCLIENT channel)"


def test_days_of_grace_are_told_with_the_reason_and_the_way_out() -> None:
    found = activation(2, 0xC004F074, 9 * 1440 + 5)
    assert not found.activated and found.grace_days == 9
    assert "in its first grace period, 9 days left: 0xC004F074, no KMS host answered" in str(found)
    assert "TCP port 1688" in str(found)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (0xC004F038, "5 servers or 25 clients"),
        (0xC004F042, "no key for this release"),
        (0x8007232B, "_vlmcs._tcp is missing"),
        (0xC004F06C, "more than four hours"),
        (0xC004F015, "converted with DISM"),
        (0xC0DEC0DE, "0xC0DEC0DE; look for this code"),
    ],
)
def test_a_code_is_explained(code: int, says: str) -> None:
    assert says in str(activation(5, code))


def test_a_code_that_windows_writes_as_a_negative_number_is_the_same() -> None:
    assert str(activation(5, 0xC004F074 - 2**32)) == str(activation(5, 0xC004F074))


def test_every_reason_has_a_way_out() -> None:
    for code, reason in windows_activation.REASONS.items():
        assert code > 0x7FFFFFFF, hex(code)
        assert reason.meaning and reason.way_out
        assert not reason.way_out.endswith(".")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"status": "x"}', "not JSON"])
def test_an_answer_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(ImagecycleError, match="does not report whether it is activated"):
        windows_activation.read(text)
