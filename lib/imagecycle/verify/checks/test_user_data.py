"""What the user passes at creation is executed."""

from testinfra.host import Host

from imagecycle.machine.config_drive import MARKER_FILE
from imagecycle.verify.session import Subject


def test_script_was_run(finished: None, host: Host, instance: Subject) -> None:
    """Scripts passed as user data never run, so automation stops at an empty server."""
    written = host.run(f"cat {MARKER_FILE}")
    assert written.stdout.strip() == instance.instance_data.marker, written.stderr
