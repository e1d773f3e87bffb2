"""Nobody gets in with a password that the builder knows."""

import re
from collections.abc import Mapping

import pytest

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

UNUSABLE = ("!", "*")
_HASH = re.compile(r"[!*]+(\$\w+\$|_?[\w./]{13})")


def _open_accounts(shadow: str) -> list[str]:
    """The accounts that a password opens, or that need none."""
    accounts = (line.split(":")[:2] for line in shadow.splitlines() if ":" in line)
    return [name for name, password in accounts if not password.startswith(UNUSABLE)]


def test_none_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Everyone who knows the builder's password can log in, on the console at least."""
    shadow = pristine.text("/etc/shadow")
    assert defects(map(Finding, _open_accounts(shadow))) == []


def test_none_is_locked_away_in_the_image(pristine: Pristine, defects: Defects) -> None:
    """Everybody who has the image can guess the builder's password from what is kept of it, and
    `passwd --unlock` brings it back."""
    lines = (line.split(":")[:2] for line in pristine.text("/etc/shadow").splitlines())
    kept = (words[0] for words in lines if len(words) > 1 and _HASH.match(words[1]))
    assert defects(Finding(name, "has a password that is only locked") for name in kept) == []


def test_none_on_a_server(told: Mapping[str, str]) -> None:
    """Everyone who knows the password that first boot sets can log in."""
    assert _open_accounts(told["passwords"]) == []


@pytest.fixture(scope="module")
def sshd(told: Mapping[str, str]) -> dict[str, str]:
    """The SSH server's settings as it understands them, once contextualisation has had its say."""
    lines = told["sshd"].splitlines()
    assert lines, "the SSH server does not understand its own settings"
    return {name.lower(): value for name, _, value in (line.partition(" ") for line in lines)}


def test_ssh_takes_no_passwords(sshd: dict[str, str]) -> None:
    """Servers are open to password guessing from the internet."""
    value = sshd["passwordauthentication"]
    assert value == "no", f"PasswordAuthentication is {value}"


def test_ssh_asks_no_questions(sshd: dict[str, str]) -> None:
    """Servers are open to password guessing through keyboard-interactive authentication."""
    old_name = sshd.get("challengeresponseauthentication")
    value = sshd.get("kbdinteractiveauthentication", old_name)
    assert value == "no", f"KbdInteractiveAuthentication is {value}"


def test_ssh_admits_root_with_keys_only(sshd: dict[str, str]) -> None:
    """Servers are open to guessing of root's password."""
    value = sshd["permitrootlogin"]
    keys_only = ("no", "without-password", "prohibit-password", "forced-commands-only")
    assert value in keys_only, f"PermitRootLogin is {value}"
