import pytest

from families import family
from imagecycle.errors import UsageError
from imagecycle.metadata.naming import name
from imagecycle.model import Release
from imagecycle.site import Site

RELEASE = Release.parse("20261122")


def test_the_default_template_reads_well() -> None:
    template = Site().name_template
    assert name(template, family(), RELEASE) == "Debian 12 Server - x86_64 [2026-11-22]"


def test_a_second_release_of_a_day_has_a_name_of_its_own() -> None:
    assert name("{date}", family(), Release.parse("20261122.1")) == "2026-11-22.1"


def test_every_field_can_be_used() -> None:
    assert (
        name("{family} {flavour} {release} {arch} {title}", family(), RELEASE)
        == "debian-12-x86_64-server server 20261122 x86_64 Debian 12 Server"
    )


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{titel}", "titel"),
        ("{title", "expected '}'"),
        ("{title} {}", "{}"),
        ("{title!r}", "stands alone"),
        ("{title:>20}", "stands alone"),
        ("{title.__class__}", "unknown field"),
        ("  ", "0 characters"),
        ("x" * 256, "256 characters"),
    ],
)
def test_a_wrong_template_is_refused_with_its_fault(template: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        name(template, family(), RELEASE)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_misspelt_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        name("{titel}", family(), RELEASE)
    assert caught.value.hint == "did you mean title?"
