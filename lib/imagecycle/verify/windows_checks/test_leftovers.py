"""Nothing of the build is left."""

from imagecycle.verify.windows_fixtures import Said


def test_nobody_is_logged_on_by_itself(said: Said) -> None:
    """Whoever opens the console is the administrator."""
    assert said["winlogon"]["auto"] in ("", "0"), "AutoAdminLogon is on"


def test_no_password_is_in_the_registry(said: Said) -> None:
    """Every user of the server can read a password of the build."""
    assert not said["winlogon"]["password"], "Winlogon has a DefaultPassword"


def test_no_answer_file_holds_a_secret(said: Said) -> None:
    """Every user of the server can read a password or a product key of the build."""
    assert said["answer_files"] == []


def test_ways_in_of_the_build_are_closed(said: Said) -> None:
    """The builder's task, firewall rule or files are on every server, and let somebody in."""
    assert said["leftovers"] == []


def test_no_restart_waits(said: Said) -> None:
    """The first installer that a user starts refuses to run until the server was restarted."""
    assert said["pending"] == []
