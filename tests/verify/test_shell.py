import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from testinfra.host import Host

from imagecycle.errors import ImagecycleError
from imagecycle.verify import shell


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that stays on this machine, and a sudo that changes nothing."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, script in {
        "ssh": '#!/bin/sh\necho started >> ssh.starts\nshift 3\nexec sh -c "$1"\n',
        "sudo": '#!/bin/sh\nshift\nACCOUNT=root exec "$@"\n',
    }.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def host(programs: Path, tmp_path: Path) -> Iterator[Host]:
    with shell.opened(tmp_path, "instance") as opened:
        yield opened


def test_output_errors_and_status_come_back_apart(host: Host) -> None:
    done = host.run("echo out; echo err >&2; exit 7")
    assert (done.rc, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_output_without_a_last_newline_is_kept_as_it_is(host: Host) -> None:
    assert host.run("printf 'a\\nb'").stdout == "a\nb"
    assert host.run("true").stdout == ""


def test_long_output_arrives_whole(host: Host) -> None:
    assert host.run("seq 100000").stdout.splitlines()[-1] == "100000"


def test_command_cannot_disturb_the_next(host: Host) -> None:
    host.run("cd /; x=1; exec 1>&-; exit 3")
    host.run("cat")
    assert host.check_output('echo "$x"') == ""


def test_quotes_and_lines_reach_the_guest(host: Host) -> None:
    assert host.run('for a in \'x y\' "z\'"; do\n echo "<$a>"\ndone').stdout == "<x y>\n<z'>\n"


def test_one_connection_serves_all_commands(host: Host, tmp_path: Path) -> None:
    for _ in range(5):
        host.run("true")
    assert (tmp_path / "ssh.starts").read_text() == "started\n"


def test_root_is_root(programs: Path, tmp_path: Path) -> None:
    with shell.opened(tmp_path, "instance", root=True) as root:
        assert root.check_output('echo "$ACCOUNT"') == "root"


def test_refused_sudo_says_why(programs: Path, tmp_path: Path) -> None:
    (programs / "sudo").write_text("#!/bin/sh\necho sudo: a password is required >&2; exit 1\n")
    with (
        pytest.raises(ImagecycleError) as caught,
        shell.opened(tmp_path, "instance", root=True),
    ):
        pass
    assert "a password is required" in caught.value.message


class GivenUp(Exception):
    pass


def test_command_after_one_that_was_given_up_is_answered(host: Host) -> None:
    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise GivenUp

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(GivenUp):
        host.run("echo late; sleep 30")
    assert host.check_output("echo on time") == "on time"


def test_end_of_the_connection_is_an_error_not_an_answer(host: Host) -> None:
    with pytest.raises(ImagecycleError):
        host.run("kill -9 $PPID")


def test_guest_that_never_stops_talking_is_not_listened_to(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "LARGEST", 2**20)
    with pytest.raises(ImagecycleError) as caught:
        host.run("yes")
    assert "in one answer" in caught.value.message
    assert host.check_output("echo again") == "again"


def test_garbage_instead_of_an_answer_is_named(programs: Path, tmp_path: Path) -> None:
    (programs / "ssh").write_text("#!/bin/sh\nexec sed -un 's/^echo //p'\n")
    with (
        shell.opened(tmp_path, "instance") as host,
        pytest.raises(ImagecycleError) as caught,
    ):
        host.run("true")
    assert "something else" in caught.value.message
