"""The instance is what its user asked for: cloudbase-init has done its work."""

from collections.abc import Mapping
from typing import Any

from imagecycle.verify.session import Subject
from imagecycle.verify.windows_fixtures import Declared, Said

SOURCES = {"config drive": "ConfigDriveService", "metadata service": "HttpService"}
"""cloudbase-init's words for where it was told"""


def test_instance_has_its_name(said: Said, instance: Subject) -> None:
    """Prompts, logs and monitoring show a random name, and the domain knows another one."""
    wanted = instance.instance_data.name[:15].upper()  # the length of NetBIOS names
    assert said["name"].upper() == wanted


def test_user_data_was_run(said: Said, instance: Subject) -> None:
    """PowerShell scripts passed as user data never run, so automation stops at an empty server."""
    assert said["marker"] == instance.instance_data.marker


def test_key_of_the_user_is_there(said: Said, instance: Subject) -> None:
    """Who chose a key pair cannot use it for SSH."""
    key = instance.instance_data.public_key.split()[1]
    assert [line for line in said["keys"] if key in line], "authorized_keys has no such key"


def test_source_is_the_one_that_is_there(said: Said, instance: Subject) -> None:
    """Each boot waits for a metadata service that is not there, for minutes."""
    assert said["context"]["source"] == SOURCES[instance.case.source]


def test_log_has_no_errors(said: Said) -> None:
    """A plugin has failed: what it should have set up is missing on every server."""
    assert said["context"]["errors"] == []


def test_service_has_ended(said: Said) -> None:
    """Contextualisation never ends, or loops: the server restarts under its users' hands."""
    state = said["services"].get("cloudbase-init", "is not there")
    assert state.split()[1:] == ["Stopped", "0"], f"the service cloudbase-init: {state}"


def test_restarts_are_no_more_than_needed(said: Said) -> None:
    """A server restarts again and again before it can be used."""
    most = 3  # specialise, the host's name, the last
    assert said["restarts"] <= most, f"it has started {said['restarts']} times"


def test_tasks_of_the_flavour_have_ended_well(said: Said, declared: Declared) -> None:
    """What every server of this image should set up once, such as joining a domain, is not done."""
    found: Mapping[str, Any] = said["tasks"]
    assert [f"{name}: {found.get(name)}" for name in declared.tasks if found.get(name) != "0"] == []
