"""Every server has SSH host keys of its own, made at its first boot."""

from testinfra.host import Host

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FINGERPRINTS = "cat /etc/ssh/ssh_host_*_key.pub | cut -d ' ' -f 2 | sort"


def test_are_not_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Whoever has the image can pretend to be any server made from it."""
    assert defects(map(Finding, pristine.found("/etc/ssh/ssh_host_*"))) == []


def test_differ_between_machines(root: Host, twin_root: Host) -> None:
    """One server can pretend to be another to the administrator who logs in."""
    ours = set(root.check_output(FINGERPRINTS).split())
    theirs = set(twin_root.check_output(FINGERPRINTS).split())
    assert ours, "there are no host keys"
    assert theirs, "the twin has no host keys"
    assert sorted(ours & theirs) == []
