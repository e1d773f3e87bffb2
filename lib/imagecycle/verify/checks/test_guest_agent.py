"""The guest agent that an image promises to the cloud."""

from collections.abc import Mapping

import pytest

from imagecycle.machine import guest_agent
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT


def test_answers(told: Mapping[str, str], instance: Subject, session: Session) -> None:
    """Snapshots of a running server are not consistent, and the cloud cannot set a password."""
    if not guest_agent.is_declared(instance.case.properties):
        pytest.skip(f"{LEFT_OUT}: the image promises none")
    if session.cloud:
        pytest.skip(f"{LEFT_OUT}: {session.cloud} does not let anybody ask it")
    assert told["agent"] == guest_agent.ANSWERS, told["agent"]
