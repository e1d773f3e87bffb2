"""The clock is right."""

import time

from testinfra.host import Host


def test_is_in_utc(finished: None, host: Host) -> None:
    """Logs of servers in one cloud do not agree on the hour."""
    assert host.check_output("date +%Z") == "UTC"


def test_is_right(host: Host) -> None:
    """Certificates are refused and logs lie until the clock has been set."""
    assert abs(time.time() - int(host.check_output("date +%s"))) < 30
