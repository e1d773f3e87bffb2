"""Waiting for a server in a cloud, and what its checks are."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from families import FAMILY
from imagecycle.cloud.flavours import Flavour
from imagecycle.cloud.server_network import Network
from imagecycle.cloud.verification_server import Place, RunningServer
from imagecycle.errors import Unreachable
from imagecycle.machine.config_drive import InstanceData
from imagecycle.site import Site
from imagecycle.verify import cases, cloud_run
from imagecycle.verify.cloud_run import CloudRun
from imagecycle.verify.pictures import Picture
from imagecycle.verify.session import NetworkFacts, Subject
from verify.test_guest_checks import Recorded

PLACE = Place(Flavour("s", "m1.small", 1024, 5, 2), Network("n", "internal", 1442), None, "")


@dataclass
class Login:
    """How far a login has come."""

    reached: bool = False
    trouble: str = "No route to host"

    def so_far(self) -> str:
        return "SSH does not answer"


def run(folder: Path, **changes: Any) -> CloudRun:
    """Of a server that has just become ACTIVE."""
    server = RunningServer("s1", "verify-x", "10.0.0.9", "fa:16:3e:0:0:1", False, False, 0.0)
    made = CloudRun(
        family=FAMILY,
        site=Site(home=folder, boot_timeout=100),
        disk=folder / "disk.qcow2",
        size=3 * 2**30,
        folder=folder,
        cloud="production",
        place=PLACE,
        server=replace(server, active_at=time.monotonic()),
        told=InstanceData(name="verify-x", public_key="k", mac=""),
        read_console=lambda: made.console,
        read_status=lambda: "ACTIVE",
        boot_seconds=0,
        kept_console=folder / "kept.log",
    )
    return replace(made, **changes)


def late(one: CloudRun, seconds: float) -> CloudRun:
    return replace(one, server=replace(one.server, active_at=time.monotonic() - seconds))


def test_a_server_on_its_way_is_waited_for(tmp_path: Path) -> None:
    assert run(tmp_path)._hopeless(Login()) is None  # type: ignore[arg-type]


def test_a_known_picture_on_its_console_ends_the_wait(tmp_path: Path) -> None:
    one = run(tmp_path, console="Kernel panic - not syncing: VFS")
    assert one._hopeless(Login()) == (Picture.PANIC, "the kernel panicked")  # type: ignore[arg-type]


def test_a_server_that_nova_stops_ends_the_wait(tmp_path: Path) -> None:
    one = run(tmp_path, read_status=lambda: "SHUTOFF")
    assert one._hopeless(Login()) == (  # type: ignore[arg-type]
        Picture.SWITCHED_OFF,
        "Nova says that the server is SHUTOFF",
    )


def test_a_server_that_is_reached_and_lets_nobody_in_is_late(tmp_path: Path) -> None:
    found = late(run(tmp_path), 101)._hopeless(Login(reached=True))  # type: ignore[arg-type]
    assert found is not None
    assert found[0] == Picture.LATE
    assert found[1].startswith("SSH does not answer 101 s after")


def test_an_address_that_nothing_answers_at_says_nothing_of_the_image(tmp_path: Path) -> None:
    one = late(run(tmp_path, console="Booting ..."), 101)
    with pytest.raises(Unreachable, match=r"at 10\.0\.0\.9 .*No route to host.*kept.log") as caught:
        one._hopeless(Login())  # type: ignore[arg-type]
    assert "floating_network" in caught.value.hint
    assert (tmp_path / "kept.log").read_text() == "Booting ..."


def test_an_address_that_is_silent_after_the_login_prompt_is_given_up_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_run, "UNREACHABLE", 0.0)
    one = run(tmp_path, console="verify-x login: ")
    with pytest.raises(Unreachable, match=r"nothing answers at 10\.0\.0\.9"):
        [one._hopeless(Login()) for _ in range(3)]  # type: ignore[arg-type]


def test_what_the_checks_are_told_is_the_clouds(tmp_path: Path) -> None:
    one = run(tmp_path, boot_seconds=77.0)
    session = one._session(Subject(one._case(), tmp_path, one.told))
    assert session.cloud == "production"
    assert session.network == NetworkFacts(1442, (), False)
    assert session.budgets.boot_seconds == 77.0
    (subject,) = session.subjects
    assert (subject.case.processors, subject.case.growth) == (2, 2 * 2**30)
    assert subject.case.source == "metadata service"


def test_checks_in_a_cloud_are_those_of_one_running_server(recorded: Recorded) -> None:
    found = recorded.in_cloud()
    defects = {id_: one for id_, one in found.items() if one[0] in ("failed", "not run")}
    assert defects == {}
    left_out = {id_ for id_, (outcome, _) in found.items() if outcome == "left out"}
    assert left_out == {
        "guest_agent.answers",
        "cloud_init.reads_the_config_drive",
        "machines.have_an_ipv6_address[instance]",
        "network.asks_the_resolver_that_it_was_given",
        "screen.shows_the_desktop",
        "user_data.script_of_the_operator_was_run",
    }
    assert "network.interface_has_the_networks_mtu" in found
    assert "root_file_system.grew_to_the_disk[instance]" in found
    assert {id_.partition(".")[0] for id_ in found}.isdisjoint(
        {"power_button", "lives", "accounts"}
    )
    assert cases.TWIN not in " ".join(found)


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)
