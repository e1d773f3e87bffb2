"""The user can log in, and nobody else."""

from imagecycle.verify.windows_fixtures import Declared, Said

ADMINISTRATOR = "-500"
"""How the number of the built-in administrator ends"""
BUILT_IN = (ADMINISTRATOR, "-501", "-503", "-504")
"""And of guest, default account, and WDAGUtilityAccount"""


def test_password_need_not_be_changed(said: Said, declared: Declared) -> None:
    """Remote desktop refuses the first logon: the password must be changed first."""
    assert [one["name"] for one in _users(said, declared) if one["expired"]] == []


def test_user_is_enabled(said: Said, declared: Declared) -> None:
    """The password that the dashboard shows is refused."""
    users = _users(said, declared)
    assert users, f"there is no account {declared.user}"
    assert [one["name"] for one in users if one["disabled"]] == []


def test_user_is_an_administrator(said: Said, declared: Declared) -> None:
    """The user cannot install anything on a server of his own."""
    names = [name.lower() for name in said["administrators"]]
    assert declared.user.lower() in names


def test_nobody_else_is_there(said: Said, declared: Declared) -> None:
    """An account of the builder can log in to every server."""
    others = (
        one["name"]
        for one in said["accounts"]
        if not one["sid"].endswith(BUILT_IN) and one["name"].lower() != declared.user.lower()
    )
    assert list(others) == []


def test_nobody_else_is_an_administrator(said: Said, declared: Declared) -> None:
    """Whoever owns that account rules every server."""
    own = {declared.user.lower()}
    own |= {one["name"].lower() for one in said["accounts"] if one["sid"].endswith(ADMINISTRATOR)}
    assert [name for name in said["administrators"] if name.lower() not in own] == []


def test_all_need_a_password(said: Said) -> None:
    """Whoever reaches the logon screen is in."""
    without = (
        one["name"]
        for one in said["accounts"]
        if not one["disabled"] and not one["password_required"]
    )
    assert list(without) == []


def _users(said: Said, declared: Declared) -> list[dict[str, object]]:
    return [one for one in said["accounts"] if one["name"].lower() == declared.user.lower()]
