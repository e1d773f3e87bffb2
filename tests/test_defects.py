"""What the program did not expect: one message, the trace in a file, no secret in either."""

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click
import pytest

import terminal
from imagecycle import cli, command, log, site
from imagecycle.cli import defects

LIB = Path(cli.__file__).resolve().parents[1]
CLOUDS = "clouds: {c: {auth: {auth_url: http://127.0.0.1:9, username: u, password: pass-in-file}}}"


class Unexpected(Exception):
    """What no part of the program knows."""


def leaves(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from leaves(one, *path, name)
        else:
            yield (*path, name), one


COMMANDS = dict(leaves(cli.imagecycle))
VALUES = {
    "family": "debian-12-x86_64-server",
    "families": "debian-12-x86_64-server",
    "cloud": "c",
    "user_cloud": "c",
    "stranger_cloud": "c",
    "image": "0a5d5bf5-0cf4-4a2c-a1a1-7aa65a8d3ee0",
    "release": "20261122",
    "reason": "weak keys",
    "kind": "linux",
    "user": "alice",
    "shell": "bash",
    "file": "plan.json",
    "out": "out",
}
MORE = {
    ("retire",): ["--all"],
    ("usage",): ["--all"],
    ("notify",): ["--retired"],
    ("adopt",): ["--cloud", "c", "--pattern", "(?P<x>x)=>debian-12-x86_64-server"],
}
"""What a command wants although its declaration does not say so"""


def words(path: tuple[str, ...]) -> list[str]:
    """The command with all that it requires."""
    found = list(path)
    for parameter in COMMANDS[path].params:
        value = VALUES.get(parameter.name or "")
        if isinstance(parameter, click.Argument):
            if parameter.required:
                assert value, f"{path}: {parameter.name}"
                found.append(value)
        elif parameter.required:
            assert value, f"{path}: {parameter.name}"
            found += [parameter.opts[0], value]
    return [*found, *MORE.get(path, [])]


@pytest.fixture(scope="module", autouse=True)
def nothing_of_others_to_clear_away() -> Iterator[None]:
    """What other tests have left is cleared away once, and not looked at by every test here."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home, and surroundings that hold secrets."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JENKINS_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("JENKINS_USER", "u")
    monkeypatch.setenv("JENKINS_TOKEN", "token-in-environment")
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    # no test of this file may start a program, or reach a service
    monkeypatch.setattr(command, "_started", unexpected)
    monkeypatch.setattr("socket.socket.connect", unexpected)
    return tmp_path / "home"


def unexpected(*_args: object, **_more: object) -> Any:
    raise Unexpected("not expected; token-in-environment, pass-in-file")


class FailAt:
    """Lets a function of imagecycle fail as it is called: the one with this number, from the moment
    that a command begins."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.failed = ""

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(str(LIB)) or "/cli/" in file:
            return
        if "log.py" in file or "errors.py" in file or frame.f_code.co_name == "<module>":
            return
        self.left -= 1
        if self.left <= 0 and not self.failed:
            self.failed = f"{file}:{frame.f_code.co_name}"
            unexpected()


def run_failing_at(number: int, arguments: list[str]) -> tuple[int, str]:
    fail = FailAt(number)
    before = sys.gettrace()
    gc.collect()  # what this test has left is not to be cleared away, and counted, in here
    gc.disable()
    sys.settrace(fail)
    try:
        code = cli.main(arguments)
    finally:
        sys.settrace(before)
        gc.enable()
    return code, fail.failed


def the_file(home: Path) -> Path:
    (file,) = (home / defects.FOLDER).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    return file


def assert_told_once(out: str, err: str, home: Path) -> str:
    """One message and one file, without a trace or a secret; returns what the file says."""
    file = the_file(home)
    assert "Traceback" not in out + err
    assert err.count("error: ") == 1
    assert err.count("met what it did not expect: Unexpected: not expected") == 1
    assert f"this is a defect of imagecycle; the trace is in {file}\n" in err
    assert f"hint: {defects.HINT}\n" in err
    trace = file.read_text()
    assert "Traceback (most recent call last):" in trace
    for text in (trace, out, err):
        assert "token-in-environment" not in text
        assert "pass-in-file" not in text
    return trace


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("number", [1, 2, 5])
def test_every_command_that_fails_inside_says_so_once(
    path: tuple[str, ...], number: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, failed = run_failing_at(number, words(path))
    captured = capsys.readouterr()
    assert failed, captured.err
    assert code == 1, captured.err
    trace = assert_told_once(captured.out, captured.err, home)
    assert Path(failed.rpartition(":")[0]).name in trace
    assert f"`imagecycle {' '.join(path)}" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_that_fails_in_its_middle_cleans_up(
    path: tuple[str, ...],
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = words(path)
    if any(option.name == "as_json" for option in COMMANDS[path].params):
        arguments.append("--json")
    for number in (2000, 400, 100, 25, 6, 2):
        monkeypatch.setenv("IMAGECYCLE_HOME", str(home / str(number)))
        code, failed = run_failing_at(number, arguments)
        captured = capsys.readouterr()
        if failed:
            break
    else:
        pytest.fail("it does not call as many functions")
    assert code == 1, captured.err
    assert_told_once(captured.out, captured.err, home / str(number))
    assert captured.out == ""
    work = home / str(number) / "work"
    assert not work.exists() or not list(work.iterdir())


Raising = Callable[[Callable[[], Any]], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Raising:
    """A command `fail` that does what the test wants."""

    def install(work: Callable[[], Any]) -> None:
        monkeypatch.setitem(cli.imagecycle.commands, "fail", click.Command("fail", callback=work))

    return install


def throw(error: BaseException) -> None:
    raise error


def endless() -> None:
    endless()


class Broken(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: throw(ZeroDivisionError()), "ZeroDivisionError"),
        (lambda: throw(FileNotFoundError(2, "gone", "/x")), "FileNotFoundError: [Errno 2] gone"),
        (lambda: throw(BrokenPipeError(32, "Broken pipe")), "BrokenPipeError: [Errno 32]"),
        (lambda: throw(EOFError("the monitor went away")), "EOFError: the monitor went away"),
        (lambda: throw(MemoryError()), "MemoryError"),
        (endless, "RecursionError: maximum recursion depth exceeded"),
        (lambda: throw(GeneratorExit()), "GeneratorExit"),
        (lambda: throw(Broken()), "Broken"),
        (lambda: throw(ValueError("two\nlines")), "ValueError: two lines"),
        (lambda: throw(ExceptionGroup("both", [ValueError(), OSError()])), "ExceptionGroup: both"),
        (lambda: throw(ModuleNotFoundError("x", name="imagecycle.x")), "ModuleNotFoundError: x"),
    ],
)
def test_any_kind_of_error_is_told(
    work: Callable[[], Any],
    words: str,
    failing: Raising,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing(work)
    assert cli.main(["fail"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"error: `imagecycle fail` met what it did not expect: {words}")
    assert "Traceback" not in err
    assert "Traceback" in the_file(home).read_text()


def test_a_module_that_is_not_installed_is_no_defect(
    failing: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(lambda: throw(ModuleNotFoundError("No module named 'guestfs'", name="guestfs")))
    assert cli.main(["fail"]) == 1
    assert capsys.readouterr().err == (
        "error: the Python module guestfs is not installed\nhint: run scripts/setup\n"
    )


def test_the_message_names_the_steps_that_were_under_way(
    failing: Raising, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        with log.step("building x"):
            with log.step("cleaning"):
                pass
            with log.step("writing the disk"):
                unexpected()

    failing(work)
    assert cli.main(["fail"]) == 1
    said = "error: `imagecycle fail`, while building x: writing the disk, met what it did not"
    assert said in capsys.readouterr().err


def test_the_settings_say_where_the_trace_is_kept(
    failing: Raising, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGECYCLE_HOME")
    (tmp_path / "site.yaml").write_text(f"home: {tmp_path / 'elsewhere'}\n")
    failing(unexpected)
    assert cli.main(["--site", str(tmp_path / "site.yaml"), "fail"]) == 1
    assert the_file(tmp_path / "elsewhere")


def test_settings_that_fail_unexpectedly_are_told_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(site, "load", unexpected)
    assert cli.main(["list"]) == 1
    captured = capsys.readouterr()
    assert_told_once(captured.out, captured.err, home)


def test_the_newest_traces_are_kept(failing: Raising, home: Path) -> None:
    failing(unexpected)
    folder = home / defects.FOLDER
    folder.mkdir(parents=True)
    (folder / "notes.txt").touch()
    old = [folder / f"20250101T0000{second:02}Z-1.txt" for second in range(defects.KEPT + 3)]
    for number, path in enumerate(old):
        path.touch()
        os.utime(path, (number, number))
    assert cli.main(["fail"]) == 1
    kept = set(folder.iterdir())
    assert folder / "notes.txt" in kept
    assert len(kept - {folder / "notes.txt"}) == defects.KEPT
    assert set(old) & kept == set(old[4:])


def test_two_defects_of_one_second_have_a_file_each(failing: Raising, home: Path) -> None:
    failing(unexpected)
    for _ in range(3):
        assert cli.main(["fail"]) == 1
    assert len(list((home / defects.FOLDER).iterdir())) == 3


@pytest.mark.parametrize("home_name", ["/proc/none", "taken/home"])
def test_a_home_that_cannot_be_written_leaves_the_trace_among_temporary_files(
    home_name: str,
    failing: Raising,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "taken").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path / home_name))
    failing(unexpected)
    assert cli.main(["fail"]) == 1
    (file,) = (tmp_path / "temporary").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"the trace is in {file}\n" in capsys.readouterr().err


def test_without_any_place_for_the_trace_the_message_still_comes(
    failing: Raising,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/none")
    monkeypatch.setenv("IMAGECYCLE_HOME", "/proc/none")
    failing(unexpected)
    assert cli.main(["fail"]) == 1
    err = capsys.readouterr().err
    assert "its trace could not be written: No such file or directory" in err
    assert "Traceback" not in err


def test_a_thread_that_ends_with_a_defect_fails_the_command(
    failing: Raising, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        thread = threading.Thread(target=unexpected, name="the listing")
        thread.start()
        thread.join()
        click.echo(json.dumps({"done": True}))

    failing(work)
    assert cli.main(["fail"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"done": True}
    assert "thread the listing" in assert_told_once(captured.out, captured.err, home)


def test_an_error_that_a_thread_hands_on_is_told_once(
    failing: Raising, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = Unexpected("not expected")

    def work() -> None:
        thread = threading.Thread(target=throw, args=[error])
        thread.start()
        thread.join()
        raise error

    failing(work)
    assert cli.main(["fail"]) == 1
    captured = capsys.readouterr()
    assert_told_once(captured.out, captured.err, home)


def test_what_a_destructor_raises_is_a_warning(
    failing: Raising, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Held:
        def __del__(self) -> None:
            unexpected()

    failing(lambda: [Held() for _ in range(1)] and None)
    assert cli.main(["fail"]) == 0
    err = capsys.readouterr().err
    assert "warning: `imagecycle fail` met what it did not expect: Unexpected" in err
    assert "Traceback" not in err
    assert "__del__" in the_file(home).read_text()


def in_process(code: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=terminal.environment(home, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


START = "import sys\nfrom imagecycle import catalog, cli, log\n"
IN_LIST = """
def load(_folder):
    raise ValueError("the password=hunter22 is wrong")
catalog.load = load
sys.exit(cli.main(["list", "--json"]))
"""
IN_A_THREAD = """
import threading
def load(_folder):
    thread = threading.Thread(target=lambda: {}["hunter22"])
    thread.start()
    thread.join()
    return []
catalog.load = load
sys.exit(cli.main(["list", "--json"]))
"""
ONLY_LOGGED = """
import asyncio, logging
async def break_off():
    asyncio.get_running_loop().call_soon(lambda: {}["token hunter22"])
    await asyncio.sleep(0.01)
def load(_folder):
    asyncio.run(break_off())
    logging.getLogger("library").warning("half of %s", "it")
    return []
catalog.load = load
sys.exit(0 if cli.main(["list", "--json"]) == 0 else 3)
"""
AFTER_THE_END = """
cli.main(["list", "--json"])
raise ValueError("token: hunter22")
"""


@pytest.mark.parametrize(
    ("code", "slugs"),
    [
        pytest.param(IN_LIST, None, id="in the command"),
        pytest.param(IN_A_THREAD, set(), id="in a thread"),
        pytest.param(AFTER_THE_END, {"debian-12-x86_64-base"}, id="after the end"),
    ],
)
def test_a_process_that_meets_a_defect_shows_no_traceback(
    code: str, slugs: set[str] | None, tmp_path: Path
) -> None:
    done = in_process(START + code, tmp_path, SOME_TOKEN="hunter22")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("met what it did not expect") == 1
    assert "hunter22" not in done.stderr + the_file(tmp_path).read_text()
    if slugs is None:
        assert done.stdout == ""
    else:
        assert slugs <= {family["slug"] for family in json.loads(done.stdout)}


def test_what_a_library_logs_is_a_warning_without_its_trace(tmp_path: Path) -> None:
    done = in_process(START + ONLY_LOGGED, tmp_path, SOME_TOKEN="hunter22")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "warning: half of it\n" in done.stderr
    assert "met what it did not expect: KeyError: 'token ***'" in done.stderr
    trace = the_file(tmp_path).read_text()
    assert "logged by asyncio: Exception in callback" in trace
    assert "hunter22" not in done.stderr + trace


def test_a_python_without_the_packages_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('No module named click')")
    done = subprocess.run(
        terminal.argv("list"),
        cwd=tmp_path,
        env=terminal.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: imagecycle is not set up: No module named click\nhint: run scripts/setup\n"
    )
