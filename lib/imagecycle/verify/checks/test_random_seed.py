"""No randomness is shared between servers."""

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

PLACES = (
    "/var/lib/systemd/random-seed",
    "/var/lib/urandom/random-seed",
    "/var/lib/random-seed",
    "/boot/efi/loader/random-seed",
    "/boot/loader/random-seed",
)


def test_is_not_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Servers begin with the same random state, which weakens the keys that they make."""
    assert defects(map(Finding, pristine.found(*PLACES))) == []
