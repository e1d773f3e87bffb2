"""Runs that are started and followed; the test plays the executors."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.jenkins import follow, run, trigger
from imagecycle.jenkins.build import Verdict
from imagecycle.jenkins.client import Refused
from imagecycle.jenkins.controller import Controller
from imagecycle.jenkins.follow import Followed, LimitReached, Outcome, duration
from imagecycle.jenkins.run import Detached, RunFailed
from imagecycle.jenkins.trigger import Begun, Queued
from standin.controller import StandIn

FAMILY = "debian-12-x86_64-server"
BUILD, VERIFY, PUBLISH = (f"{FAMILY}-{stage}" for stage in ("build", "verify", "publish"))


@pytest.fixture(autouse=True)
def _jobs(stand_in: StandIn) -> None:
    for name, heir in ((BUILD, VERIFY), (VERIFY, PUBLISH), (PUBLISH, "")):
        stand_in.add(name).downstream = [heir] if heir else []


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "CHAIN_LIMIT", 0.3)
    monkeypatch.setattr(follow, "BEGIN_LIMIT", 0.3)


class Play:
    """What happens at the controller, one act after each look."""

    def __init__(self, *acts: Callable[[], Any]) -> None:
        self.acts = list(acts)
        self.said: list[str] = []

    def follow(
        self, client: Controller, *places: Queued | Begun, limit: float = 60
    ) -> list[Outcome]:
        started = [Followed(place) for place in places]
        how: dict[str, Any] = {"say": self.said.append, "report": self._act, "interval": 0.02}
        return follow.follow(client, started, **how, limit=limit)

    def _act(self, *_: int) -> None:
        if self.acts:
            self.acts.pop(0)()


def started(client: Controller, job: str = BUILD) -> Queued | Begun:
    return trigger.trigger(client, job, {}, next_number=1)


def verdicts(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    return [(one.job, str(one.verdict)) for one in outcomes]


def test_a_run_without_waiting_starts_the_stage_with_its_parameters(
    client: Controller, stand_in: StandIn
) -> None:
    given = {"RELEASE": "20261122", "CLOUD": "big & small"}
    assert run.run(client, [FAMILY, FAMILY], stage="publish", parameters=given) == []
    (build,) = stand_in.jobs()[PUBLISH].builds
    assert build.parameters == given


def test_a_job_is_followed_from_the_queue_to_its_end(client: Controller, stand_in: StandIn) -> None:
    stand_in.hold_queue = True
    job = stand_in.jobs()[PUBLISH]
    play = Play(stand_in.take_from_queue, lambda: None, lambda: job.builds[0].ends())
    outcomes = play.follow(client, started(client, PUBLISH))
    assert verdicts(outcomes) == [(PUBLISH, "success")]
    assert play.said == [
        f"{PUBLISH}: waits: Waiting for next available executor on 'imagecycle'",
        f"{PUBLISH}: runs as number 1, about 2 min, {job.url}1/",
        f"{PUBLISH}: success after 61 s, {job.url}1/",
    ]


def test_what_a_job_starts_is_followed_too(client: Controller, stand_in: StandIn) -> None:
    jobs = stand_in.jobs()

    def end(name: str, heir: str = "") -> Callable[[], None]:
        def act() -> None:
            jobs[name].builds[0].ends()
            if heir:
                stand_in.starts(heir, upstream=(name, 1))

        return act

    play = Play(end(BUILD, VERIFY), lambda: None, end(VERIFY, PUBLISH), lambda: None, end(PUBLISH))
    outcomes = play.follow(client, started(client))
    assert verdicts(outcomes) == [(name, "success") for name in (BUILD, VERIFY, PUBLISH)]
    assert f"{BUILD}: started {VERIFY}" in play.said


def test_nothing_is_expected_to_follow_a_verification_with_defects(
    client: Controller, stand_in: StandIn
) -> None:
    play = Play(lambda: stand_in.jobs()[VERIFY].builds[0].ends("UNSTABLE"))
    assert verdicts(play.follow(client, started(client, VERIFY))) == [(VERIFY, "defects")]
    assert stand_in.jobs()[PUBLISH].builds == []
    assert not any("did not start" in line for line in play.said)


def test_another_builds_heir_is_not_taken_for_ours(client: Controller, stand_in: StandIn) -> None:
    stand_in.starts(VERIFY, upstream=(BUILD, 7))
    play = Play(lambda: stand_in.jobs()[BUILD].builds[0].ends())
    outcomes = play.follow(client, started(client))
    assert verdicts(outcomes) == [(BUILD, "success")]
    assert play.said[-1] == f"{BUILD}: did not start {VERIFY}"


def test_an_heir_that_waits_in_the_queue_is_followed(client: Controller, stand_in: StandIn) -> None:
    jobs = stand_in.jobs()
    place = started(client)

    def end() -> None:
        stand_in.hold_queue = True
        jobs[BUILD].builds[0].ends()
        stand_in.starts(VERIFY, upstream=(BUILD, 1))

    play = Play(
        end,
        lambda: None,
        stand_in.take_from_queue,
        lambda: jobs[VERIFY].builds[0].ends("FAILURE"),
    )
    assert verdicts(play.follow(client, place)) == [(BUILD, "success"), (VERIFY, "failure")]


def test_a_job_taken_out_of_the_queue_is_not_started_again(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.hold_queue = True
    place = started(client)
    play = Play(lambda: stand_in.queue[place.item].update(cancelled=True))  # type: ignore[union-attr]
    (outcome,) = play.follow(client, place)
    assert outcome.verdict is Verdict.NOT_BUILT
    assert "was taken out of the queue" in outcome.reason
    assert stand_in.sent()["buildWithParameters"] == 1


def test_a_job_that_the_queue_lost_is_started_again(client: Controller, stand_in: StandIn) -> None:
    stand_in.hold_queue = True
    place = trigger.trigger(client, PUBLISH, {"CLOUD": "c"}, next_number=1)
    jobs = stand_in.jobs()
    play = Play(
        lambda: stand_in.restart(forget_queue=True),
        stand_in.take_from_queue,
        lambda: jobs[PUBLISH].builds[0].ends(),
    )
    assert verdicts(play.follow(client, place)) == [(PUBLISH, "success")]
    assert jobs[PUBLISH].builds[0].parameters == {"CLOUD": "c"}
    assert any("starting it again" in line for line in play.said)


def test_a_job_that_the_queue_loses_again_and_again_is_given_up(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.hold_queue = True
    forget = [lambda: stand_in.restart(forget_queue=True)] * 9
    (outcome,) = Play(*forget).follow(client, started(client))
    assert outcome.verdict is Verdict.NOT_BUILT
    assert next(stand_in.queue_ids) == 4  # three were given before


def test_a_queue_item_that_is_forgotten_leads_to_its_build(
    client: Controller, stand_in: StandIn
) -> None:
    place = started(client, PUBLISH)
    stand_in.queue.clear()  # five minutes after it has left the queue
    play = Play(lambda: stand_in.jobs()[PUBLISH].builds[0].ends())
    assert verdicts(play.follow(client, place)) == [(PUBLISH, "success")]


def test_a_build_that_a_restart_killed_is_lost_and_said_so(
    client: Controller, stand_in: StandIn
) -> None:
    play = Play(stand_in.restart)
    (outcome,) = play.follow(client, started(client))
    assert outcome.verdict is Verdict.LOST
    assert outcome.reason == "the controller was restarted while it ran"


def test_a_build_of_which_nothing_is_left_is_lost(client: Controller, stand_in: StandIn) -> None:
    play = Play(lambda: stand_in.jobs()[BUILD].builds.clear())
    (outcome,) = play.follow(client, started(client))
    assert outcome.verdict is Verdict.LOST


def test_a_restart_while_waiting_is_survived(client: Controller, stand_in: StandIn) -> None:
    def away() -> None:
        stand_in.down = True
        threading.Timer(0.5, back).start()

    def back() -> None:
        stand_in.jobs()[PUBLISH].builds[0].ends()
        stand_in.down = False

    outcomes = Play(away).follow(client, started(client, PUBLISH))
    assert verdicts(outcomes) == [(PUBLISH, "success")]


@pytest.mark.parametrize("hold", [True, False])
def test_a_start_whose_answer_was_lost_is_not_made_twice(
    client: Controller, stand_in: StandIn, hold: bool
) -> None:
    stand_in.hold_queue = hold
    stand_in.fail("buildWithParameters", "cut", after=True)
    place = started(client)
    assert place == (Queued(BUILD, 1) if hold else Begun(BUILD, 1))
    assert stand_in.sent()["buildWithParameters"] == 1


def test_a_start_that_did_not_arrive_is_made_again(client: Controller, stand_in: StandIn) -> None:
    stand_in.fail("buildWithParameters", "cut")
    started(client)
    assert len(stand_in.jobs()[BUILD].builds) == 1


def test_a_start_waits_for_a_controller_that_starts(client: Controller, stand_in: StandIn) -> None:
    client.get("api/json")
    stand_in.fail("buildWithParameters", "503", times=2)
    started(client)
    assert len(stand_in.jobs()[BUILD].builds) == 1


def test_a_start_that_never_arrives_is_given_up(client: Controller, stand_in: StandIn) -> None:
    stand_in.fail("buildWithParameters", "503", times=9)
    with pytest.raises(Unreachable, match="could not be started"):
        started(client)


def test_a_missing_job_says_how_it_comes_there(client: Controller) -> None:
    with pytest.raises(ImagecycleError, match=f"there is no job {FAMILY[:-1]}-build") as raised:
        run.run(client, [FAMILY[:-1]])
    assert f"did you mean {BUILD}?" in raised.value.message
    assert "jenkins sync" in raised.value.hint


def test_a_disabled_job_is_named_before_anything_starts(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.add("other-build").buildable = False
    with pytest.raises(ImagecycleError, match="other-build is disabled"):
        run.run(client, [FAMILY, "other"])
    assert stand_in.jobs()[BUILD].builds == []


def test_a_job_disabled_meanwhile_is_refused(client: Controller, stand_in: StandIn) -> None:
    stand_in.jobs()[BUILD].buildable = False
    with pytest.raises(Refused, match="is not buildable") as raised:
        started(client)
    assert "enable the job" in raised.value.hint


def ending(stand_in: StandIn, result: str, console: str = "") -> threading.Thread:
    """Ends the first build of the last stage as soon as it is there."""

    def work() -> None:
        builds = stand_in.jobs()[PUBLISH].builds
        while not builds:
            threading.Event().wait(0.01)
        builds[0].ends(result, console)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_failure_shows_the_end_of_the_console_and_exits_with_1(
    client: Controller, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    console = "".join(f"line {number}\n" for number in range(100)) + f"auth {stand_in.token}\n"
    thread = ending(stand_in, "FAILURE", console)
    with pytest.raises(
        RunFailed, match=f"1 of 1 jobs did not succeed: {PUBLISH} failure"
    ) as raised:
        run.run(client, [FAMILY], stage="publish", wait=True, interval=0.02)
    thread.join()
    assert raised.value.exit_code == 1
    assert raised.value.hint.endswith(f"/job/{PUBLISH}/1/console")
    shown = capfd.readouterr().err
    assert "| line 99" in shown
    assert "| line 81" in shown
    assert "| line 80" not in shown
    assert "| auth ***" in shown
    assert stand_in.token not in shown


def test_defects_alone_exit_with_3(client: Controller, stand_in: StandIn) -> None:
    thread = ending(stand_in, "UNSTABLE")
    with pytest.raises(RunFailed, match=f"did not succeed: {PUBLISH} defects") as raised:
        run.run(client, [FAMILY], stage="publish", wait=True, interval=0.02)
    thread.join()
    assert raised.value.exit_code == 3


def test_at_the_limit_what_has_not_ended_is_named_and_goes_on(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.add("other-build")
    stand_in.hold_queue = True
    place = started(client, "other-build")
    stand_in.hold_queue = False
    running = started(client)
    failing = started(client, PUBLISH)
    play = Play(lambda: stand_in.jobs()[PUBLISH].builds[0].ends("FAILURE"))
    with pytest.raises(LimitReached) as raised:
        play.follow(client, place, running, failing, limit=3)
    assert raised.value.exit_code == 1
    message = raised.value.message
    assert message.startswith("2 jobs have not ended after 3 s: other-build, ")
    assert f"other-build, {stand_in.url}/job/other-build/;" in message
    assert f"{BUILD}, {stand_in.jobs()[BUILD].builds[0].url};" in message
    assert message.endswith(f"; did not succeed: {PUBLISH} failure")
    assert "--limit" in raised.value.hint
    assert stand_in.jobs()[BUILD].builds[0].building
    assert {method for method, path in stand_in.requests if "stop" in path.lower()} == set()


def test_a_run_has_a_limit_of_its_own(client: Controller, stand_in: StandIn) -> None:
    with pytest.raises(LimitReached, match=f"1 job has not ended after 0 s: {BUILD}, "):
        run.run(client, [FAMILY], wait=True, interval=0.02, limit=0.1)


def test_an_interrupt_leaves_the_jobs_running_and_says_so(
    client: Controller, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "follow", interrupted)
    with pytest.raises(Detached, match="the jobs go on at the controller") as raised:
        run.run(client, [FAMILY], wait=True)
    assert raised.value.exit_code == 130
    assert stand_in.jobs()[BUILD].builds[0].building


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (99, "99 s"), (121, "2 min"), (3600, "60 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_durations_are_one_number_and_its_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
