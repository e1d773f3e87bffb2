"""What the user and the cloud's operator pass at creation is executed."""

from collections.abc import Mapping

from imagecycle.verify.session import Subject


def test_script_was_run(told: Mapping[str, str], instance: Subject) -> None:
    """Scripts passed as user data never run, so automation stops at an empty server."""
    assert told["marker"] == instance.instance_data.marker


def test_script_of_the_operator_was_run(told: Mapping[str, str], instance: Subject) -> None:
    """What the cloud's operator sets up on every server by vendor data is missing."""
    assert told["vendor_marker"] == instance.instance_data.marker
