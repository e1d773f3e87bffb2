"""The rendered jobs are run, with scripts that only note what they were called with."""

import json
from pathlib import Path

import pytest

from joblibrary import library
from joblibrary.runner import CannotRun, Order, Run, Runner

BASE, SERVER = "debian-12-x86_64-base", "debian-12-x86_64-server"

NOTE = """#!/usr/bin/python3
import json, os, pathlib, sys
kept = ("OS_CLIENT_CONFIG_FILE", "JENKINS_USER", "JENKINS_TOKEN")
bound = {key: os.environ[key] for key in kept if key in os.environ}
entry = [pathlib.Path(sys.argv[0]).name, sys.argv[1:], bound]
with open(os.environ["JOURNAL"], "a") as journal:
    journal.write(json.dumps(entry) + "\\n")
"""
STAGE = """
records = pathlib.Path("records")
records.mkdir(exist_ok=True)
release = sys.argv[sys.argv.index("--release") + 1] or "20261122"
(records / "release.properties").write_text(f"FAMILY={sys.argv[1]}\\nRELEASE={release}\\n")
(records / (entry[0] + ".json")).write_text("{}")
"""
VERIFY = """
bad = sys.argv[1] in os.environ.get("DEFECTS", "")
(records / "verify.xml").write_text(
    "<testsuite><testcase name='x'>" + "<failure/>" * bad + "</testcase></testsuite>"
)
(records / "verify.html").write_text("<html/>")
broken = sys.argv[1] in os.environ.get("BROKEN", "")
sys.exit(1 if broken else 3 * bad)
"""
IN_CLOUD = """
cloud = sys.argv[sys.argv.index("--cloud") + 1]
if "--verify" in sys.argv and sys.argv[1] in os.environ.get("REQUIRED", ""):
    for kind in ("xml", "html"):
        text = "<testsuite><testcase name='x'/></testsuite>"
        (records / f"verify-{cloud}.{kind}").write_text(text)
    sys.exit(3 if sys.argv[1] in os.environ.get("DEFECTS_IN_CLOUD", "") else 0)
"""
DUE = """
due = pathlib.Path("due")
due.mkdir(exist_ok=True)
for family in os.environ.get("DUE", "").split():
    (due / (family + ".properties")).write_text("SINCE=20261001\\n")
"""


class Controller:
    """The library on an agent whose checkout is made of such scripts."""

    def __init__(self, folder: Path, **environment: str) -> None:
        scripts = folder / "checkout" / "scripts"
        scripts.mkdir(parents=True)
        for name, more in {
            "build": STAGE,
            "verify": STAGE + VERIFY,
            "publish": STAGE + IN_CLOUD,
            "due": DUE,
            "doctor": "",
            "janitor": "",
            "jenkins": "",
            "operations": "",
            "retire": "",
            "status": "",
        }.items():
            (scripts / name).write_text(NOTE + more)
            (scripts / name).chmod(0o755)
        checkout = f"{folder / 'checkout'}/"
        jobs = library.rendered().jobs.items()
        self._journal = folder / "journal"
        self.runner = Runner(
            {name: text.replace("/opt/imagecycle/", checkout) for name, text in jobs},
            folder / "jenkins",
            credentials={
                "imagecycle-clouds": folder / "clouds.yaml",
                "imagecycle-controller": ("robot", "a token"),
            },
            environment={"JOURNAL": str(self._journal), **environment},
        )

    def calls(self) -> list[list[str]]:
        """The scripts that were called, each with its arguments."""
        return [[script, *arguments] for script, arguments, _ in self.journal()]

    def journal(self) -> list[tuple[str, list[str], dict[str, str]]]:
        return [tuple(json.loads(line)) for line in self._journal.read_text().splitlines()]


def names(runs: list[Run]) -> list[str]:
    return [run.job for run in runs]


def publish(release: str, cloud: str) -> list[str]:
    options = ["--release", release, "--cloud", cloud, "--verify", "--records", "records"]
    return ["publish", SERVER, *options]


def test_the_quarter_starts_what_is_due_and_only_that_up_to_its_publication(
    tmp_path: Path,
) -> None:
    controller = Controller(tmp_path, DUE=SERVER)
    runs = controller.runner.start("linux-quarter", CLOUD="east")
    assert [run.result for run in runs] == ["SUCCESS"] * 4
    assert controller.calls() == [
        ["due", "linux", "--cloud", "east", "--out", "due"],
        ["build", SERVER, "--release", "", "--since", "20261001", "--records", "records"],
        ["verify", SERVER, "--release", "20261122", "--records", "records"],
        publish("20261122", "east"),
    ]
    assert names(runs) == [
        "linux-quarter",
        *(f"{SERVER}-{s}" for s in ("build", "verify", "publish")),
    ]
    assert [run.started_by for run in runs[1:]] == names(runs)[:-1]


def test_nothing_is_started_where_nothing_is_due(tmp_path: Path) -> None:
    controller = Controller(tmp_path)
    assert names(controller.runner.start("linux-quarter")) == ["linux-quarter"]


def test_records_report_and_tests_are_where_the_publishers_look(tmp_path: Path) -> None:
    runs = Controller(tmp_path).runner.start(f"{SERVER}-build")
    build, verify, published = runs
    assert build.archived == ["records/build.json", "records/release.properties"]
    assert "records/verify.json" in verify.archived
    assert (verify.tests, verify.reports) == (["records/verify.xml"], ["records/verify.html"])
    assert "records/publish.json" in published.archived
    assert [run.mails for run in runs] == [[], [], []]


def test_an_image_with_defects_is_not_published_and_its_owner_is_told(tmp_path: Path) -> None:
    controller = Controller(tmp_path, DUE=f"{BASE} {SERVER}", DEFECTS=SERVER)
    runs = {run.job: run for run in controller.runner.start("linux-quarter")}
    failed = runs[f"{SERVER}-verify"]
    assert (failed.result, failed.mails) == ("UNSTABLE", ["imagecycle@localhost"])
    assert (failed.tests, failed.reports) == (["records/verify.xml"], ["records/verify.html"])
    assert f"{SERVER}-publish" not in runs
    assert runs[f"{BASE}-publish"].result == "SUCCESS"


def test_what_a_cloud_has_verified_is_shown_by_the_job_that_publishes_it(tmp_path: Path) -> None:
    (run,) = Controller(tmp_path, REQUIRED=SERVER).runner.start(f"{SERVER}-publish", CLOUD="east")
    assert run.result == "SUCCESS"
    assert (run.tests, run.reports) == (
        ["records/verify-east.xml"],
        ["records/verify-east.html"],
    )


def test_an_image_with_defects_in_a_cloud_makes_the_job_unstable(tmp_path: Path) -> None:
    controller = Controller(tmp_path, REQUIRED=SERVER, DEFECTS_IN_CLOUD=SERVER)
    (run,) = controller.runner.start(f"{SERVER}-publish", CLOUD="east")
    assert (run.result, run.mails) == ("UNSTABLE", ["imagecycle@localhost"])
    assert run.reports == ["records/verify-east.html"]


def test_a_verification_that_fails_itself_is_a_failure_and_nothing_follows(tmp_path: Path) -> None:
    runs = Controller(tmp_path, DEFECTS=SERVER, BROKEN=SERVER).runner.start(f"{SERVER}-verify")
    assert [(run.job, run.result) for run in runs] == [(f"{SERVER}-verify", "FAILURE")]


@pytest.mark.parametrize(
    ("stage", "call"),
    [
        ("build", ["--release", "", "--since", "", "--records", "records"]),
        ("verify", ["--release", "", "--records", "records"]),
        ("publish", publish("", "devcloud")[2:]),
    ],
)
def test_every_stage_can_be_started_alone_without_filling_in_anything(
    tmp_path: Path, stage: str, call: list[str]
) -> None:
    controller = Controller(tmp_path)
    controller.runner.start(f"{SERVER}-{stage}")
    assert controller.calls()[0] == [stage, SERVER, *call]


def test_a_parameter_is_a_value_whatever_it_contains(tmp_path: Path) -> None:
    hostile = '20261122"; touch pwned; $(touch pwned) `touch pwned` *'
    controller = Controller(tmp_path)
    controller.runner.start(f"{SERVER}-publish", RELEASE=hostile, CLOUD="a b")
    assert controller.calls() == [publish(hostile, "a b")]
    assert list(tmp_path.rglob("pwned")) == []


def test_a_job_of_a_family_refuses_another_one(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=f"FAMILY: illegal choice {BASE}"):
        Controller(tmp_path).runner.start(f"{SERVER}-build", FAMILY=BASE)


@pytest.mark.parametrize(
    ("job", "bound"),
    [
        ("linux-quarter", {"OS_CLIENT_CONFIG_FILE"}),
        (f"{SERVER}-build", set()),
        (f"{SERVER}-publish", {"OS_CLIENT_CONFIG_FILE"}),
        ("devcloud-retire", {"OS_CLIENT_CONFIG_FILE"}),
        ("devcloud-status", {"OS_CLIENT_CONFIG_FILE"}),
        ("devcloud-operations", {"OS_CLIENT_CONFIG_FILE", "JENKINS_USER", "JENKINS_TOKEN"}),
        ("update-jobs", {"JENKINS_USER", "JENKINS_TOKEN"}),
        ("agents-janitor", set()),
    ],
)
def test_a_job_gets_the_credentials_that_it_needs_and_no_others(
    tmp_path: Path, job: str, bound: set[str]
) -> None:
    controller = Controller(tmp_path)
    controller.runner.start(job)
    assert controller.journal()[0][2].keys() == bound


def test_retirement_is_planned_daily_and_applied_by_choice(tmp_path: Path) -> None:
    controller = Controller(tmp_path)
    controller.runner.start("devcloud-retire")
    controller.runner.start("devcloud-retire", MODE="--apply")
    assert controller.calls() == [
        ["retire", "--all", "--cloud", "devcloud", "--dry-run"],
        ["retire", "--all", "--cloud", "devcloud", "--apply"],
    ]


def test_a_run_that_waits_already_is_not_queued_twice(tmp_path: Path) -> None:
    runner = Controller(tmp_path).runner
    runner.put(Order(f"{SERVER}-build", {"SINCE": "20261001"}, "linux-quarter"))
    runner.put(Order(f"{SERVER}-build", {"SINCE": "20261001"}, "linux-quarter"))
    runner.put(Order(f"{SERVER}-build", {"SINCE": "20270101"}, "linux-quarter"))
    assert len(runner.queue) == 2


def test_what_the_runner_does_not_know_it_refuses(tmp_path: Path) -> None:
    text = library.rendered().jobs["agents-doctor"]
    for old, new in (
        ("hudson.tasks.Shell", "hudson.tasks.Maven"),
        ("hudson.tasks.Mailer", "hudson.tasks.Chat"),
    ):
        runner = Runner(
            {"job": text.replace(old, new).replace("/opt/imagecycle/scripts/", ": ")}, tmp_path
        )
        with pytest.raises(CannotRun, match=new):
            runner.start("job")
