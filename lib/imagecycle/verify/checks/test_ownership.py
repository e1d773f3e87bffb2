"""Every file is one of the system's: of a package, or there for a reason that is known."""

from collections.abc import Iterator

from imagecycle.systems.files import FOLDER, LINK, Entry
from imagecycle.systems.unowned import Unowned
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

PLACES = ("/etc", "/root", "/home", "/var", "/usr/local", "/opt", "/boot")


def test_every_file_is_explained(pristine: Pristine, defects: Defects) -> None:
    """Servers carry what the build forgot: settings, scripts or data that nobody maintains."""
    assert defects(_unexplained(pristine)) == []


def _unexplained(pristine: Pristine) -> Iterator[Finding]:
    rules = pristine.system.unowned
    for entry in pristine.entries.values():
        if entry.kind == FOLDER or entry.path in pristine.owned:
            continue
        if not entry.path.startswith(tuple(f"{place}/" for place in PLACES)):
            continue
        reasons = [_missing(rule, entry, pristine) for rule in rules if rule.matches(entry.path)]
        if "" not in reasons:
            yield Finding(entry.path, next(iter(reasons), "belongs to no package"))


def _missing(rule: Unowned, entry: Entry, pristine: Pristine) -> str:
    """What a file lacks to be the one that a rule is about; empty where it is."""
    if rule.leads_to_owned:
        if entry.kind != LINK:
            return "belongs to no package"
        target = pristine.resolved(entry.path)
        return "" if target in pristine.owned else f"leads to {target}, which no package brings"
    if rule.copy_of:
        same = pristine.read(entry.path) == pristine.read(rule.copy_of)
        return "" if same else f"is not as {rule.copy_of}, from which it was made"
    return ""
