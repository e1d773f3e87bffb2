"""The notify stage: tell the projects that still use what is superseded, retired or revoked."""

from __future__ import annotations

import datetime
import email.utils
import json
import urllib.parse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagecycle import log
from imagecycle.artifacts import lock_file
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.glance import Glance
from imagecycle.cloud.image import Image
from imagecycle.cloud.projects import Contact, contacts, member_addresses
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.cloud.usage import collect
from imagecycle.errors import ImagecycleError, UnknownName, UsageError
from imagecycle.lifecycle import policies, upload_records
from imagecycle.lifecycle.recognition import recognise
from imagecycle.lifecycle.releases import Holding, current
from imagecycle.metadata import identity
from imagecycle.model import Release, State
from imagecycle.notices import mail
from imagecycle.notices.messages import Affected, Fate, Message, messages
from imagecycle.notices.notice_log import NoticeLog
from imagecycle.site import Site
from imagecycle.site_sections import Retirement

__all__ = ["Notice", "as_json", "as_text", "complain", "messages", "notify"]

_SINCE = {
    State.SUPERSEDED: identity.SUPERSEDED_AT,
    State.RETIRED: identity.RETIRED_AT,
    State.REVOKED: identity.REVOKED_AT,
}


@dataclass(frozen=True)
class Notice:
    """What a run of notify found and did."""

    cloud: str
    to_send: Sequence[Message]
    """Messages that projects have not had yet, those that can be sent"""
    without_address: Sequence[Message]
    told_before: int = 0
    """Projects that had it all from an earlier run"""
    sent: Collection[str] = ()
    """Ids of the messages that have gone out in this run"""
    refused: Sequence[mail.Refusal] = field(default=())


def notify(
    site: Site,
    cloud: str,
    *,
    family: str | None = None,
    release: Release | None = None,
    states: Collection[State] = (),
    send: bool = False,
    template: Path | None = None,
) -> Notice:
    """Write to every project that uses these releases, or only say what would be written.

    :param states: which releases; with ``family`` and ``release`` instead, that one.
    :param send: send what has not been sent before, and record it.
    :raises UnknownName: when the cloud has no such release.
    :raises UsageError: when there is nothing to tell, or it is not said how to send.
    :raises Incomplete: when it is not known who uses them.
    """
    if send:
        mail.check(site.smtp)
    session = open_cloud(cloud, site)
    glance = Glance(session)
    images = glance.images(**({identity.FAMILY: family} if family else {}))
    found = recognise(images, upload_records.of_site(site)).families
    chosen = _chosen(found, cloud, family, release, states)
    path = site.home / "notified" / f"{urllib.parse.quote(cloud, safe=' @+')}.jsonl"
    with lock_file(path.with_suffix(".lock"), f"notify for {cloud}", "notify"):
        record = NoticeLog(path)
        affected = _affected(session, chosen, found, site)
        rest = [left for each in affected if (left := record.rest(each)) is not None]
        written = messages(
            rest,
            cloud=cloud,
            signature=site.smtp.signature,
            template=template or site.notice_template,
        )
        to_send = [message for message in written if message.addresses]
        without = [message for message in written if not message.addresses]
        told = len(affected) - len(rest)
        if not send or not to_send:
            return Notice(cloud, to_send, without, told)
        return _send(Notice(cloud, to_send, without, told), site, record.add)


def _send(notice: Notice, site: Site, record: Callable[[Message, Sequence[str]], None]) -> Notice:
    sent: list[str] = []

    def note(message: Message, taken_for: Sequence[str]) -> None:
        record(message, taken_for)
        sent.append(message.id)
        log.say(f"sent to {', '.join(taken_for)}: {message.subject}")

    try:
        refused = mail.send(notice.to_send, site.smtp, note)
    except ImagecycleError:
        log.warn(f"{len(sent)} of {len(notice.to_send)} messages have been sent")
        raise
    return Notice(
        notice.cloud, notice.to_send, notice.without_address, notice.told_before, sent, refused
    )


def _chosen(
    found: Mapping[str, Sequence[Holding]],
    cloud: str,
    family: str | None,
    release: Release | None,
    states: Collection[State],
) -> list[Holding]:
    if family is None:
        return [held for one in found.values() for held in one if held.state in states]
    if family not in found:
        raise UnknownName(
            f"family in {cloud}", family, found, hint=f"imagecycle status --cloud {cloud}"
        )
    chosen = [held for held in found[family] if held.release == release]
    if not chosen:
        known = [str(held.release) for held in found[family]]
        raise UnknownName(
            f"release of {family} in {cloud}",
            str(release),
            known,
            hint=f"there is {', '.join(known)}",
        )
    told = [held for held in chosen if held.state in _SINCE]
    if not told:
        raise UsageError(
            f"{family} {release} is {chosen[0].state} in {cloud}: there is nothing to tell",
            hint="messages are about superseded, retired and revoked releases",
        )
    return told


def _affected(
    session: CloudSession,
    chosen: Sequence[Holding],
    found: Mapping[str, Sequence[Holding]],
    site: Site,
) -> list[Affected]:
    """Each project that uses any of these releases, its owner's aside, by name."""
    if not chosen:
        return []
    with log.step(f"{session.name}: asking who uses {_count(len(chosen), 'release')}"):
        usage = collect(session, images=[held.id for held in chosen])
        users = {project for held in chosen for project in usage.projects(held.id)}
        users -= {session.project_id}
        known = contacts(session, users)
        addresses = _addresses(session, known)
    policy = policies.read(site)
    fates = {held.id: _fate(held, found[held.family], policy.of(held.family)) for held in chosen}
    return [
        Affected(
            contact.project,
            contact.name,
            addresses[contact.project],
            [
                (fates[held.id], usage.by_image[held.id][contact.project])
                for held in chosen
                if contact.project in usage.projects(held.id)
            ],
        )
        for contact in sorted(known.values(), key=lambda each: (each.name, each.project))
    ]


def _addresses(
    session: CloudSession, known: Mapping[str, Contact]
) -> Mapping[str, tuple[str, ...]]:
    """Of each project's contact, or else of its users."""
    found = {project: _usable(contact.email) for project, contact in known.items()}
    missing = [project for project, addresses in found.items() if not addresses]
    try:
        for project, addresses in member_addresses(session, missing).items():
            found[project] = _usable(", ".join(addresses))
    except Incomplete as error:
        log.warn(f"{error.message}; the members of projects are not known")
    return found


def _usable(text: str) -> tuple[str, ...]:
    """The addresses in a text, without names."""
    found = (address for _, address in email.utils.getaddresses([text]))
    return tuple(
        address
        for address in found
        if address.isascii() and address.count("@") == 1 and not set(address) & set(" \r\n\t<>")
    )


def _fate(held: Holding, family: Sequence[Holding], policy: Retirement) -> Fate:
    since = held.moment(_SINCE[held.state])
    due = ""
    if held.state is State.SUPERSEDED and since is not None:
        then = since + datetime.timedelta(days=policy.after_days)
        due = f"{then:%Y-%m-%d}" if then > datetime.datetime.now(datetime.UTC) else ""
    return Fate(
        id=held.id,
        name=held.image.name,
        family=held.family,
        release=str(held.release),
        state=held.state.value,
        visibility=held.image.visibility,
        since=f"{since:%Y-%m-%d}" if since else "",
        retires_on=due,
        reason=held.image.properties.get(identity.REVOKED_REASON, ""),
        successor=_successor(held, family),
    )


def _successor(held: Holding, family: Sequence[Holding]) -> Mapping[str, str] | None:
    """The family's current release, or what the image itself names."""
    currents = [other.image for other in current(family)]
    named = held.image.properties.get(identity.SUCCESSOR)
    images: list[Image] = currents[-1:] or [
        other.image for other in family if other.id == named and other.id != held.id
    ]
    if not images:
        return None
    release = images[0].properties.get(identity.RELEASE, "")
    return {"id": images[0].id, "name": images[0].name, "release": release}


def as_text(notice: Notice) -> Iterator[str]:
    """The messages for people, and who could not be written to."""
    for message in notice.to_send:
        yield f"To: {', '.join(message.addresses)}"
        yield f"Subject: {message.subject}"
        yield ""
        yield message.body
        yield "-" * 72
    for message in notice.without_address:
        yield f"no address: {message.name or message.project} ({message.project})"
    yield _summary(notice)


def as_json(notice: Notice) -> str:
    """Everything, for programs."""
    whys = {refusal.message.id: refusal.why for refusal in notice.refused}
    listed = [
        {
            **message.document(),
            "sent": message.id in notice.sent,
            "refused": whys.get(message.id, ""),
        }
        for message in (*notice.to_send, *notice.without_address)
    ]
    return json.dumps(
        {"cloud": notice.cloud, "told_before": notice.told_before, "messages": listed}, indent=2
    )


def complain(notice: Notice) -> None:
    """:raises ImagecycleError: naming the messages that the mail server refused."""
    lines = [f"{', '.join(refusal.message.addresses)}: {refusal.why}" for refusal in notice.refused]
    if lines:
        raise ImagecycleError(
            f"the mail server refused {_count(len(lines), 'message')}: {'; '.join(lines)}",
            hint="correct the projects' contacts in Keystone, then run this again",
        )


def _summary(notice: Notice) -> str:
    number = len(notice.to_send)
    parts = [_count(number, "message")]
    if notice.sent or notice.refused:
        parts = [f"{len(notice.sent)} sent", f"{len(notice.refused)} refused"]
    elif number:
        parts[0] += " to send with --send"
    if notice.without_address:
        parts.append(f"{_count(len(notice.without_address), 'project')} without an address")
    if notice.told_before:
        parts.append(f"{notice.told_before} told before")
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
