"""Windows speaks and counts as the catalog says."""

from imagecycle.verify.windows_fixtures import Declared, Said


def test_locale_is_the_declared_one(said: Said, declared: Declared) -> None:
    """Numbers and dates are written in the builder's way, and programs misread them."""
    assert said["region"]["locale"] == declared.locale


def test_time_zone_is_the_declared_one(said: Said, declared: Declared) -> None:
    """Logs of several servers cannot be compared, and tasks run at the wrong hour."""
    assert said["clock"]["zone"] == declared.time_zone
