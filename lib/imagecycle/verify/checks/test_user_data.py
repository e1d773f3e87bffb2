"""What the user and the cloud's operator pass at creation is executed."""

from collections.abc import Mapping

import pytest

from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT


def test_script_was_run(told: Mapping[str, str], instance: Subject) -> None:
    """Scripts passed as user data never run, so automation stops at an empty server."""
    assert told["marker"] == instance.instance_data.marker


def test_script_of_the_operator_was_run(
    told: Mapping[str, str], instance: Subject, session: Session
) -> None:
    """What the cloud's operator sets up on every server by vendor data is missing."""
    if session.cloud:
        pytest.skip(f"{LEFT_OUT}: {session.cloud} has vendor data of its own")
    assert told["vendor_marker"] == instance.instance_data.marker
