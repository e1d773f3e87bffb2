"""Reading the settings of an SSH server as it does itself."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.debian import Debian
from imagecycle.verify import sshd_settings
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.sshd_settings import Setting

MAIN = """\
# comment
Include /etc/ssh/sshd_config.d/*.conf
Include more
PermitRootLogin yes
Port=22
Match Address 10.0.0.0/8
    PasswordAuthentication yes
Match all
X11Forwarding no
MaxSessions	 10
"""


@pytest.fixture
def disk(tmp_path: Path) -> Pristine:
    for name, text in {
        "sshd_config": MAIN,
        "sshd_config.d/10-a.conf": "permitrootlogin no\n",
        "sshd_config.d/10-a.conf.off": "UsePAM no\n",
        "more": "Include more\nUseDNS no\n",
    }.items():
        path = tmp_path / "etc/ssh" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Pristine(MountedSystem(tmp_path), Debian(), tmp_path)


def test_the_first_value_counts_wherever_it_is(disk: Pristine) -> None:
    held = sshd_settings.effective(sshd_settings.settings(disk))
    assert held["permitrootlogin"] == Setting(
        "permitrootlogin", "no", "/etc/ssh/sshd_config.d/10-a.conf"
    )
    assert held["port"].value == "22"
    assert held["x11forwarding"].value == "no"
    assert held["maxsessions"].value == "10"
    assert held["usedns"].path == "/etc/ssh/more"


def test_what_holds_for_some_does_not_hold_for_all(disk: Pristine) -> None:
    found = sshd_settings.settings(disk)
    assert "passwordauthentication" not in sshd_settings.effective(found)
    (one,) = [setting for setting in found if setting.match]
    assert (one.keyword, one.match) == ("passwordauthentication", "Address 10.0.0.0/8")


def test_files_that_are_not_included_do_not_count(disk: Pristine) -> None:
    assert "usepam" not in sshd_settings.effective(sshd_settings.settings(disk))
