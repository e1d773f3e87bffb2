"""Every server has SSH host keys of its own, made at its first boot."""

from collections.abc import Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_are_not_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Whoever has the image can pretend to be any server made from it."""
    assert defects(map(Finding, pristine.found("/etc/ssh/ssh_host_*"))) == []


def test_differ_between_machines(accounts: tuple[Mapping[str, str], Mapping[str, str]]) -> None:
    """One server can pretend to be another to the administrator who logs in."""
    ours, theirs = (set(account["host_keys"].split()) for account in accounts)
    assert ours, "there are no host keys"
    assert theirs, "the twin has no host keys"
    assert sorted(ours & theirs) == []
