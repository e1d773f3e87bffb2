import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagecycle import devcloud
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.devcloud import compute, services
from imagecycle.devcloud.compute import cinder, nova, programs
from imagecycle.devcloud.compute.forked import Worker
from imagecycle.devcloud.layout import HOST, VENV_VARIABLE, Layout, load_identity, port_is_free
from imagecycle.devcloud.services import Service
from imagecycle.errors import ImagecycleError
from imagecycle.site import Site
from integration import servers, volumes
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
EVERY = (*services.SERVICES, *compute.SERVICES)


@pytest.fixture
def site(
    started_compute_box: ComputeBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """Another development cloud than the one that the tests share, of the same environment."""
    monkeypatch.setenv(VENV_VARIABLE, str(started_compute_box.layout.venv))
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    own = Site(home=tmp_path)
    yield own
    devcloud.stop(own, purge=True)


def make_image(cloud: CloudSession, name: str = "image") -> str:
    glance = Glance(cloud)
    image = glance.create(
        {"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    )
    cloud.session.put(
        f"{cloud.image_url}/images/{image.id}/file",
        data=b"an operating system",
        headers={"Content-Type": "application/octet-stream"},
    )
    return image.id


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


def test_a_user_does_with_a_server_what_users_do(compute_box: ComputeBox) -> None:
    image = make_image(compute_box.admin)
    took: dict[str, float] = {}

    def timed(what: str, work: Callable[[], object]) -> object:
        started = time.monotonic()
        done = work()
        took[what] = round(time.monotonic() - started, 1)
        return done

    alice = compute_box.alice
    server = str(timed("boot", lambda: servers.boot(alice, image)))
    timed("resize", lambda: servers.resize(alice, server, "medium"))
    timed("confirm", lambda: servers.confirm(alice, server))
    assert servers.show(alice, server)["flavor"]["id"] == "medium"
    timed("resize again", lambda: servers.resize(alice, server, "large"))
    timed("revert", lambda: servers.revert(alice, server))
    assert servers.show(alice, server)["flavor"]["id"] == "medium"
    timed("rebuild", lambda: servers.rebuild(alice, server, image))
    timed("shelve", lambda: servers.shelve(alice, server))
    timed("unshelve", lambda: servers.unshelve(alice, server))
    timed("stop", lambda: servers.stop(alice, server))
    timed("start", lambda: servers.start(alice, server))
    timed("delete", lambda: servers.delete(alice, server))
    print("seconds:", took)


def test_a_resize_moves_a_server_to_the_other_hypervisor(compute_box: ComputeBox) -> None:
    server = servers.boot(compute_box.alice, make_image(compute_box.admin))
    host = "OS-EXT-SRV-ATTR:host"
    before = servers.show(compute_box.admin, server)[host]
    servers.resize(compute_box.alice, server, "medium")
    assert servers.show(compute_box.admin, server)[host] != before


def test_a_hypervisor_reads_the_image_of_which_it_makes_a_server(
    compute_box: ComputeBox,
) -> None:
    first, lost = make_image(compute_box.admin), make_image(compute_box.admin, "lost")
    server = servers.boot(compute_box.alice, first)
    (compute_box.layout.data / "images" / lost).unlink()
    with pytest.raises(AssertionError, match="no associated data"):
        servers.rebuild(compute_box.alice, server, lost)


def test_a_snapshot_of_a_server_is_an_image_of_its_project(compute_box: ComputeBox) -> None:
    server = servers.boot(compute_box.alice, make_image(compute_box.admin))
    servers.request(
        compute_box.alice, "POST", f"/servers/{server}/action", createImage={"name": "snapshot"}
    )
    servers.await_status(compute_box.alice, server, "ACTIVE")
    (snapshot,) = Glance(compute_box.alice).images()
    assert (snapshot.name, snapshot.status) == ("snapshot", "active")


def test_projects_see_only_their_own_servers(compute_box: ComputeBox) -> None:
    image = make_image(compute_box.admin)
    alices = servers.boot(compute_box.alice, image, name="alice's")
    bobs = servers.boot(compute_box.bob, image, name="bob's")
    for cloud, own in ((compute_box.alice, alices), (compute_box.bob, bobs)):
        listed = servers.request(cloud, "GET", "/servers")["servers"]
        assert [one["id"] for one in listed] == [own]


def test_robot_has_no_administrators_rights(compute_box: ComputeBox) -> None:
    from keystoneauth1.exceptions import Forbidden

    with pytest.raises(Forbidden):
        servers.request(compute_box.robot, "GET", "/servers?all_tenants=1")


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
    environment = {
        **os.environ,
        "IMAGECYCLE_HOME": str(site.home),
        "PYTHONPATH": str(REPOSITORY / "lib"),
    }
    tick = threading.Event()
    with subprocess.Popen(
        [sys.executable, "-m", "imagecycle", "devcloud", "start", "--with-compute"],
        env=environment,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not condition():
            assert process.poll() is None, "it ended before it could be ended"
            tick.wait(0.01)
        process.send_signal(number)
    assert process.returncode in (-number, 130)


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


def test_a_start_that_is_interrupted_leaves_nothing_running(site: Site) -> None:
    layout = Layout.of(site)
    for moment in (
        lambda: services.pid_of(layout, programs.RABBIT) is not None,
        lambda: (layout.run / "computes-may-begin").exists(),
    ):
        start_and_end_when(site, moment, signal.SIGINT)
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


def test_secrets_are_for_their_owner_alone(started_compute_box: ComputeBox) -> None:
    layout = started_compute_box.layout
    for path in (layout.clouds_file, *(path for path in layout.etc.iterdir() if path.is_file())):
        assert path.stat().st_mode & 0o077 == 0, path
    identity = load_identity(layout)
    assert identity is not None
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        assert not any(password in words for password in identity.passwords.values())


def test_everything_listens_on_loopback_alone(started_compute_box: ComputeBox) -> None:
    identity = load_identity(started_compute_box.layout)
    assert identity is not None
    listening = subprocess.run(
        ["ss", "-Hltn"], capture_output=True, text=True, check=True, timeout=20
    ).stdout.splitlines()
    addresses = {line.split()[3] for line in listening}
    for name, port in identity.ports.items():
        heard = {address for address in addresses if address.endswith(f":{port}")}
        assert heard, name
        assert heard <= {f"{HOST}:{port}", f"[::1]:{port}"}, (name, heard)
