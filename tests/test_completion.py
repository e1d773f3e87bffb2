"""Completion in the shells themselves: what a person sees after the tabulator key."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from imagecycle import cli
from imagecycle.cli import main
from imagecycle.cli.completion import SHELLS
from terminal import LIB

LIMIT = 30.0
CLOUDS = """
clouds:
  production: {auth: {auth_url: "http://127.0.0.1:9"}, regions: [east, west]}
  staging: {auth: {auth_url: "http://127.0.0.1:9"}}
"""
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SWITCH_ON = {
    "bash": 'eval "$(imagecycle completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -D -u; eval "$(imagecycle completion zsh)"',
    "fish": "imagecycle completion fish | source",
}


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a person with two releases, two clouds, and imagecycle on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "imagecycle"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m imagecycle "$@"\n')
    program.chmod(0o755)
    for release in ("20261121", "20261122"):
        (tmp_path / "home/artifacts/debian-12-x86_64-server" / release).mkdir(parents=True)
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    (tmp_path / "empty").mkdir()
    return {
        "PATH": f"{programs}:/usr/bin:/bin",
        "PYTHONPATH": str(LIB),
        "HOME": str(tmp_path / "empty"),
        "IMAGECYCLE_HOME": str(tmp_path / "home"),
        "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
    }


class Terminal:
    """A shell that takes its keys from a test."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.shown = ""

    def type(self, keys: str) -> None:
        self.shown = ""
        os.write(self.descriptor, keys.encode())

    def await_text(self, pattern: str) -> None:
        """Read until what the shell has shown since the last keys fits a pattern."""
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.shown):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern} in {self.shown!r}"
            if select.select([self.descriptor], [], [], left)[0]:
                self.shown += os.read(self.descriptor, 65536).decode(errors="replace")


@contextlib.contextmanager
def terminal(shell: str, machine: dict[str, str]) -> Iterator[Terminal]:
    """A shell with completion switched on."""
    child, descriptor = pty.fork()
    if child == 0:
        os.execvpe(START[shell][0], START[shell], machine)
    try:
        found = Terminal(descriptor)
        found.type(f"{SWITCH_ON[shell]}; echo rea''dy\n")
        found.await_text(r"ready\r?\n")
        yield found
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(descriptor)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_tabulator_completes_a_command_and_a_family(shell: str, machine: dict[str, str]) -> None:
    with terminal(shell, machine) as keys:
        keys.type("imagecycle veri\t")
        keys.await_text("verify ")
        keys.type("debian-12-x86_64-s\t")
        keys.await_text("erver ")


def test_fish_offers_families_with_what_they_are(machine: dict[str, str]) -> None:
    code = f"{SWITCH_ON['fish']}; complete --do-complete 'imagecycle verify debian-12-x86_64-s'"
    done = subprocess.run(
        ["fish", "--no-config", "--command", code],
        env=machine,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.stderr == ""
    offered = dict(line.split("\t") for line in done.stdout.splitlines())
    assert list(offered) == ["debian-12-x86_64-server"]
    assert "server" in offered["debian-12-x86_64-server"]


@pytest.mark.parametrize("shell", SHELLS)
def test_help_says_how_to_switch_it_on(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "--help"]) == 0
    assert f"imagecycle completion {shell}" in capsys.readouterr().out


def offered(line: str) -> list[str]:
    """What is offered for the last word of a line."""
    *words, last = line.split(" ")
    complete = ShellComplete(cli.imagecycle, {}, "imagecycle", "_IMAGECYCLE_COMPLETE")
    return [str(item.value) for item in complete.get_completions(words, last)]


@pytest.fixture
def person(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, in the place of the person."""
    monkeypatch.delenv("IMAGECYCLE_SITE", raising=False)
    for name in ("HOME", "IMAGECYCLE_HOME", "OS_CLIENT_CONFIG_FILE"):
        monkeypatch.setenv(name, machine[name])


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("verify debian-12-x86_64-s", ["debian-12-x86_64-server"]),
        ("retire debian-12-x86_64-server debian-12-x86_64-b", ["debian-12-x86_64-base"]),
        ("status --family debian-12-x86_64-s", ["debian-12-x86_64-server"]),
        ("verify debian-12-x86_64-server --release ", ["20261122", "20261121"]),
        ("revoke debian-12-x86_64-server ", ["20261122", "20261121"]),
        ("revoke debian-12-x86_64-base ", []),
        ("status --cloud p", ["production", "production/east", "production/west"]),
        ("prove --as s", ["staging"]),
        ("due l", ["linux"]),
        ("jenkins run --stage v", ["verify"]),
        ("completion f", ["fish"]),
    ],
)
def test_names_are_offered(line: str, names: list[str]) -> None:
    assert offered(line) == names


@pytest.mark.usefixtures("person")
def test_the_settings_that_were_named_decide(tmp_path: Path) -> None:
    settings = tmp_path / "site.yaml"
    settings.write_text(f"catalog: {tmp_path / 'empty'}\n")
    assert offered(f"--site {settings} verify ") == []


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("line", ["verify ", "due ", "status --cloud "])
def test_nothing_is_offered_from_what_cannot_be_read(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broken", "jobs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.yaml").write_text("nmae: [\n")
    settings = tmp_path / "site.yaml"
    settings.write_text(f"catalog: {tmp_path / 'broken'}\njobs: {tmp_path / 'jobs'}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "broken" / "bad.yaml"))
    assert offered(f"--site {settings} {line}") == []


EVERY_NAME = {"family", "families", "subject", "release", "cloud", "kind"}
"""Parameters whose values are names that a machine knows"""


def parameters(
    command: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Parameter]]:
    """All of a command and of those below it."""
    for parameter in command.params:
        yield " ".join(words), parameter
    for name, below in getattr(command, "commands", {}).items():
        yield from parameters(below, (*words, name))


def test_every_family_cloud_and_kind_is_completed() -> None:
    without = {
        f"{command} {parameter.name}"
        for command, parameter in parameters(cli.imagecycle)
        if parameter.name in EVERY_NAME and parameter._custom_shell_complete is None
    }
    # the name of a new release, and one of a job on the controller
    assert without == {"build release", "jenkins run release"}
