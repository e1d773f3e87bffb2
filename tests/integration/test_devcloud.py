import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import terminal
from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud import services
from imagecycle.devcloud.layout import HOST, VENV_VARIABLE, Layout, load_identity
from imagecycle.devcloud.services import SERVICES, Service
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from integration.conftest import Box

pytestmark = [pytest.mark.integration, pytest.mark.disturbs]

KEYSTONE, GLANCE = SERVICES


@pytest.fixture
def site(started_box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Another development cloud than the one that the tests share, of the same environment."""
    monkeypatch.setenv(VENV_VARIABLE, str(started_box.layout.venv))
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    own = Site(home=tmp_path)
    yield own
    devcloud.stop(own, purge=True)


def pids(site: Site) -> list[int | None]:
    layout = Layout.of(site)
    return [services.pid_of(layout, service) for service in SERVICES]


def answers(site: Site, service: Service) -> bool:
    layout = Layout.of(site)
    identity = load_identity(layout)
    return identity is not None and service.answers(layout, identity)


def serves(site: Site) -> bool:
    """Whether a user gets through to Glance."""
    return Glance(open_cloud("devcloud-demo", site)).images() == []


def command(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return terminal.run("devcloud", *words, home=site.home, limit=120)


def test_what_is_changed_at_one_moment_is_all_changed(box: Box) -> None:
    glances = [Glance(open_cloud("devcloud", box.site)) for _ in range(6)]
    begin = threading.Barrier(len(glances))

    def life(glance: Glance) -> None:
        begin.wait(30)
        for number in range(6):
            image = glance.create({"container_format": "bare", "disk_format": "raw"})
            glance.change(image.id, {"visibility": "public", "number": str(number)})
            glance.delete(image.id)

    with ThreadPoolExecutor(len(glances)) as pool:
        assert list(pool.map(life, glances)) == [None] * len(glances)
    assert box.glance.images() == []


def start_and_kill_when(site: Site, condition: Callable[[], bool]) -> None:
    """Start a development cloud, and kill the command once the condition holds."""
    done = terminal.end_when(condition, signal.SIGKILL, "devcloud", "start", home=site.home)
    assert done.returncode == -signal.SIGKILL


def test_a_start_that_is_killed_anywhere_is_made_good_by_the_next(site: Site) -> None:
    layout = Layout.of(site)
    start_and_kill_when(site, (layout.folder / "identity.json").exists)
    start_and_kill_when(site, (layout.data / "keystone.sqlite.new").exists)
    start_and_kill_when(site, (layout.data / "fernet" / "1").exists)
    start_and_kill_when(site, lambda: services.pid_of(layout, KEYSTONE) is not None)
    start_and_kill_when(site, lambda: services.pid_of(layout, GLANCE) is not None)
    start_and_kill_when(site, lambda: answers(site, KEYSTONE) and answers(site, GLANCE))
    devcloud.start(site)
    assert serves(site)


def test_the_services_live_and_die_by_the_commands(site: Site) -> None:
    assert command(site, "status").returncode == 1
    started = command(site, "start")
    assert started.returncode == 0, started.stderr
    assert "OS_CLIENT_CONFIG_FILE=" in started.stderr
    first = pids(site)
    assert all(first)
    again = command(site, "start")
    assert "runs already" in again.stderr
    assert pids(site) == first
    status = command(site, "status", "--json")
    assert status.returncode == 0
    report = json.loads(status.stdout)
    assert [row["state"] for row in report["services"]] == ["serving", "serving"]
    assert [row["version"] for row in report["services"]] == ["30.0.0", "33.0.0"]
    assert [row["pid"] for row in report["services"]] == first

    image = Glance(open_cloud("devcloud", site)).create(
        {"name": "stays", "disk_format": "raw", "container_format": "bare"}
    )
    for victim in (KEYSTONE, GLANCE):
        pid = services.pid_of(Layout.of(site), victim)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert command(site, "status").returncode == 1
        devcloud.start(site)
        assert command(site, "status").returncode == 0
    assert Glance(open_cloud("devcloud", site)).image(image.id).name == "stays"

    devcloud.stop(site, purge=False)
    assert pids(site) == [None, None]
    refused_while_a_port_is_taken(site)
    devcloud.start(site)
    assert Glance(open_cloud("devcloud", site)).image(image.id).name == "stays"


def refused_while_a_port_is_taken(site: Site) -> None:
    identity = load_identity(Layout.of(site))
    assert identity is not None
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, identity.ports["glance"]))
        listener.listen()
        with pytest.raises(ImagecycleError, match=f"taken by process {os.getpid()}"):
            devcloud.start(site)
    assert pids(site) == [None, None]


def test_two_development_clouds_stand_side_by_side(site: Site, box: Box) -> None:
    devcloud.start(site)
    devcloud.stop(site, purge=True)
    assert box.glance.images() == []
    assert not Layout.of(site).clouds_file.exists()


def test_secrets_are_for_their_owner_alone(started_box: Box) -> None:
    layout = started_box.layout
    for path in (layout.clouds_file, layout.folder / "identity.json", *layout.etc.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    identity = load_identity(layout)
    assert identity is not None
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert not any(password in words for password in identity.passwords.values())


def test_the_openstack_client_works_with_it(started_box: Box) -> None:
    done = subprocess.run(
        [started_box.layout.venv / "bin" / "openstack", "image", "list", "-f", "json"],
        env={
            "PATH": os.environ["PATH"],
            "OS_CLIENT_CONFIG_FILE": str(started_box.layout.clouds_file),
            "OS_CLOUD": "devcloud",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
