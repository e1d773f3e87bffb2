"""Every server has an identity of its own."""

import re
from collections.abc import Mapping

from imagecycle.systems.files import LINK
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

MADE = ("/usr/lib/systemd/systemd",)
FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def test_is_not_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """All servers share one id: DHCP gives them one address, journals cannot be told apart."""
    known = re.compile(r"[0-9a-f]{32}")
    found = (Finding(path) for path in FILES if known.search(pristine.text(path)))
    assert defects(found) == []


def test_is_made_at_the_first_boot(pristine: Pristine, defects: Defects) -> None:
    """The first boot is none for the system: presets, ids and what hangs on them are not made."""
    entry = pristine.entries.get(FILES[0])
    wrong = "is missing" if entry is None else "is a link" if entry.kind == LINK else ""
    assert defects([Finding(FILES[0], wrong)] if wrong and pristine.found(*MADE) else ()) == []


def test_differs_between_machines(accounts: tuple[Mapping[str, str], Mapping[str, str]]) -> None:
    """All servers share one id: DHCP gives them one address, journals cannot be told apart."""
    ours, theirs = (account["machine_id"] for account in accounts)
    assert re.fullmatch(r"[0-9a-f]{32}", ours), f"not a machine-id: {ours}"
    assert ours != theirs, f"two machines are both {ours}"
