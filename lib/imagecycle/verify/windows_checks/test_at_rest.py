"""A server at rest works, and waits for its user."""

from collections.abc import Iterator, Mapping

import pytest

from imagecycle.verify.session import Session, Subject
from imagecycle.verify.windows_fixtures import Said

EXPECTED = (
    "Service Control Manager 7023",  # a service of the build is gone
    "DistributedCOM 10016",
    "DistributedCOM 10010",
    "Time-Service 129",
    "Time-Service 134",
    "Security-SPP 8198",  # activation has its own check
    "Security-SPP 1014",
    "TPM 15",
    "WHEA-Logger",
    "Perflib",
    "ESENT 455",
)
"""Events that a good Windows reports at its first start; their causes go away by themselves"""
STOP_BY_THEMSELVES = (
    *("cloudbase-init", "sppsvc", "RemoteRegistry", "MapsBroker", "edgeupdate", "gupdate"),
    *("TrustedInstaller", "wuauserv", "BITS", "CDPSvc", "tiledatamodelsvc", "WbioSrvc"),
)
HIGH = "8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c"
BALANCED = "381b4222-f694-41f0-9685-ff5bb260df2e"


def test_log_has_no_errors(said: Said) -> None:
    """Something fails at every boot, and monitoring says so from the first minute."""
    lines = list(dict.fromkeys(said["events"]))
    assert [line for line in lines if not any(known in line for known in EXPECTED)] == []


def test_services_that_should_run_do(said: Said) -> None:
    """A part of the system does not work from the first minute."""
    assert list(stopped(said["services"], said["triggered"])) == []


def test_time_service_runs(said: Said) -> None:
    """The clock drifts away, until logons in the domain and activation fail."""
    clock = said["clock"]
    state = said["services"].get("W32Time", "")
    startable = clock["service"] == "Running" or "W32Time" in said["triggered"]
    assert startable and not state.startswith("Disabled"), f"W32Time: {clock['service']}, {state}"
    assert clock["source"] in ("NTP", "AllSync", "NT5DS"), f"its source is {clock['source']}"


def test_clock_is_right(said: Said, told: Mapping[str, str]) -> None:
    """Certificates are not valid yet, tickets have expired, and the KMS host does not answer."""
    since_1601 = 11_644_473_600
    now = said["clock"]["now"] / 10_000_000 - since_1601
    off = abs(now - float(told["heard"]))
    assert off < 120, f"the clock is off by {off:.0f} s"


def test_clock_of_the_machine_is_in_local_time(said: Said) -> None:
    """Nova gives Windows a clock in local time; after each start the time is off by hours."""
    assert said["clock"]["universal"] in (None, 0), "RealTimeIsUniversal is set"


def test_network_is_configured_by_dhcp(said: Said, instance: Subject) -> None:
    """The address of the builder is on every server, and only one of them is reached."""
    assert [one["mac"] for one in said["network"] if not one["dhcp"]] == []
    macs = {one["mac"].lower().replace("-", ":") for one in said["network"]}
    assert instance.instance_data.mac in macs, f"the cards are {', '.join(sorted(macs))}"


def test_sees_all_processors(said: Said, instance: Subject) -> None:
    """A flavour with several processors works with one of them only."""
    assert said["processors"] == instance.case.processors


def test_does_not_sleep(said: Said) -> None:
    """A file as large as the memory lies on the disk, or a server falls asleep."""
    assert said["power"]["hibernation"] in (None, 0), "hibernation is on"


def test_power_plan_is_fit_for_servers(said: Said) -> None:
    """Processors are slowed down by a plan for laptops."""
    plan = str(said["power"]["plan"]).lower()
    assert any(one in plan for one in (HIGH, BALANCED)), f"the power plan is {plan}"


def test_page_file_is_managed(said: Said) -> None:
    """A flavour with more memory writes no dump, or the disk is full of a page file."""
    assert said["page_file"] is True


def test_memory(said: Said, session: Session) -> None:
    """The smallest flavour that the image promises to run on has no memory left to work with."""
    used = (said["memory"]["total"] - said["memory"]["free"]) // 1024
    assert used <= session.budgets.memory_mib, f"{used} MiB are in use at rest"


def test_disk(said: Said, session: Session) -> None:
    """Servers, their snapshots and every download of the image cost more than was planned."""
    used = (said["volumes"]["size"] - said["volumes"]["free"]) // 2**20
    assert used <= session.budgets.disk_mib, f"{used} MiB are in use"


def test_boot(instance: Subject, session: Session) -> None:
    """Users wait for a new server; automatic scaling comes too late."""
    limit = session.budgets.boot_seconds
    if not limit:
        pytest.skip("left out: no budget is declared for the boot")
    pace = instance.outcome(session.boot_limit).pace
    assert pace <= limit, f"the login came after {pace:.0f} s of the machine's own pace"


def stopped(services: Mapping[str, str], triggered: list[str]) -> Iterator[str]:
    """The services that Windows starts by itself, and that do not run."""
    for name, words in sorted(services.items()):
        mode, state, code = (*words.split(), "", "", "")[:3]
        bare = name.rpartition("_")[0] if name.rpartition("_")[2].isalnum() else name
        known = {one.lower() for one in (*STOP_BY_THEMSELVES, *triggered)}
        if mode == "Auto" and state != "Running" and not {name.lower(), bare.lower()} & known:
            yield f"{name} is {state}, code {code}"
