"""What services and networks do on bad days, at every call of a command in turn.

A first run tells which calls a command makes. Then it runs once for each of these calls and each
kind of fault, with that fault on that call. Every such run ends in success or in a clear error,
keeps the invariants, and the next run, with nothing in its way, completes.

All of them take minutes. So each call meets :data:`SHARE` of the kinds, in turn, unless
IMAGECYCLE_TEST_FAULTS is ``all``, or names kinds (``409,503``) for every call. Then how each run
ended is printed too.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from keystoneauth1 import session as keystone_session

from families import FAMILY, artifact
from imagecycle.cli import main
from imagecycle.cloud import paging
from imagecycle.cloud.errors import Refused
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from integration import servers
from integration.conftest import ComputeBox
from integration.images import make_release
from integration.proxy import Fault, Proxy

pytestmark = [pytest.mark.integration, pytest.mark.disturbs]

WISHED = os.environ.get("IMAGECYCLE_TEST_FAULTS", "")
SHARE = 2
LIMIT = 2
"""Seconds that a service may take, in the runs that meet silence"""
CLOUD, IMPATIENT = "faulty-all", "impatient"
OLD, NEW = "20260522", "20260822"
IDENTIFIER = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


def late() -> None:
    time.sleep(0.3)


FAULTS: dict[str, dict[str, object]] = {
    "delayed": {"before": late},
    "silence": {"silent_for": LIMIT + 1},
    "cut before": {"silent_for": 0.01},
    "cut after": {"lose_answer": True},
    "401": {"answer": 401},
    "409": {"answer": 409},
    "413": {"answer": 413},
    "429": {"answer": 429, "headers": {"Retry-After": "1"}},
    "500": {"answer": 500},
    "503": {"answer": 503},
}

Call = tuple[str, int, str]
"""Service, the number of its requests before it, and what it is"""


@dataclass(frozen=True)
class Scene:
    """A cloud in which a command has something to do."""

    box: ComputeBox
    family: str
    command: tuple[str, ...]
    prepare: Callable[[], None]
    """Make the cloud again what it was before the command"""
    invariants: Callable[[], None]
    complete: Callable[[], None]
    """See that the command has done its work"""

    @property
    def proxies(self) -> dict[str, Proxy]:
        return {
            "glance": self.box.proxy,
            "nova": self.box.nova_proxy,
            "keystone": self.box.keystone_proxy,
        }

    def run(self, capsys: pytest.CaptureFixture[str], cloud: str = CLOUD) -> tuple[int, str]:
        code = main([*self.command, "--cloud", cloud])
        return code, capsys.readouterr().err

    def clear(self) -> None:
        for proxy in self.proxies.values():
            proxy.reset()

    def calls(self) -> list[Call]:
        """The first of each kind of call in the last run: service, its number, what it was."""
        found: dict[tuple[str, str], int] = {}
        for service, proxy in self.proxies.items():
            for number, (method, path, _) in enumerate(proxy.requests()):
                kind = IDENTIFIER.sub("*", f"{method} {path.partition('?')[0]}")
                found.setdefault((service, kind), number)
        return [(service, number, kind) for (service, kind), number in found.items()]


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    compute_box: ComputeBox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    clouds = yaml.safe_load(compute_box.clouds_file.read_text())
    clouds["clouds"][IMPATIENT] = {**clouds["clouds"][CLOUD], "api_timeout": LIMIT}
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(clouds))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))
    monkeypatch.setattr(paging, "PAUSES", (0.05,) * 4)
    monkeypatch.setattr(keystone_session, "_EXPONENTIAL_DELAY_START", 0.05)
    made: Scene = request.param(compute_box, tmp_path)
    return made


def publishing(box: ComputeBox, home: Path) -> Scene:
    """A release to publish, and one that is current."""
    release = "20261122"
    made = artifact(home / "artifacts", release, size=2**16)

    def prepare() -> None:
        for each in box.glance.images(imagecycle_family=FAMILY.slug):
            box.glance.delete(each.id)
        (made.folder / "publish.json").unlink(missing_ok=True)
        make_release(box.glance, NEW)

    def complete() -> None:
        assert states(box) == {NEW: "superseded", release: "current"}

    words = ("publish", FAMILY.slug)
    return Scene(box, FAMILY.slug, words, prepare, lambda: has_current(box), complete)


def asking(box: ComputeBox, home: Path) -> Scene:
    """Usage of an image that alice has a server from."""
    image_id = make_release(box.glance, NEW).id
    servers.boot(box.alice, image_id)
    before = box.glance.images()

    def unchanged() -> None:
        assert box.glance.images() == before

    return Scene(box, FAMILY.slug, ("usage", "--all"), lambda: None, unchanged, unchanged)


def retiring(box: ComputeBox, home: Path) -> Scene:
    """A superseded release that alice has a server from, and the current one."""
    old = make_release(box.glance, OLD, "superseded").id
    new = make_release(box.glance, NEW).id
    servers.boot(box.alice, old)
    project = box.alice.project_id
    alice = Glance(box.alice)

    def prepare() -> None:
        box.glance.change(old, {"visibility": "shared"})
        box.glance.remove_members(old, list(box.glance.members(old)))
        box.glance.change(
            old,
            {
                "visibility": "public",
                "os_hidden": True,
                "imagecycle_state": "superseded",
                "imagecycle_superseded_at": "2026-08-22T00:00:00+00:00",
                "imagecycle_shared_with": "",
            },
        )

    def invariants() -> None:
        has_current(box)
        assert alice.image(old).id == old, "its user has lost the image"

    def complete() -> None:
        assert states(box) == {OLD: "retired", NEW: "current"}
        assert box.glance.image(old).visibility == "shared"
        assert box.glance.members(old).keys() == {project}
        with pytest.raises(Refused):
            Glance(box.bob).image(old)
        assert box.glance.image(new).visibility == "public"

    words = ("retire", FAMILY.slug, "--now")
    return Scene(box, FAMILY.slug, words, prepare, invariants, complete)


SCENES = [
    pytest.param(publishing, id="publish"),
    pytest.param(asking, id="usage"),
    pytest.param(retiring, id="retire"),
]


ONLY_FOR_PEOPLE = ("/projects", "/metadefs/namespaces/imagecycle")
"""Calls whose answers decide nothing: the projects' names, and whether the definitions are there"""


@pytest.mark.rotating(2)
@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_a_command_gets_over_what_befalls_one_call(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (service, number, kind) in chosen(learn(scene, capsys)):
        fault = FAULTS[name]
        scene.clear()
        scene.prepare()
        scene.proxies[service].faults[:] = [
            Fault("", "", after_matches=number, times=1, **fault)  # type: ignore[arg-type]
        ]
        where = f"{name} at {service} {kind}"
        code, said = scene.run(capsys, IMPATIENT if "silent_for" in fault else CLOUD)
        if WISHED:
            with capsys.disabled():
                print(f"\n{where}: {code} {last_error(said)}", end="", flush=True)
        scene.clear()
        check(scene, where, code, said)
        complete(scene, where, code, capsys)


@pytest.mark.parametrize("scene", SCENES, indirect=True)
def test_after_services_went_away_for_good_the_next_run_completes(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be undone in a cloud that does not answer; the next run makes it good."""
    for service, number, kind in learn(scene, capsys):
        if WISHED != "all" and (service != "glance" or number == 0):
            continue
        scene.clear()
        scene.prepare()
        gone = Fault("", "", after_matches=number, silent_for=0.01)
        scene.proxies[service].faults[:] = [gone]
        code, said = scene.run(capsys)
        where = f"away from {service} {kind} on"
        # a call that was made once more moves those after it, so another one may have been the last
        assert code in ((0, 1) if kind.endswith(ONLY_FOR_PEOPLE) else (1,)), where
        assert "Traceback" not in said, where
        scene.clear()
        has_current(scene.box)
        complete(scene, where, code, capsys)


def chosen(calls: list[Call]) -> Iterator[tuple[str, Call]]:
    """Kinds of faults, and the call that each is to strike."""
    kinds = list(FAULTS)
    wished = kinds if WISHED == "all" else WISHED.split(",")
    for place, call in enumerate(calls):
        for number, kind in enumerate(kinds):
            if kind in wished or (not WISHED and (place * SHARE - number) % len(kinds) < SHARE):
                yield kind, call


def learn(scene: Scene, capsys: pytest.CaptureFixture[str]) -> list[Call]:
    """The calls of an undisturbed run."""
    scene.clear()
    scene.prepare()
    code, said = scene.run(capsys)
    assert code == 0, said
    calls = scene.calls()
    scene.complete()
    assert {service for service, _, _ in calls} >= {"glance", "keystone"}, calls
    return calls


def check(scene: Scene, where: str, code: int, said: str) -> None:
    """A run that met a fault ended well or said why not, and broke nothing."""
    assert code in (0, 1, 2), f"{where}: {said}"
    assert "Traceback" not in said, f"{where}: {said}"
    if code:
        assert re.search(r"(?m)^error: .+\nhint: .+", said), f"{where}: {said}"
    scene.invariants()


def complete(scene: Scene, where: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    if code != 0:
        again, said = scene.run(capsys)
        assert again == 0, f"after {where}: {said}"
    scene.complete()


def has_current(box: ComputeBox) -> None:
    found = [
        each
        for each in box.glance.images(imagecycle_family=FAMILY.slug)
        if each.properties["imagecycle_state"] == "current" and each.visibility == "public"
    ]
    assert found, "the family has no current release"


def states(box: ComputeBox) -> dict[str, str]:
    images: list[Image] = box.glance.images(imagecycle_family=FAMILY.slug)
    return {
        each.properties["imagecycle_release"]: each.properties["imagecycle_state"]
        for each in images
    }


def last_error(said: str) -> str:
    return next((line for line in said.splitlines() if line.startswith("error: ")), "")
