"""Mistakes with a cloud that people make: each a clear message and its exit code, and nothing done.

The services are real; so are their answers to users without rights and to protected properties.
"""

import dataclasses
import io
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from families import FAMILY, artifact
from imagecycle import cli, command
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.devcloud import services
from imagecycle.devcloud.layout import CLEAN, HOST, Identity, load_identity
from integration import catalog
from integration.conftest import Box, ComputeBox
from integration.images import make_release
from integration.proxy import Fault

pytestmark = pytest.mark.integration

SLUG = FAMILY.slug
OTHER = "11111111-2222-3333-4444-555555555555"
COMMANDS = {
    "publish": ["publish", SLUG],
    "status": ["status"],
    "plan": ["plan"],
    "retire": ["retire", "--all"],
    "rollback": ["rollback", SLUG],
    "revoke": ["revoke", SLUG, "20260822", "--reason", "it is bad"],
    "usage": ["usage", "--all"],
    "notify": ["notify", "--retired"],
    "adopt": ["adopt", "--pattern", f"Debian 12=>{SLUG}", "--yes"],
    "prove": ["prove", OTHER, "--as", "devcloud-demo", "--stranger", "devcloud-demo"],
    "metadata": ["metadata", "install"],
}


class InstanceData:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Run":
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))  # that of box.site
    monkeypatch.setenv("COLUMNS", "200")
    return Run(capsys)


def add_entry(
    name: str, changes: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administrator's entry of clouds.yaml, changed, under another name."""
    clouds = yaml.safe_load(Path(os.environ["OS_CLIENT_CONFIG_FILE"]).read_text())["clouds"]
    clouds[name] = {**clouds["devcloud"], **changes}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"clouds": clouds}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> InstanceData:
        self._capsys.readouterr()
        code = cli.main(words)
        instance_data = self._capsys.readouterr()
        assert "Traceback" not in instance_data.err
        return InstanceData(code, instance_data.out, instance_data.err)


def refused(instance_data: InstanceData, code: int, *messages: str) -> None:
    """One clear message with the way out."""
    assert instance_data.code == code, instance_data.err
    for message in messages:
        assert message in instance_data.err
    assert instance_data.err.count("error: ") == 1
    assert "hint: " in instance_data.err


@pytest.mark.parametrize("name", COMMANDS)
def test_an_entry_that_does_not_exist_is_answered_with_the_nearest(
    box: Box, run: Run, name: str
) -> None:
    artifact(box.site.artifacts, "20261122", size=2**17)
    instance_data = run(*COMMANDS[name], "--cloud", "devclod")
    refused(instance_data, 2, "unknown cloud: devclod", "did you mean devcloud?")


@pytest.mark.parametrize("name", COMMANDS)
def test_credentials_that_keystone_refuses_are_said(box: Box, run: Run, name: str) -> None:
    artifact(box.site.artifacts, "20261122", size=2**17)
    instance_data = run(*COMMANDS[name], "--cloud", "wrong-password")
    refused(instance_data, 1, "wrong-password: Keystone refuses these credentials")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_cloud_that_is_away_is_said(box: Box, run: Run, name: str) -> None:
    artifact(box.site.artifacts, "20261122", size=2**17)
    refused(run(*COMMANDS[name], "--cloud", "silent"), 1, "silent: cannot log in")


def release(cloud: CloudSession, number: str, state: str, visibility: str, **more: str) -> Image:
    return make_release(
        Glance(cloud), number, state, visibility=visibility, name=f"Debian {number}", **more
    )


OLD = {"imagecycle_superseded_at": "2020-01-01T00:00:00+00:00"}


@pytest.fixture
def robots(compute_box: ComputeBox) -> list[Image]:
    """Releases of a project whose user has no administrator's role."""
    shared = "shared"
    return [
        release(compute_box.robot, "20260522", "retired", shared, **OLD),
        release(compute_box.robot, "20260822", "superseded", shared, **OLD),
        release(compute_box.robot, "20261122", "current", shared),
    ]


@pytest.mark.parametrize(
    "words",
    [["plan"], ["retire", "--all", "--now"], ["usage", "--all"], ["status", "--usage"]],
    ids=lambda words: words[0],
)
def test_who_may_not_list_the_servers_of_all_projects_takes_nothing_from_anyone(
    compute_box: ComputeBox, run: Run, robots: list[Image], words: list[str]
) -> None:
    instance_data = run(*words, "--cloud", "devcloud-robot")
    refused(instance_data, 1, "devcloud-robot", "403", "administrator")
    glance = Glance(compute_box.robot)
    assert [glance.image(image.id) for image in robots] == robots


def test_an_incomplete_listing_of_servers_takes_nothing_from_anyone(
    compute_box: ComputeBox, run: Run
) -> None:
    images = [
        release(compute_box.admin, "20260822", "superseded", "public", **OLD),
        release(compute_box.admin, "20261122", "current", "public"),
    ]
    compute_box.nova_proxy.faults.append(Fault("GET", "/servers/detail", answer=500))
    instance_data = run("retire", SLUG, "--now", "--cloud", "faulty-nova")
    refused(instance_data, 1, "500")
    assert [compute_box.glance.image(image.id) for image in images] == images


def test_a_cloud_without_nova_retires_nothing(box: Box, run: Run) -> None:
    admin = open_cloud("devcloud", box.site)
    images = [
        release(admin, "20260822", "superseded", "public", **OLD),
        release(admin, "20261122", "current", "public"),
    ]
    with catalog.without(admin, "compute"):
        instance_data = run("retire", SLUG, "--now", "--cloud", "devcloud")
    refused(instance_data, 1, "devcloud: its catalog has no compute service")
    assert [box.glance.image(image.id) for image in images] == images


@pytest.mark.parametrize("name", ["retire", "rollback", "revoke"])
def test_images_of_somebody_else_are_none_of_ours(box: Box, run: Run, name: str) -> None:
    """They bear our properties, and everybody can see them."""
    demo = open_cloud("devcloud-demo", box.site)
    theirs = [
        release(demo, "20260522", "superseded", "community"),
        release(demo, "20260822", "current", "community"),
    ]
    words = ["retire", SLUG] if name == "retire" else COMMANDS[name]
    refused(run(*words, "--cloud", "devcloud"), 2, f"unknown family in devcloud: {SLUG}")
    assert [box.glance.image(image.id) for image in theirs] == theirs


def test_an_ordinary_user_publishes_nothing_and_is_told_why(box: Box, run: Run) -> None:
    artifact(box.site.artifacts, "20261122", size=2**17)
    instance_data = run("publish", SLUG, "--cloud", "devcloud-demo")
    refused(instance_data, 1, "403", "may not make images public")
    assert [image.visibility for image in box.demo.images()] == ["private"]


PROTECTIONS = """\
[imagecycle_.*]
create = nobody
read = @
update = nobody
delete = nobody

[.*]
create = @
read = @
update = @
delete = @
"""


@pytest.fixture
def guarded(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An entry whose Glance, a second one on the same images, protects our properties."""
    etc = tmp_path / "guarded"
    etc.mkdir()
    (etc / "protections.conf").write_text(PROTECTIONS)
    conf = (box.layout.etc / "glance-api.conf").read_text()
    protection = f"property_protection_file = {etc / 'protections.conf'}"
    (etc / "glance-api.conf").write_text(conf.replace("[DEFAULT]", f"[DEFAULT]\n{protection}", 1))
    identity = load_identity(box.layout)
    assert identity is not None
    port = free_port()
    serve = f"import serve; serve.serve('glance.wsgi.api', '{HOST}', {port})"
    environment = {
        **CLEAN,
        "OS_GLANCE_CONFIG_DIR": str(etc),
        "PYTHONPATH": str(Path(services.__file__).parent / "runners"),
    }
    with command.background(
        [box.layout.python, "-c", serve], output=tmp_path / "guarded.log", env=environment
    ):
        ports = {**identity.ports, "glance": port}
        await_glance(box, dataclasses.replace(identity, ports=ports))
        override = {"image_endpoint_override": f"http://{HOST}:{port}"}
        add_entry("guarded", override, tmp_path, monkeypatch)
        yield "guarded"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def await_glance(box: Box, identity: Identity) -> None:
    glance = next(one for one in services.SERVICES if one.name == "glance")
    tick = threading.Event()
    for _ in range(600):
        if glance.answers(box.layout, identity):
            return
        tick.wait(0.1)
    pytest.fail("the second Glance does not answer")


def test_properties_that_glance_protects_are_named_and_nothing_is_published(
    box: Box, run: Run, guarded: str
) -> None:
    artifact(box.site.artifacts, "20261122", size=2**17)
    refused(
        run("publish", SLUG, "--cloud", guarded),
        1,
        "403",
        "Glance protects the property imagecycle_",
    )
    assert box.glance.images() == []


def test_an_image_whose_properties_glance_protects_is_not_adopted(
    box: Box, run: Run, guarded: str
) -> None:
    made = box.glance.create(
        {
            "name": "Debian 12",
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "public",
        }
    )
    box.glance.upload(made.id, io.BytesIO(b"x"), 1, lambda _: None)
    before = box.glance.image(made.id)
    refused(
        run(*COMMANDS["adopt"], "--cloud", guarded),
        1,
        "403",
        "Glance protects the property imagecycle_",
    )
    assert box.glance.image(made.id) == before


def test_a_release_whose_properties_glance_protects_stays_what_it_is(
    box: Box, run: Run, guarded: str
) -> None:
    admin = open_cloud("devcloud", box.site)
    images = [
        release(admin, "20260822", "superseded", "public", **OLD),
        release(admin, "20261122", "current", "public"),
    ]
    refused(
        run("rollback", SLUG, "--cloud", guarded),
        1,
        "403",
        "Glance protects the property imagecycle_",
    )
    assert [box.glance.image(image.id) for image in images] == images
