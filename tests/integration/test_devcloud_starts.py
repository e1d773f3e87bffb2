"""Starts, stops, kills and interrupts of development clouds with Nova and Cinder."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import terminal
from imagecycle import devcloud
from imagecycle.cloud.session import open_cloud
from imagecycle.devcloud import compute, services
from imagecycle.devcloud.compute import cinder, nova, programs
from imagecycle.devcloud.compute.forked import Worker
from imagecycle.devcloud.layout import VENV_VARIABLE, Layout, load_identity, port_is_free
from imagecycle.devcloud.services import Service
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from integration import servers, volumes
from integration.images import make_image

pytestmark = [pytest.mark.integration, pytest.mark.disturbs]

EVERY = (*services.SERVICES, *compute.SERVICES)


@pytest.fixture
def site(services_venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A development cloud of the test's own, not started yet."""
    monkeypatch.setenv(VENV_VARIABLE, str(services_venv))
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    own = Site(home=tmp_path)
    yield own
    devcloud.stop(own, purge=True)


def processes_of(site: Site) -> list[str]:
    """The command lines of all processes that name the development cloud's folder."""
    folder = os.fsencode(site.home / "devcloud")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if folder in words and int(process.name) != os.getpid():
            found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def free_ports(site: Site) -> dict[str, bool]:
    identity = load_identity(Layout.of(site))
    assert identity is not None
    return {name: port_is_free(port) for name, port in identity.ports.items()}


@pytest.mark.rotating(2, 1)
def test_servers_and_volumes_outlive_a_stop_and_nothing_else_does(site: Site) -> None:
    started = time.monotonic()
    devcloud.start(site, with_compute=True)
    first = time.monotonic() - started
    admin, alice = open_cloud("devcloud", site), open_cloud("devcloud-alice", site)
    image = make_image(admin)
    running, stopped, resized = servers.boot_many(alice, image, ["running", "stopped", "resized"])
    servers.stop(alice, stopped)
    servers.resize(alice, resized, "medium")
    volume = volumes.make(alice, image)

    started = time.monotonic()
    devcloud.stop(site, purge=False)
    stopping = time.monotonic() - started
    assert processes_of(site) == []
    assert all(free_ports(site).values()), free_ports(site)

    started = time.monotonic()
    devcloud.start(site, with_compute=True)
    again = time.monotonic() - started
    print(f"start {first:.1f} s, stop {stopping:.1f} s, start again {again:.1f} s")
    alice = open_cloud("devcloud-alice", site)
    assert volumes.show(alice, volume)["status"] == "available"
    volumes.make(alice, image)
    servers.confirm(alice, resized)
    servers.start(alice, stopped)
    for server in (running, stopped, resized):
        servers.rebuild(alice, server, image)
        servers.resize(alice, server, "large")
        servers.confirm(alice, server)
        servers.stop(alice, server)
    servers.delete(alice, running, stopped, resized)


@pytest.mark.rotating(2, 0)
def test_nova_joins_a_cloud_that_runs_and_leaves_it_running(site: Site) -> None:
    layout = Layout.of(site)
    devcloud.start(site)
    plain = [services.pid_of(layout, service) for service in services.SERVICES]
    assert "devcloud-alice" not in layout.clouds_file.read_text()
    devcloud.start(site, with_compute=True)
    every = [services.pid_of(layout, service) for service in EVERY]
    assert every[: len(plain)] == plain
    assert all(every)
    assert "devcloud-alice" in layout.clouds_file.read_text()
    devcloud.start(site)
    devcloud.start(site, with_compute=True)
    assert [services.pid_of(layout, service) for service in EVERY] == every
    what_dies_is_told_and_made_good(site)


def what_dies_is_told_and_made_good(site: Site) -> None:
    image = make_image(open_cloud("devcloud", site))
    assert devcloud.print_status(site, as_json=False) == 0
    for victim in (
        nova.COMPUTES[0],
        nova.CONDUCTOR,
        cinder.VOLUME,
        cinder.SCHEDULER,
        programs.MARIADB,
        programs.RABBIT,
    ):
        pid = services.pid_of(Layout.of(site), victim)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert devcloud.print_status(site, as_json=False) == 1
        devcloud.start(site, with_compute=True)
        assert devcloud.print_status(site, as_json=False) == 0
        alice = open_cloud("devcloud-alice", site)
        servers.resize(alice, servers.boot(alice, image, name=victim.name), "medium")
        volumes.make(alice, image)


def start_and_end_when(site: Site, condition: Callable[[], bool], number: signal.Signals) -> None:
    """Start a development cloud with Nova, and end the command once the condition holds."""
    words = ("devcloud", "start", "--with-compute")
    done = terminal.end_when(condition, number, *words, home=site.home)
    assert done.returncode in (-number, 130), done.stderr


def moments(site: Site) -> list[Callable[[], bool]]:
    layout = Layout.of(site)

    def runs(service: Service) -> Callable[[], bool]:
        return lambda: services.pid_of(layout, service) is not None

    def ready(service: Worker) -> Callable[[], bool]:
        identity = load_identity(layout)
        assert identity is not None
        return lambda: service.answers(layout, identity)

    return [
        (layout.data / "mariadb.new").exists,
        runs(programs.MARIADB),
        runs(programs.RABBIT),
        runs(nova.CONDUCTOR),
        runs(cinder.VOLUME),
        lambda: ready(nova.CONDUCTOR)(),
        lambda: ready(nova.COMPUTES[1])(),
    ]


@pytest.mark.rotating(2, 1)
def test_a_start_that_is_killed_anywhere_is_made_good_by_the_next(site: Site) -> None:
    for moment in moments(site):
        start_and_end_when(site, moment, signal.SIGKILL)
    devcloud.start(site, with_compute=True)
    image = make_image(open_cloud("devcloud", site))
    alice = open_cloud("devcloud-alice", site)
    servers.boot(alice, image)
    volumes.make(alice, image)
    devcloud.stop(site, purge=False)
    assert processes_of(site) == []


@pytest.mark.rotating(2, 0)
def test_a_start_that_is_interrupted_leaves_nothing_running(site: Site) -> None:
    layout = Layout.of(site)
    for moment in (
        lambda: services.pid_of(layout, programs.RABBIT) is not None,
        lambda: (layout.run / "computes-may-begin").exists(),
    ):
        start_and_end_when(site, moment, signal.SIGINT)
        for _ in range(100):  # what the kernel ends with its parent takes a moment to be gone
            if not processes_of(site):
                break
            time.sleep(0.02)
        assert processes_of(site) == []
        assert all(free_ports(site).values()), free_ports(site)


def test_missing_packages_are_named_with_the_way_to_them(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", str(site.home))
    with pytest.raises(ImagecycleError, match="mariadb-server-core, rabbitmq-server") as caught:
        devcloud.start(site, with_compute=True)
    assert "scripts/setup --compute" in caught.value.hint
    assert not Layout.of(site).folder.exists()
