"""The root file system uses the disk that the flavour gives."""

from collections.abc import Mapping

from imagecycle.verify.session import Session, Subject

SLACK = 256 * 2**20
"""Bytes for boot partitions, alignment and the file system's own tables, besides 5 %."""


def is_used(shown: str, size: int) -> bool:
    """Whether a file system with these blocks of this many bytes fills a disk."""
    blocks, block_size = shown.split()
    return int(blocks) * int(block_size) > size * 0.95 - SLACK


def test_grew_to_the_disk(account: Mapping[str, str], subject: Subject, session: Session) -> None:
    """Servers have the image's few gigabytes, whatever disk their flavour promises."""
    assert is_used(account["root"], session.size + subject.case.growth)
