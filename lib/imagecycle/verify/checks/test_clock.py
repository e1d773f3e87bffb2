"""The clock is right, and stays so."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.account import HEARD, TIME_SERVICES
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

UTC = re.compile(r"(Etc/)?(UTC|UCT|Universal|Zulu)")
TIME_SETTINGS = (
    "/etc/systemd/{timesyncd.conf,timesyncd.conf.d/*}",
    "/etc/{chrony.conf,chrony/**,chrony.d/**,ntp.conf,ntpsec/ntp.conf,openntpd/ntpd.conf}",
)
ASKED = re.compile(r"(NTP|FallbackNTP)\s*=\s*\S|(server|servers|pool|peer)\s+\S")
PUBLIC = re.compile(r"\bpool\.ntp\.org\b|\b169\.254\.169\.\d+\b|PHC|ptp")
"""Servers that are there for everybody, and those of the cloud itself"""


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


def test_zone_is_utc_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Logs of servers in one cloud do not agree on the hour."""
    assert defects(_elsewhere(pristine)) == []


def _elsewhere(pristine: Pristine) -> Iterator[Finding]:
    zone = pristine.read("/etc/localtime")
    if zone.startswith(b"TZif") and not zone.endswith(b"\nUTC0\n"):
        rule = zone.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
        yield Finding("/etc/localtime", f"is {rule[:40]}, not UTC")
    for path, line in pristine.lines("/etc/timezone"):
        if not UTC.fullmatch(line):
            yield Finding(path, f"says {line}")


def test_is_set_by_what_servers_can_reach(pristine: Pristine, defects: Defects) -> None:
    """The clock drifts away: servers ask a time server of the builder, which they cannot reach."""
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines(*TIME_SETTINGS)
            if path in pristine.foreign and ASKED.match(line) and not PUBLIC.search(line)
        )
        == []
    )
