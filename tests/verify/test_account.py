import subprocess
import time
from pathlib import Path

import pytest

from imagecycle import systems
from imagecycle.verify import account
from imagecycle.verify.account import BRIEF, OUTER, THOROUGH, asking


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sudo that is none."""
    script = tmp_path / "bin" / "sudo"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nshift\necho "no name" >&2\nexec "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/sbin:/usr/bin:/sbin:/bin")
    return script


def tell(brief: bool) -> dict[str, str]:
    script = account.script(systems.linux("debian"), brief=brief)
    script = script.replace(THOROUGH["finished"], "echo yes").replace(THOROUGH["trim"], "true")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=120)
    return account.parse(done.stdout)


def test_thorough_script_tells_every_section_wherever_it_runs(sudo: Path) -> None:
    said = tell(brief=False)
    known = {*OUTER, *BRIEF, *THOROUGH, *account.OF_THE_SYSTEM, account.SUDO}
    assert set(said) == known | {account.TOOK}
    assert said["finished"] == "yes"
    assert said["kernel"]
    assert said["sudo"] == "no name"
    assert account.memory_in_use(said)
    assert account.disk_in_use(said)
    seconds = account.seconds_asked(said)
    assert seconds is not None
    assert 0 < seconds < 120


def test_brief_script_waits_for_nothing(sudo: Path) -> None:
    assert set(tell(brief=True)) == {*OUTER, *BRIEF, account.SUDO, account.TOOK}


def test_user_without_sudo_tells_who_he_is_and_why(sudo: Path) -> None:
    sudo.write_text("#!/bin/sh\necho 'a password is required' >&2\nexit 1\n")
    said = tell(brief=False)
    assert set(said) == {*OUTER, account.SUDO, account.TOOK}
    assert said["sudo"] == "a password is required"


def test_words_before_and_beside_the_sections_are_left_out() -> None:
    said = account.parse("motd\n\x1ename\nserver\n\x1eunknown\nx\n\x1ekernel\n6.1\n")
    assert said == {"name": "server", "kernel": "6.1"}


def test_waiting_for_the_guest_is_no_time_of_the_questions() -> None:
    said = account.parse(
        "\x1efinished 1.00\nyes\n\x1estate 9.00\nrunning\n\x1ename 12.50\nx\n\x1eend 12.75\n"
    )
    assert said == {
        "finished": "yes",
        "state": "running",
        "name": "x",
        account.TOOK: "finished 8.00\nstate 3.50\nname 0.25\nall 11.75",
    }
    assert account.seconds_asked(said) == 0.25
    assert account.seconds_asked({}) is None


def test_questions_that_are_answered_beside_others_take_no_time_of_their_own() -> None:
    said = account.parse(
        "\x1estate 1.00\nx\n\x1ename 2.00\nx\n\x1eend 5.00\n"
        "\x1etrial 2.00\n\n\x1eend 9.00\n\x1ekernel 9.25\n6.1\n\x1eend 9.50\n"
    )
    assert said[account.TOOK].splitlines()[-2:] == ["kernel 0.25", "all 8.50"]
    assert account.seconds_asked(said) == 7.5


@pytest.mark.parametrize(("uptime", "steps"), [(12, 100), (80, 200), (99999, 600)])
def test_slow_machine_gets_longer_to_come_to_rest(tmp_path: Path, uptime: int, steps: int) -> None:
    clock = tmp_path / "uptime"
    clock.write_text(f"{uptime}.25 1.00\n")
    words = THOROUGH["state"].replace("/proc/uptime", str(clock))
    script = f"systemctl() {{ echo starting; }}; sleep() {{ :; }}\n{words}\necho $i"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["starting", str(steps)]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "bin" / "ssh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nprintf '\\036name\\nserver\\n'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return script


def answer(folder: Path, limit: float) -> dict[str, str]:
    with asking(folder, "instance", "words", limit) as question:
        deadline = time.monotonic() + 20
        while (said := question.answered()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return {name: words for name, words in said.items() if name != account.HEARD}


def test_guest_is_asked_over_its_connection(tmp_path: Path, ssh: Path) -> None:
    assert answer(tmp_path, 20) == {"name": "server"}


def test_guest_that_never_ends_says_nothing(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\nprintf '\\036name\\nserver\\n'; exec sleep 60\n")
    assert answer(tmp_path, 0.3) == {}


def test_guest_that_floods_says_nothing(tmp_path: Path, ssh: Path) -> None:
    ssh.write_text("#!/bin/sh\nexec yes\n")
    assert answer(tmp_path, 60) == {}
    assert (tmp_path / "account-instance.txt").stat().st_size < 2**30
