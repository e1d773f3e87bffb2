"""Contextualisation does its work and has nothing to complain of."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from imagecycle.machine.hardware import CONFIG_DRIVE_SOURCE
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT

STAGES = ("init-local", "init", "modules-config", "modules-final")


@pytest.fixture(scope="module")
def status(told: Mapping[str, str]) -> dict[str, Any]:
    """What cloud-init says of itself; see "Reported errors" in its documentation."""
    said: dict[str, Any] = json.loads(told["status"] or "{}")
    return dict(said.get("v1", {}))


def test_comes_to_its_end(told: Mapping[str, str]) -> None:
    """Scripts that wait for the end of contextualisation wait for ever."""
    assert told["finished"] == "yes", "it has not finished minutes after the login"


def test_reads_the_config_drive(status: dict[str, Any], instance: Subject) -> None:
    """A cloud without a metadata service gives servers without name, key and user data."""
    if instance.case.source != CONFIG_DRIVE_SOURCE:
        pytest.skip(f"{LEFT_OUT}: the instance has none")
    assert "ConfigDrive" in str(status.get("datasource"))


def test_finds_its_source_without_waiting(told: Mapping[str, str]) -> None:
    """Every boot takes minutes longer, while it asks for sources that are not there."""
    assert told["attempts"].splitlines() == []


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


def test_logs_no_warnings(told: Mapping[str, str]) -> None:
    """Something that the image's configuration asks for does not work, on every server."""
    assert told["warnings"].splitlines() == []


def test_admits_the_users_key_alone(
    told: Mapping[str, str], instance: Subject, session: Session
) -> None:
    """Somebody else's key opens every server as well, or the user's own is not where he looks."""
    keys = [" ".join(line.split()[:2]) for line in told["keys"].splitlines() if line.strip()]
    assert keys == [" ".join(instance.instance_data.public_key.split()[:2])]
