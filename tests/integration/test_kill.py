"""``kill -9`` at every change in turn, before and after the cloud has made it; then a second run.

The command runs as a process of its own and talks to Glance through the proxy, which holds the
request while the process is killed.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import terminal
from families import FAMILY, artifact
from imagecycle import cli
from imagecycle.cloud.glance import Glance
from integration import servers
from integration.conftest import ComputeBox
from integration.proxy import Fault

pytestmark = [pytest.mark.integration, pytest.mark.disturbs]

SLUG = FAMILY.slug
OLD, NEW = "20260822", "20261122"
CLOUD = ("--cloud", "faulty")
CHANGES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Case:
    """A command, what it is run on, and what is to come of it."""

    words: tuple[str, ...]
    changes: int
    """How many requests that change something it makes of Glance"""
    states: dict[str, str]
    """Of the images that are there when it has come to its end"""
    members: tuple[str, ...] = ()
    """Of the old image, or of the revoked one, by the name of their cloud session"""
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that come first"""
    gone: bool = False
    """Whether the servers are deleted before it"""
    two: bool = True
    """Whether the new release is published before it"""
    user_of: str = OLD


PUBLISHED = ("publish", SLUG, *CLOUD, "--release", NEW)
RETIRE = ("retire", SLUG, *CLOUD, "--now")
REVOKE = ("revoke", SLUG, NEW, "--reason", "bad", *CLOUD)
CASES = {
    "publish": Case(PUBLISHED, 4, {OLD: "superseded", NEW: "current"}, two=False),
    "retire": Case(RETIRE, 3, {OLD: "retired", NEW: "current"}, ("alice",)),
    "end of use": Case(RETIRE, 3, {OLD: "retired", NEW: "current"}, (), (RETIRE,), gone=True),
    "deletion": Case(RETIRE, 1, {NEW: "current"}, before=(RETIRE, RETIRE), gone=True),
    "rollback": Case(
        ("rollback", SLUG, *CLOUD, "--to", OLD), 2, {OLD: "current", NEW: "superseded"}
    ),
    "restore": Case(
        ("rollback", SLUG, *CLOUD, "--to", OLD),
        2,
        {OLD: "current", NEW: "superseded"},
        before=(RETIRE,),
    ),
    "revoke": Case(REVOKE, 4, {OLD: "current", NEW: "revoked"}, ("alice",), user_of=NEW),
}
POINTS = [
    (name, number, when)
    for name, case in CASES.items()
    for number in range(case.changes)
    for when in ("before", "after")
]


def run(*words: str) -> None:
    assert cli.main(words) == 0


def states(box: ComputeBox) -> dict[str, str]:
    return {
        image.properties["imagecycle_release"]: image.properties["imagecycle_state"]
        for image in box.glance.images(imagecycle_family=SLUG)
    }


def image_of(box: ComputeBox, release: str) -> str:
    (image,) = box.glance.images(imagecycle_family=SLUG, imagecycle_release=release)
    return image.id


def prepare(box: ComputeBox, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = box.site.home / "site.yaml"
    settings.write_text("retirement: {keep: 0, after_days: 0, grace_days: 0}\n")
    monkeypatch.setenv("IMAGECYCLE_SITE", str(settings))
    monkeypatch.setenv("IMAGECYCLE_HOME", str(box.site.home))
    for release in (OLD, NEW):
        artifact(box.site.artifacts, release, size=2**17)
    run("publish", SLUG, *CLOUD, "--release", OLD)
    if case.two:
        run("publish", SLUG, *CLOUD, "--release", NEW)
    server = servers.boot(box.alice, image_of(box, case.user_of))
    commands = list(case.before)
    if commands and case.gone:
        run(*commands.pop(0))
    if case.gone:
        servers.delete(box.alice, server)
    for words in commands:
        run(*words)


def kill_at(box: ComputeBox, case: Case, number: int, when: str) -> None:
    """Run the command and kill it at its change ``number``, counted from 0."""
    started = threading.Event()
    process: list[subprocess.Popen[str]] = []
    seen = 0

    def kill() -> None:
        assert started.wait(60)
        process[0].kill()
        process[0].wait()
        if when == "before":
            raise ConnectionError("and the service never hears of it")

    def fault(method: str, _path: str) -> Fault | None:
        nonlocal seen
        if method not in CHANGES:
            return None
        seen += 1
        if seen != number + 1:
            return None
        return Fault(method, "", **{when: kill})  # type: ignore[arg-type]

    original: Callable[[str, str], Fault | None] = box.proxy.fault
    box.proxy.fault = fault  # type: ignore[method-assign]
    try:
        with terminal.start(*case.words) as running:
            process.append(running)
            started.set()
            assert running.wait(120) == -signal.SIGKILL
    finally:
        box.proxy.fault = original  # type: ignore[method-assign]


@pytest.mark.rotating(4)
@pytest.mark.parametrize(("name", "number", "when"), POINTS)
def test_the_next_run_completes_what_a_killed_one_began(
    compute_box: ComputeBox,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    when: str,
) -> None:
    case = CASES[name]
    prepare(compute_box, case, monkeypatch)
    kill_at(compute_box, case, number, when)
    assert "current" in states(compute_box).values()
    run(*case.words)
    if name == "end of use" and states(compute_box) == {NEW: "current"}:
        return  # the killed run had come to its end, so this one was the next
    assert states(compute_box) == case.states
    if case.members or name == "end of use":
        image = image_of(compute_box, case.user_of)
        wanted = {getattr(compute_box, who).project_id for who in case.members}
        assert set(compute_box.glance.members(image)) == wanted
    if not case.gone:
        image = image_of(compute_box, case.user_of)
        assert Glance(compute_box.alice).image(image).id == image


def test_the_points_are_all_there_are(
    compute_box: ComputeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in CASES.values():
        compute_box.empty()
        for folder in (compute_box.site.artifacts / SLUG,):
            subprocess.run(["rm", "-rf", str(folder)], check=True)
        prepare(compute_box, case, monkeypatch)
        compute_box.proxy.forget()
        run(*case.words)
        assert len(compute_box.proxy.mutations()) == case.changes, case.words
