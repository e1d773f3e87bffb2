import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imagecycle.cloud.glance import Glance
from imagecycle.devcloud.layout import HOST, load_identity
from integration import servers
from integration.conftest import ComputeBox
from integration.images import make_image

pytestmark = pytest.mark.integration


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
