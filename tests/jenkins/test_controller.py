"""The controller's manners: crumbs, certificates, redirects, absences."""

import threading
import time
from pathlib import Path

import pytest
import requests

from certificates import self_signed
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.jenkins.account import Account
from imagecycle.jenkins.client import Client, Refused, Unanswered
from imagecycle.jenkins.controller import Controller, job_path
from standin.controller import StandIn

XML = "<project><description>x</description></project>"


def account_of(stand_in: StandIn, **more: object) -> Account:
    return Account(stand_in.url, stand_in.user, stand_in.token, **more)  # type: ignore[arg-type]


def test_a_change_brings_its_crumb_and_asks_for_it_once(
    client: Controller, stand_in: StandIn
) -> None:
    client.post("createItem", XML, name="a")
    client.post("createItem", XML, name="b")
    assert set(stand_in.jobs()) == {"a", "b"}
    assert [path for _, path in stand_in.requests].count("/crumbIssuer/api/json") == 1


def test_a_controller_without_crumbs_will_do() -> None:
    with StandIn(crumbs=False) as stand_in:
        Controller(account_of(stand_in)).post("createItem", XML, name="a")
        assert set(stand_in.jobs()) == {"a"}


def test_a_crumb_that_a_restart_has_forgotten_is_fetched_again(
    client: Controller, stand_in: StandIn
) -> None:
    client.post("createItem", XML, name="a")
    stand_in.restart()
    client.post("createItem", XML, name="b")
    assert set(stand_in.jobs()) == {"a", "b"}


def test_each_request_is_what_requests_itself_would_send(stand_in: StandIn) -> None:
    """What is worked out once is compared with what a session works out each time."""
    client = Client(account_of(stand_in))
    for path in ("/", "/job/a"):
        client._session.cookies.set("part", path.strip("/"), domain="127.0.0.1", path=path)
        client._cookie = None
        for method, where, body in (
            ("GET", "api/json", None),
            ("POST", "job/a/config.xml", "<é/>".encode()),
            ("POST", "job/b/doDelete", None),
        ):
            request = requests.Request(
                method, f"{stand_in.url}/{where}", {"X-One": "1"}, params={"a": "b é"}, data=body
            )
            client._maybe_add_auth()
            ours, theirs = client._prepared(request), client._session.prepare_request(request)
            assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body)
            assert dict(ours.headers.lower_items()) == dict(theirs.headers.lower_items())


def test_a_path_prefix_and_odd_names_reach_their_job() -> None:
    with StandIn(prefix="/ci/jenkins") as stand_in:
        stand_in.add("a b é")
        found = Controller(account_of(stand_in)).get(f"{job_path('a b é')}/api/json", tree="name")
        assert found["name"] == "a b é"


def test_wrong_credentials_are_refused_without_showing_them(stand_in: StandIn) -> None:
    wrong = Controller(Account(stand_in.url, "operator", "wr0ng"))
    with pytest.raises(Refused) as raised:
        wrong.get("api/json")
    assert raised.value.status == 401
    assert raised.value.hint == "check JENKINS_USER and JENKINS_TOKEN"
    assert "wr0ng" not in raised.value.message


def test_a_token_that_a_controller_echoes_is_not_shown(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.add("a", f"<project><description>{stand_in.token}</description></project>")
    with pytest.raises(Refused) as raised:
        client.get(f"job/{stand_in.token}/api/json")
    assert stand_in.token not in raised.value.message


def test_additional_headers_of_the_environment_are_not_printed(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JENKINS_API_EXTRA_HEADERS", "X-Gate: 0pen")
    Controller(account_of(stand_in)).get("api/json")
    assert "0pen" not in "".join(capfd.readouterr())


def test_a_self_signed_certificate_is_refused_until_it_is_named(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with StandIn(certificate=(certificate, key)) as stand_in:
        with pytest.raises(ImagecycleError, match="is not trusted") as raised:
            Controller(account_of(stand_in)).get("api/json")
        assert "--ca-file" in raised.value.hint
        Controller(account_of(stand_in, ca_file=str(certificate))).get("api/json")
        Controller(account_of(stand_in, insecure=True)).get("api/json")


@pytest.mark.parametrize("fault", ["503", "502", "cut"])
def test_an_absence_after_the_first_answer_is_waited_for(
    client: Controller, stand_in: StandIn, fault: str
) -> None:
    client.get("api/json")
    stand_in.fail("POST /createItem", fault, times=2)
    client.post("createItem", XML, name="a")
    assert set(stand_in.jobs()) == {"a"}


def test_a_restart_is_waited_for_and_said_once(
    client: Controller, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    client.get("api/json")
    stand_in.down = True
    threading.Timer(1.0, lambda: setattr(stand_in, "down", False)).start()
    client.get("api/json", tree="jobs[name]")
    said = capfd.readouterr().err
    assert said.count("waiting up to 5 s") == 1
    assert "Starting Jenkins" in said


def test_a_controller_that_stays_away_is_given_up(stand_in: StandIn) -> None:
    client = Controller(account_of(stand_in), patience=0.5)
    client.get("api/json")
    stand_in.down = True
    with pytest.raises(Unreachable) as raised:
        client.get("api/json")
    assert "has started" in raised.value.hint


def test_an_address_where_nothing_answers_is_given_up_soon() -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match="the connection was refused") as raised:
        Controller(Account("http://127.0.0.1:1/ci", "operator", "5ecret")).get("api/json")
    assert "check JENKINS_URL" in raised.value.hint
    assert time.monotonic() - began < 10


def test_what_is_made_once_is_not_sent_again(client: Controller, stand_in: StandIn) -> None:
    stand_in.add("a")
    client.get("api/json")
    stand_in.fail("POST /job/a/buildWithParameters", "cut", after=True)
    with pytest.raises(Unanswered):
        client.post_once("job/a/buildWithParameters")
    assert stand_in.sent()["buildWithParameters"] == 1


def test_a_missing_permission_is_named(client: Controller, stand_in: StandIn) -> None:
    stand_in.fail("createItem", "403")
    with pytest.raises(Refused) as raised:
        client.post("createItem", XML, name="a")
    assert raised.value.status == 403
    assert "permission" in raised.value.hint


def test_a_page_that_is_no_jenkins_is_named(client: Controller, stand_in: StandIn) -> None:
    stand_in.add("a")
    with pytest.raises(ImagecycleError, match="is not JSON"):
        client.get("job/a/config.xml")


def test_the_tail_of_a_long_console_is_its_last_lines(
    client: Controller, stand_in: StandIn
) -> None:
    job = stand_in.add("a")
    stand_in.starts("a")
    job.builds[0].console = "".join(f"line {number} é\n" for number in range(50_000))
    assert client.tail("job/a/1/consoleText", 2) == ["line 49998 é", "line 49999 é"]
