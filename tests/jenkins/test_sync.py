"""What a sync sends, and what it leaves alone; tests with ``place`` also run at a real one."""

from typing import Any

import pytest

from imagecycle.errors import Unreachable, UsageError
from imagecycle.jenkins import marker
from imagecycle.jenkins.changes import Action, NotOurs
from imagecycle.jenkins.controller import Controller
from imagecycle.jenkins.sync import NotSynced, listing, sync
from standin.controller import StandIn
from standin.items import FREESTYLE_XML

VIEW = """<?xml version="1.0"?>
<hudson.model.ListView><name>%s</name><description>builds</description>
<filterExecutors>false</filterExecutors><filterQueue>false</filterQueue>
<properties class="hudson.model.View$PropertyList"/><jobNames/><jobFilters/><columns/>
<includeRegex>.*</includeRegex></hudson.model.ListView>"""


def job(text: str = "one", command: str = "true") -> str:
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n<project>\n  <description>{text}</description>\n"
        f"  <builders><hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell>"
        "</builders>\n  <publishers />\n  <buildWrappers />\n</project>\n"
    )


def counts(done: Any) -> tuple[int, int, int, int]:
    return (*(done.count(action) for action in Action), done.unchanged)


def test_jobs_and_views_are_created(place: Any) -> None:
    done = sync(place.controller, {"a": job(), "b": job("two")}, {"all builds": VIEW % "v"})
    assert counts(done) == (3, 0, 0, 0)
    assert place.names() == {"job a", "job b", "view all builds"}


def test_each_creation_is_one_request(place: Any) -> None:
    sync(place.controller, {"a": job(), "b": job("two")}, {})
    assert sorted(place.sent) == ["createItem a", "createItem b"]


def test_nothing_is_sent_when_nothing_has_changed(place: Any) -> None:
    jobs, views = {"a": job(), "b": job("two")}, {"v": VIEW % "v"}
    sync(place.controller, jobs, views)
    place.sent.clear()
    assert counts(sync(place.controller, jobs, views)) == (0, 0, 0, 3)
    assert place.sent == []


def test_only_what_has_changed_is_sent(place: Any) -> None:
    sync(place.controller, {"a": job(), "b": job("two")}, {"v": VIEW % "v"})
    place.sent.clear()
    done = sync(place.controller, {"a": job(command="false"), "b": job("two")}, {"v": VIEW % "v"})
    assert counts(done) == (0, 1, 0, 2)
    assert place.sent == ["config.xml"]


def test_what_is_no_longer_wanted_is_deleted(place: Any) -> None:
    sync(place.controller, {"a": job(), "b": job("two")}, {"v": VIEW % "v"})
    done = sync(place.controller, {"a": job()}, {})
    assert counts(done) == (0, 0, 2, 1)
    assert place.names() == {"job a"}


def test_what_belongs_to_others_stays_as_it_is(place: Any) -> None:
    place.make("theirs", "by hand")
    sync(place.controller, {"a": job(), "b": job()}, {})
    sync(place.controller, {"a": job()}, {})
    assert place.descriptions()["job theirs"] == "by hand"


def test_another_owners_jobs_stay(place: Any) -> None:
    sync(place.controller, {"a": job()}, {}, owner="first")
    sync(place.controller, {"b": job()}, {}, owner="second")
    assert place.names() == {"job a", "job b"}
    with pytest.raises(NotOurs, match=r"another library owns job a \(of first\)"):
        sync(place.controller, {"a": job(), "b": job()}, {}, owner="second", take_over=True)


def test_a_copy_of_a_job_is_nobodys_and_stays(place: Any) -> None:
    sync(place.controller, {"a": job()}, {})
    place.make("copy", place.descriptions()["job a"].replace("<", "&lt;"))
    done = sync(place.controller, {"a": job()}, {})
    assert done.kept == ("job copy: a copy of a, or renamed",)
    assert place.names() == {"job a", "job copy"}


def test_a_name_that_is_taken_stops_everything(place: Any) -> None:
    place.make("a", "by hand")
    with pytest.raises(NotOurs, match="not made by this library: job a") as raised:
        sync(place.controller, {"a": job(), "b": job()}, {})
    assert "--take-over" in raised.value.hint
    assert place.names() == {"job a"}


def test_a_job_that_nobody_owns_can_be_taken_over(place: Any) -> None:
    place.make("a", "by hand")
    assert counts(sync(place.controller, {"a": job()}, {}, take_over=True)) == (0, 1, 0, 0)
    assert "one" in place.descriptions()["job a"]


def test_a_dry_run_sends_nothing(place: Any) -> None:
    done = sync(place.controller, {"a": job()}, {}, dry_run=True)
    assert [str(change) for change in done.changes] == ["create job a"]
    assert place.sent == []


def test_force_sends_what_is_unchanged(place: Any) -> None:
    sync(place.controller, {"a": job()}, {})
    assert counts(sync(place.controller, {"a": job()}, {}, force=True)) == (0, 1, 0, 0)


def test_an_edit_of_the_description_by_hand_keeps_the_job_ours(place: Any) -> None:
    sync(place.controller, {"a": job()}, {})
    edited = "\r\nNote: slow.\r\n\r\n" + place.descriptions()["job a"]
    place.controller.post(f"job/{place.folder}/job/a/config.xml", job(edited.replace("<", "&lt;")))
    assert counts(sync(place.controller, {"a": job()}, {})) == (0, 0, 0, 1)
    assert counts(sync(place.controller, {"a": job("x")}, {})) == (0, 1, 0, 0)


def test_text_outside_ascii_and_markup_arrives(place: Any) -> None:
    text = "Größe &lt;b&gt; &amp;amp; 完"
    sync(place.controller, {"a": job(text)}, {})
    assert place.descriptions()["job a"].startswith("Größe <b> &amp; 完")
    assert counts(sync(place.controller, {"a": job(text)}, {})) == (0, 0, 0, 1)


def test_jobs_of_folders_are_made_after_their_folder(client: Controller) -> None:
    folder = job().replace("project>", "com.cloudbees.hudson.plugins.folder.Folder>")
    jobs = {"z/y/a": job(), "z/y": folder, "z": folder}
    assert counts(sync(client, jobs, {})) == (3, 0, 0, 0)
    assert counts(sync(client, jobs, {})) == (0, 0, 0, 3)
    assert counts(sync(client, {"b": job()}, {})) == (1, 0, 3, 0)


def test_a_folder_that_holds_jobs_of_others_is_kept(client: Controller, stand_in: StandIn) -> None:
    folder = job().replace("project>", "com.cloudbees.hudson.plugins.folder.Folder>")
    sync(client, {"z": folder, "a": job()}, {})
    stand_in.add("z/theirs")
    done = sync(client, {"a": job()}, {})
    assert done.kept == ("job z: a folder that holds jobs of others",)
    assert set(stand_in.jobs("z")) == {"theirs"}


def test_no_jobs_at_all_are_a_mistake_and_no_order_to_delete(client: Controller) -> None:
    sync(client, {"a": job()}, {})
    with pytest.raises(UsageError, match="there are no jobs"):
        sync(client, {}, {"v": VIEW % "v"})
    assert [one.name for one in listing(client) if one.kind == "job"] == ["a"]


def test_many_deletions_want_to_be_asked_for(client: Controller, stand_in: StandIn) -> None:
    sync(client, {f"job-{number}": job() for number in range(30)}, {})
    with pytest.raises(UsageError, match="would delete 29 jobs") as raised:
        sync(client, {"job-0": job()}, {})
    assert "--max-deletions 29" in raised.value.hint
    assert len(stand_in.jobs()) == 30
    sync(client, {"job-0": job()}, {}, max_deletions=29)
    assert set(stand_in.jobs()) == {"job-0"}


def test_a_missing_folder_is_named(stand_in: StandIn) -> None:
    from imagecycle.jenkins.account import Account

    account = Account(stand_in.url, stand_in.user, stand_in.token, folder="cloud/images")
    with pytest.raises(Exception, match="there is no folder cloud/images"):
        sync(Controller(account), {"a": job()}, {})


def test_a_creation_whose_answer_was_lost_is_recognised(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.fail("POST /createItem", "cut", after=True)
    assert counts(sync(client, {"a": job()}, {})) == (1, 0, 0, 0)
    assert stand_in.sent()["createItem"] == 2
    assert stand_in.sent()["config.xml"] == 0


def test_a_job_that_somebody_makes_at_the_same_time_is_not_overwritten(
    client: Controller, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imagecycle.jenkins import sync as module

    def late(controller: Controller) -> list[Any]:
        found = listing(controller)
        stand_in.add("a", FREESTYLE_XML.format("theirs"))
        return found

    monkeypatch.setattr(module, "listing", late)
    with pytest.raises(NotSynced, match="has been made by somebody else meanwhile"):
        sync(client, {"a": job()}, {})
    assert stand_in.jobs()["a"].description == "theirs"


def test_a_restart_in_the_middle_is_survived(client: Controller, stand_in: StandIn) -> None:
    stand_in.fail("POST /createItem", "503", times=9)
    jobs = {f"job-{number}": job() for number in range(40)}
    assert counts(sync(client, jobs, {})) == (40, 0, 0, 0)
    assert len(stand_in.jobs()) == 40


def test_one_refusal_does_not_keep_the_others_away(
    client: Controller, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.fail("createItem.name=b", "403", times=9)
    with pytest.raises(NotSynced, match="1 of 3 changes failed: cannot create job b"):
        sync(client, {"a": job(), "b": job(), "c": job()}, {})
    assert set(stand_in.jobs()) == {"a", "c"}


def test_an_interrupted_sync_goes_on_where_it_ended(stand_in: StandIn, client: Controller) -> None:
    jobs = {f"job-{number}": job() for number in range(40)}
    impatient = Controller(client.account, patience=0.2)
    stand_in.fail("createItem.name=job-2", "503", times=1000)
    with pytest.raises(Unreachable):
        sync(impatient, jobs, {})
    made = len(stand_in.jobs())
    stand_in.faults.clear()
    done = sync(client, jobs, {})
    assert done.count(Action.CREATE) == 40 - made
    assert done.unchanged == made


def test_a_mark_that_the_controller_does_not_keep_is_noticed(
    client: Controller, stand_in: StandIn
) -> None:
    stand_in.forgets_descriptions = True
    with pytest.raises(NotSynced, match="does not show 1 of 1 changes"):
        sync(client, {"a": job()}, {})


def test_the_list_of_all_jobs_is_one_request(client: Controller, stand_in: StandIn) -> None:
    jobs = {f"job-{number}": job() for number in range(300)}
    sync(client, jobs, {})
    stand_in.requests.clear()
    sync(client, jobs, {})
    assert stand_in.requests == [stand_in.requests[0]]


def test_the_mark_of_another_job_library_does_not_stay() -> None:
    xml = job("one\n&lt;!-- Managed by Jenkins Job Builder --&gt;")
    assert "Managed by" not in marker.put(xml, marker.Mark("o", "a", "0" * 64))


def test_a_mark_is_found_again_whatever_the_name() -> None:
    mark = marker.Mark("o", "a b/--é>", "0" * 64)
    assert marker.find(f"text\r\n{mark}\r\nmore") == mark
    assert marker.find("text") is None


def test_a_view_without_a_description_gets_one() -> None:
    mark = marker.Mark("o", "v", "0" * 64)
    xml = marker.put("<hudson.model.ListView><name>v</name></hudson.model.ListView>", mark)
    assert marker.find(xml.replace("&lt;", "<").replace("&gt;", ">")) == mark
