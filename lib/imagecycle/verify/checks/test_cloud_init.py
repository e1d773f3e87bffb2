"""Contextualisation does its work and has nothing to complain of."""

import json
from typing import Any

import pytest
from testinfra.host import Host

LOG = "/var/log/cloud-init.log"
STAGES = ("init-local", "init", "modules-config", "modules-final")


@pytest.fixture(scope="module")
def status(finished: None, host: Host) -> dict[str, Any]:
    """What cloud-init says of itself; see "Reported errors" in its documentation."""
    said: dict[str, Any] = json.loads(host.check_output("cat /run/cloud-init/status.json"))["v1"]
    return said


def test_reads_the_config_drive(status: dict[str, Any]) -> None:
    """A cloud without a metadata service gives servers without name, key and user data."""
    assert "ConfigDrive" in str(status["datasource"])


def test_ends_without_errors(status: dict[str, Any]) -> None:
    """Part of what the user asked for is missing on the new server."""
    errors = [error for stage in STAGES for error in status.get(stage, {}).get("errors", [])]
    assert errors == []


def test_ends_without_recoverable_errors(status: dict[str, Any]) -> None:
    """`cloud-init status` reports a degraded server although nothing is wrong with it."""
    found = [
        (level, words)
        for stage in STAGES
        for level, words in status.get(stage, {}).get("recoverable_errors", {}).items()
    ]
    assert found == []


def test_logs_no_warnings(finished: None, root: Host) -> None:
    """Something that the image's configuration asks for does not work, on every server."""
    levels = r"\[(WARNING|ERROR|CRITICAL)\]"
    assert root.run(f"grep -E '{levels}' {LOG}").stdout.splitlines() == []
