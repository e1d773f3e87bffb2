import datetime
import json

import pytest

from imagecycle.jenkins import status
from imagecycle.jenkins.controller import Controller
from imagecycle.jenkins.sync import sync
from standin.controller import StandIn
from standin.items import Thing

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
FAMILY = "debian-12-x86_64-server"
XML = "<project><description>x</description></project>"


def ended(stand_in: StandIn, job: Thing, days_ago: float, result: str | None = "SUCCESS") -> None:
    stand_in.enqueue(job, {}, [])
    build = job.builds[0]
    build.ends(result)
    build.timestamp = int((NOW.timestamp() - days_ago * 86400) * 1000)


@pytest.fixture
def jobs(client: Controller, stand_in: StandIn) -> dict[str, Thing]:
    names = [f"{FAMILY}-{stage}" for stage in ("build", "verify", "publish")]
    sync(client, dict.fromkeys([*names, "linux-quarter"], XML), {})
    return {name.removeprefix(f"{FAMILY}-"): job for name, job in stand_in.jobs().items()}


def family(client: Controller) -> tuple[str, str]:
    found = status.collect(client, [FAMILY], owner="imagecycle", now=NOW)
    (one,) = found.families
    return one.stands(found.quarter), one.link


def test_it_is_one_request(client: Controller, stand_in: StandIn, jobs: object) -> None:
    stand_in.requests.clear()
    status.collect(client, [FAMILY], owner="imagecycle")
    assert len(stand_in.requests) == 1


def test_a_family_is_done_once_all_stages_ended_well_this_quarter(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    assert family(client)[0] == "due"
    ended(stand_in, jobs["build"], 3)
    ended(stand_in, jobs["verify"], 2)
    assert family(client)[0] == "under way"
    ended(stand_in, jobs["publish"], 1)
    assert family(client) == ("done", jobs["publish"].builds[0].url)


def test_last_quarters_success_does_not_count(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    for stage in ("build", "verify", "publish"):
        ended(stand_in, jobs[stage], 60)
    assert family(client)[0] == "due"


@pytest.mark.parametrize("result", ["FAILURE", "ABORTED", None])
def test_a_failure_stands_before_all_else_and_is_linked(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing], result: str | None
) -> None:
    ended(stand_in, jobs["build"], 3)
    ended(stand_in, jobs["verify"], 2, result)
    assert family(client) == ("failed", jobs["verify"].builds[0].url)


def test_defects_are_told_apart_from_a_failure(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    ended(stand_in, jobs["build"], 3)
    ended(stand_in, jobs["verify"], 2, "UNSTABLE")
    assert family(client) == ("defects", jobs["verify"].builds[0].url)
    ended(stand_in, jobs["publish"], 1, "FAILURE")
    assert family(client)[0] == "failed"


def test_what_waits_or_runs_is_shown(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    stand_in.hold_queue = True
    stand_in.starts(f"{FAMILY}-build")
    assert family(client)[0] == "waiting"
    (build,) = stand_in.take_from_queue()
    assert family(client) == ("running", build.url)


def test_a_family_without_jobs_is_shown(client: Controller) -> None:
    assert family(client) == ("no jobs", "")


def test_jobs_of_others_are_not_shown(client: Controller, stand_in: StandIn, jobs: object) -> None:
    stand_in.add("theirs-build")
    stand_in.add("theirs")
    found = status.collect(client, [FAMILY], owner="imagecycle", now=NOW)
    assert [one.family for one in found.families] == [FAMILY]
    assert [job.name for job in found.others] == ["linux-quarter"]


def test_the_table_has_age_verdict_link_and_a_summary(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    ended(stand_in, jobs["build"], 3)
    ended(stand_in, jobs["verify"], 2, "UNSTABLE")
    jobs["publish"].buildable = False
    found = status.collect(client, [FAMILY, "other"], owner="imagecycle", now=NOW)
    text = status.as_table(found)
    line = next(line for line in text.splitlines() if line.startswith(FAMILY))
    assert "ok, 3 d ago" in line
    assert "defects, 48 h ago" in line or "defects, 2 d ago" in line
    assert "never (disabled)" in line
    assert jobs["verify"].builds[0].url in line
    assert text.splitlines()[-1] == "2026 Q4: 2 families: 1 defects, 1 no jobs"


def test_families_that_are_done_can_be_left_out(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    for stage in ("build", "verify", "publish"):
        ended(stand_in, jobs[stage], 1)
    found = status.collect(client, [FAMILY, "other"], owner="imagecycle", now=NOW)
    assert FAMILY in status.as_table(found)
    assert FAMILY not in status.as_table(found, only_open=True)
    assert "1 done" in status.as_table(found, only_open=True)


def test_json_is_for_programs(
    client: Controller, stand_in: StandIn, jobs: dict[str, Thing]
) -> None:
    ended(stand_in, jobs["build"], 3, "FAILURE")
    found = status.collect(client, [FAMILY], owner="imagecycle", now=NOW)
    value = json.loads(status.as_json(found))
    (one,) = value["families"]
    assert value["quarter"] == "2026-10-01T00:00:00+00:00"
    assert one["stands"] == "failed"
    assert one["stages"]["build"]["completed"]["verdict"] == "failure"
    assert one["stages"]["build"]["completed"]["began_at"] == "2026-11-19T12:00:00+00:00"


@pytest.mark.parametrize(("month", "first"), [(1, 1), (3, 1), (4, 4), (12, 10)])
def test_a_quarter_begins_in_january_april_july_and_october(month: int, first: int) -> None:
    moment = datetime.datetime(2026, month, 28, tzinfo=datetime.UTC)
    assert status.quarter_start(moment) == datetime.datetime(2026, first, 1, tzinfo=datetime.UTC)
