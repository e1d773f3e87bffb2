import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from imagecycle.errors import ImagecycleError, Unreachable, UsageError
from imagecycle.model import ProjectUse
from imagecycle.notices import mail
from imagecycle.notices.messages import Affected, Fate, Message
from imagecycle.notices.notice_log import NoticeLog
from imagecycle.site_sections import Smtp
from notices.mail_server import MailServer, serving


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving() as state:
        yield state


def message(number: int, *addresses: str) -> Message:
    to = addresses or (f"p{number}@example.org",)
    return Message(f"p{number}", f"project {number}", to, "Grüße", "body\n.\n", (f"k{number}",))


def settings(server: MailServer, **more: object) -> Smtp:
    fields = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": 5}
    return Smtp.model_validate({**fields, "sender": "Ops <ops@example.org>", **more})


def send(
    server: MailServer, messages: Sequence[Message], **more: object
) -> tuple[list[str], list[mail.Refusal]]:
    sent: list[str] = []
    refused = mail.send(
        messages, settings(server, **more), lambda message, _: sent.append(message.project)
    )
    return sent, refused


def test_every_message_goes_out_whole(server: MailServer) -> None:
    sent, refused = send(server, [message(1), message(2)], reply_to="help@example.org")
    assert (sent, refused) == (["p1", "p2"], [])
    recipients, got = server.taken[0]
    assert recipients == ["p1@example.org"]
    assert (got["Subject"], got["Reply-To"]) == ("Grüße", "help@example.org")
    assert got["From"] == "Ops <ops@example.org>"
    assert got["Message-ID"] == f"<{message(1).id}@example.org>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().splitlines() == ["body", "."]


def test_a_refused_recipient_keeps_no_other_project_from_its_message(server: MailServer) -> None:
    server.refused = {"p1@example.org"}
    sent, refused = send(server, [message(1), message(2)])
    assert sent == ["p2"]
    assert [(each.message.project, each.why) for each in refused] == [
        ("p1", "p1@example.org: 550 no such user here")
    ]


def test_a_message_with_one_good_address_has_been_sent(server: MailServer) -> None:
    server.refused = {"x@example.org"}
    sent, refused = send(server, [message(1, "x@example.org", "y@example.org")])
    assert sent == ["p1"]
    assert "x@example.org: 550" in refused[0].why


def test_a_message_that_is_taken_for_spam_is_told(server: MailServer) -> None:
    server.refuses_data = True
    assert send(server, [message(1)])[1][0].why == "554 looks like spam"


def test_a_server_that_goes_away_half_way_is_an_error_and_what_was_sent_is_known(
    server: MailServer,
) -> None:
    server.goes_away_after = 1
    sent: list[str] = []
    with pytest.raises(Unreachable, match="the connection was cut") as caught:
        mail.send(
            [message(1), message(2)], settings(server), lambda one, _: sent.append(one.project)
        )
    assert sent == ["p1"]
    assert "not sent again" in caught.value.hint


def test_a_server_that_says_nothing_is_given_up(server: MailServer) -> None:
    server.silent = True
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        send(server, [message(1)], timeout=0.2)
    assert time.monotonic() - began < 3


def test_nobody_listening_is_one_clear_error() -> None:
    smtp = Smtp.model_validate(
        {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "a@example.org"}
    )
    with pytest.raises(Unreachable, match=r"the mail server 127\.0\.0\.1:9: Connection refused"):
        mail.send([message(1)], smtp, lambda *_: None)


def test_a_server_without_encryption_gets_nothing_unless_the_site_says_so(
    server: MailServer,
) -> None:
    with pytest.raises(ImagecycleError, match="STARTTLS"):
        send(server, [message(1)], security="starttls")
    assert server.taken == []


def test_a_password_is_never_sent_in_clear() -> None:
    with pytest.raises(ValueError, match="only sent over starttls or tls"):
        Smtp.model_validate({"user": "u", "security": "none"})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "do not say how to send mail"),
        ({"host": "h"}, "do not say how to send mail"),
        ({"host": "h", "sender": "a@example.org", "user": "u"}, "there is no password for u at h"),
    ],
)
def test_settings_that_are_not_enough_are_named(
    fields: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(mail.PASSWORD, raising=False)
    with pytest.raises(UsageError, match=words):
        mail.check(Smtp.model_validate(fields))


FATE = Fate("i", "n", "f", "20261122", "retired", "shared", "2026-11-22")
AFFECTED = Affected("p", "n", ("a@example.org",), [(FATE, ProjectUse({"ACTIVE": 1}))])


def told(*keys: str) -> Message:
    return Message("p", "n", ("a@example.org",), "s", "b", keys)


def test_who_was_told_is_not_told_again(tmp_path: Path) -> None:
    record = NoticeLog(tmp_path / "notified" / "c.jsonl")
    assert record.rest(AFFECTED) == AFFECTED
    record.add(told(FATE.key), ["a@example.org"])
    assert record.rest(AFFECTED) is None
    assert NoticeLog(record.path).rest(AFFECTED) is None


def test_only_what_is_new_is_told(tmp_path: Path) -> None:
    record = NoticeLog(tmp_path / "c.jsonl")
    record.add(told("i superseded 2026-08-22"), [])
    assert record.rest(AFFECTED) == AFFECTED


def test_a_line_that_was_cut_by_a_kill_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    first = NoticeLog(path)
    first.add(told("other"), [])
    with path.open("a") as stream:
        stream.write('{"project": "p", "ke')
    again = NoticeLog(path)
    assert again.rest(AFFECTED) == AFFECTED
    again.add(told(FATE.key), [])
    assert NoticeLog(path).rest(AFFECTED) is None
    assert len(path.read_text().splitlines()) == 2


def test_a_record_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("[]\n")
    with pytest.raises(ImagecycleError, match=r"c\.jsonl:1: cannot be read"):
        NoticeLog(path)
