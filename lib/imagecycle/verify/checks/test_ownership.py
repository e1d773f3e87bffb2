"""Every file is one of the system's: of a package, or there for a reason that is known."""

from collections.abc import Iterator

from imagecycle.systems.files import FOLDER
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

NO_FILES = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/", "/var/tmp/")
"""What is mounted over, or emptied: other checks look at temporary files"""


def test_every_file_is_explained(pristine: Pristine, defects: Defects) -> None:
    """Servers carry what the build forgot: settings, scripts or data that nobody maintains."""
    assert defects(_unexplained(pristine)) == []


def _unexplained(pristine: Pristine) -> Iterator[Finding]:
    for entry in pristine.entries.values():
        path = entry.path
        if entry.kind != FOLDER and path not in pristine.owned and not path.startswith(NO_FILES):
            rules = (rule for rule in pristine.system.unowned if rule.matches(path))
            reasons = [pristine.lacks(entry, rule) for rule in rules]
            if "" not in reasons:
                yield Finding(path, next(iter(reasons), "belongs to no package"))
