"""What the image starts, works."""

from testinfra.host import Host


def test_none_has_failed(finished: None, root: Host) -> None:
    """Part of the system does not work from the first minute, and monitoring says so."""
    shown = root.run("systemctl list-units --failed --plain --no-legend")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == []
