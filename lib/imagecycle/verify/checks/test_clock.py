"""The clock is right, and stays so."""

from collections.abc import Mapping

from imagecycle.verify.account import HEARD, TIME_SERVICES
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_is_in_utc(told: Mapping[str, str]) -> None:
    """Logs of servers in one cloud do not agree on the hour."""
    assert told["zone"] == "UTC"


def test_is_right(told: Mapping[str, str]) -> None:
    """Certificates are refused and logs lie until the clock has been set."""
    assert abs(float(told[HEARD]) - int(told["clock"])) < 30


def test_is_kept_right(told: Mapping[str, str]) -> None:
    """The clock drifts away, the more the longer a server runs: certificates and logs suffer."""
    services = ", ".join(TIME_SERVICES)
    assert "active" in told["time_service"].split(), f"none of {services} runs"


def test_takes_the_hardware_clock_for_utc(pristine: Pristine, defects: Defects) -> None:
    """The first minutes of every boot are hours off: certificates are not valid, logs are wrong."""
    said = pristine.text("/etc/adjtime").split()
    assert defects([Finding("/etc/adjtime", "says LOCAL")] * ("LOCAL" in said)) == []
