from pathlib import Path

import pytest

from imagecycle.errors import UsageError
from imagecycle.offering import stage
from imagecycle.site import Site

_GOOD = [
    "https://images.example",
    "http://10.0.0.1:8080/cloud/",
    "https://[2001:db8::1]/images",
    "https://images.example/~ops/a%20b",
]
_BAD = [
    *("javascript:alert(1)", "ftp://images.example", "https://", "//images.example"),
    *("https://images.example/?a=b", "https://images.example/#main", "https://[::1"),
    *("https://ops:secret@images.example", "https://a b/", 'https://a/"><b>', "https://a/\n"),
]


@pytest.mark.parametrize("address", _GOOD)
def test_a_site_can_stand_at_an_address(address: str) -> None:
    stage._see_address(address)


@pytest.mark.parametrize("address", _BAD)
def test_what_is_no_address_of_a_site_is_refused_first(address: str, tmp_path: Path) -> None:
    site = Site(home=tmp_path)
    with pytest.raises(UsageError, match="no address"):
        stage.write(site, cloud="none", out=site.home / "out", address=address)
