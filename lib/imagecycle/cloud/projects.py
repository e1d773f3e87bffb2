"""The names of projects and whom to write to, as far as Keystone knows.

Keystone has no field for a project's contact, but takes any further fields; the first of
:data:`CONTACT_FIELDS` that holds an address is taken for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from imagecycle import log
from imagecycle.cloud import clients
from imagecycle.cloud.concurrent import for_each
from imagecycle.cloud.errors import Incomplete
from imagecycle.cloud.paging import Listing, Record, pages
from imagecycle.cloud.session import CloudSession

CONTACT_FIELDS = ("contact_email", "contact", "email", "mail")
PAGE = "1000"


@dataclass(frozen=True)
class Contact:
    """A project, for people. Name and email are empty when Keystone does not know them."""

    project: str
    name: str = ""
    email: str = ""

    @property
    def title(self) -> str:
        """Its name and id, or the id alone."""
        return f"{self.name} ({self.project})" if self.name else self.project


def contacts(cloud: CloudSession, project_ids: Collection[str]) -> Mapping[str, Contact]:
    """Name and address of each of these projects, from one listing of all.

    Nothing depends on them, so a Keystone that does not tell is a warning and no error.
    """
    found = {project: Contact(project) for project in project_ids}
    if not found:
        return found
    url = cloud.endpoint("identity")
    if url is None:
        return found
    try:
        for page in pages(cloud, _listing(cloud, url, "projects"), more=_more):
            for record in page:
                if record["id"] in found:
                    found[record["id"]] = _contact(record)
    except Incomplete as error:
        log.warn(f"{error.message}; projects are shown without their names")
    return found


def member_addresses(
    cloud: CloudSession, project_ids: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """The addresses of the users who have a role in each of these projects of their own.

    For projects without a contact. Roles that come through groups or from above do not count:
    operators have those. One listing of all users, and one call for each project.

    :raises Incomplete: when Keystone does not tell.
    """
    url = cloud.endpoint("identity")
    if url is None or not project_ids:
        return {}
    addresses: dict[str, str] = {}
    for page in pages(cloud, _listing(cloud, url, "users", enabled="true"), more=_more):
        for record in page:
            if "@" in str(record.get("email") or ""):
                addresses[record["id"]] = str(record["email"]).strip()
    found: dict[str, tuple[str, ...]] = {}
    roles = clients.keystone(clients.limited(cloud), url).role_assignments

    def ask(project: str) -> None:
        listing = Listing(
            "role assignments",
            lambda query: {"role_assignments": [one.to_dict() for one in roles.list(**query)]},
            "role_assignments",
            {"project": project},
        )
        given = [one for page in pages(cloud, listing, more=lambda _: False) for one in page]
        ids = {one.get("user", {}).get("id") for one in given}
        found[project] = tuple(sorted({addresses[user] for user in ids if user in addresses}))

    for_each(ask, project_ids)
    return found


def _listing(cloud: CloudSession, url: str, kind: str, **query: str) -> Listing:
    """All ``projects`` or ``users``."""
    session = clients.limited(cloud)
    things = getattr(clients.keystone(session, url), kind)

    def ask(query: Mapping[str, str]) -> Record:
        found = things.list(**query)
        # the client does not tell whether there is more, nor that Keystone left out the rest
        answer = session.answer.json()
        links = answer.get("links") or {}
        if answer.get("truncated") and not links.get("next"):
            raise Incomplete(
                f"{cloud.name}: Keystone lists no more than {len(found)} {kind}",
                hint="raise list_limit in keystone.conf, or take it out",
            )
        return {kind: [thing.to_dict() for thing in found], "links": links}

    return Listing(kind, ask, kind, {"limit": PAGE, **query})


def _more(answer: Record) -> bool:
    """Keystones before 2025 know no pages and answer with all at once, whatever is asked."""
    return bool(answer["links"].get("next"))


def _contact(record: Record) -> Contact:
    addresses = (record.get(name) for name in CONTACT_FIELDS)
    email = next((text for text in addresses if isinstance(text, str) and "@" in text), "")
    return Contact(record["id"], record.get("name") or "", email.strip())
