"""The root file system uses the disk that the flavour gives."""

from testinfra.host import Host

from imagecycle.verify.session import Session

SLACK = 256 * 2**20
"""Bytes for boot partitions, alignment and the file system's own tables, besides 5 %."""


def test_grew_to_the_disk(finished: None, host: Host, session: Session) -> None:
    """Servers have the image's few gigabytes, whatever disk their flavour promises."""
    blocks, size = host.check_output("stat -fc '%b %S' /").split()
    assert int(blocks) * int(size) > session.size * 0.95 - SLACK
