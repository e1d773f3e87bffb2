"""The files of packages are as their packages brought them."""

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_files_are_as_they_were_packed(pristine: Pristine, defects: Defects) -> None:
    """Programs or settings were changed behind the package manager's back: an update overwrites
    them or asks questions, and nobody knows what they do."""
    assert defects(Finding(path, how) for path, how in pristine.altered.items()) == []
