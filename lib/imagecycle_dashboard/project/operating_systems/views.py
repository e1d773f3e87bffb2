"""What the panel's pages show."""

from __future__ import annotations

import datetime
import urllib.parse
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from horizon import views

from imagecycle_dashboard import clients, families, flavors, holdings
from imagecycle_dashboard.asking import Deadline, NotTold, Question
from imagecycle_dashboard.differences import differences
from imagecycle_dashboard.plain_text import plain
from imagecycle_dashboard.recipes import recipes
from imagecycle_dashboard.releases import REVOKED, Release, is_family

_SHOWN_OF_ONE = 20
"""Servers or volumes of one release that are named"""
_FIRST_PART = 0.7
"""Of the time of a page that asks twice; a silent service must not take all of it"""


class _Page(views.HorizonTemplateView):
    """A page that says what it could not learn."""

    tab = "systems"

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.deadline = Deadline()
        self.not_told: list[str] = []
        """Why something is missing on the page"""

    def ask(self, *questions: Question, part: float = 1.0) -> list[Any]:
        """What the services tell; None where one does not, and the page says so.

        :param part: of the time that is left.
        """
        answers = self.deadline.answers(questions, part=part)
        for failure in answers:
            if isinstance(failure, NotTold):
                self.lacks(failure)
        return [None if isinstance(one, NotTold) else one for one in answers]

    def lacks(self, failure: NotTold) -> None:
        """Have the page say what is missing."""
        if failure.why not in self.not_told:
            self.not_told.append(failure.why)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["today"] = datetime.datetime.now(datetime.timezone.utc).date()
        context["not_told"] = self.not_told
        context["tab"] = self.tab
        context["has_compute"] = clients.has_compute(self.request)
        context["may_launch"] = clients.may_launch(self.request)
        return context


class IndexView(_Page):
    """All systems, and below them the images that are none of ours."""

    template_name = "imagecycle_dashboard/index.html"
    page_title = _("Operating systems")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = self.request
        words = plain(request.GET.get("q", ""), 200)
        architecture = plain(request.GET.get("architecture", ""), 50)
        after = request.GET.get("after", "")
        current = (
            clients.current_images(request)
            if words
            else clients.some_current_images(request, architecture, after)
        )
        questions = [current, clients.listed_images(request)]
        questions += [clients.flavors(request)] if clients.has_compute(request) else []
        listing, listed, *rest = (*self.ask(*questions), None)
        listing, listed = listing or clients.NOTHING, listed or clients.NOTHING
        documents = listing.documents if words else listing.documents[: clients.SHOWN]
        more = not listing.complete or len(documents) < len(listing.documents)
        newest = families.newest(families.releases(documents))
        matching = families.matching(newest.values(), words, architecture)
        shown = families.systems(families.in_order(matching)[: clients.SHOWN])
        context = super().get_context_data(**kwargs)
        context |= {
            "words": words,
            "architecture": architecture,
            "architectures": sorted({one.architecture for one in newest.values()} | {architecture}),
            "systems": shown,
            "count": len(matching),
            "of": len(newest),
            "cut": len(matching) > clients.SHOWN,
            "most": clients.SHOWN,
            "complete": listing.complete or not words,
            "after": after,
            "next": _address(architecture, documents) if more and not words else "",
            "flavors": _smallest(rest[0], shown),
            "others": families.others(
                listed.documents, [one.image_id for one in newest.values()], _project(request)
            ),
            "others_complete": listed.complete,
        }
        return context


class _FamilyPage(_Page):
    """A page about one family."""

    def releases(self, *more: Question) -> tuple[list[Release], list[Any]]:
        """Those of the family, and what is told besides."""
        family = self.kwargs["family"]
        if not is_family(family):
            return [], [None for _question in more]
        asked = clients.images_of_family(self.request, family)
        told = self.ask(*asked, *more)
        listings = [listing for listing in told[: len(asked)] if listing is not None]
        if not all(listing.complete for listing in listings):
            self.lacks(NotTold(_("The family has more images than one page can show.")))
        documents = [document for listing in listings for document in listing.documents]
        return families.of_family(documents, family), told[len(asked) :]

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        context = self.get_context_data(**kwargs)
        response = self.render_to_response(context)
        if context["found"] is None and not self.not_told:
            response.status_code = 404
        return response


class FamilyView(_FamilyPage):
    """A family: its newest release, how to find it, and the older ones that may be used."""

    template_name = "imagecycle_dashboard/family.html"
    page_title = _("{{ found.title|default:family }}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = self.request
        more = [clients.flavors(request)] if clients.has_compute(request) else []
        releases, told = self.releases(*more)
        sizes = told[0] if told else None
        current = families.newest(releases).get(self.kwargs["family"])
        found = current or next(iter(releases), None)
        older = [one for one in releases if found and one.order < found.order]
        context = super().get_context_data(**kwargs)
        context |= {
            "family": plain(self.kwargs["family"], 200),
            "found": found,
            "current": current,
            "releases": releases,
            "recipes": recipes(self.kwargs["family"]) if found else [],
            "flavors_told": sizes is not None,
            "flavor": flavors.smallest(sizes or [], found) if found else None,
            "changes": differences(older[0], found) if found and older else [],
            "before": older[0] if older else None,
        }
        return context


class ReleaseView(_FamilyPage):
    """A release with all its facts."""

    template_name = "imagecycle_dashboard/release.html"
    page_title = _("{{ found.title|default:family }}, release {{ release }}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        releases, _none = self.releases()
        wanted = self.kwargs["release"]
        found = next((one for one in releases if one.release == wanted), None)
        older = [one for one in releases if found and one.order < found.order]
        current = families.newest(releases).get(self.kwargs["family"])
        context = super().get_context_data(**kwargs)
        context |= {
            "family": plain(self.kwargs["family"], 200),
            "release": plain(wanted, 200),
            "found": found,
            "newest": current if found and current and current.order > found.order else None,
            "successor": next((one for one in releases if found and _replaces(one, found)), None),
            "changes": differences(older[0], found) if found and older else [],
            "before": older[0] if older else None,
        }
        return context


class ServersView(_Page):
    """The project's servers and volumes by release."""

    tab = "servers"
    template_name = "imagecycle_dashboard/servers.html"
    page_title = _("My servers")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = self.request
        has_compute, has_volumes = clients.has_compute(request), clients.has_volumes(request)
        questions = [clients.current_images(request)]
        questions += [clients.servers(request)] if has_compute else []
        questions += [clients.volumes(request)] if has_volumes else []
        listing, *told = self.ask(*questions, part=_FIRST_PART)
        servers = told.pop(0) if has_compute else None
        volumes = told.pop(0) if has_volumes else None
        if servers is not None and servers.missing is not None:
            self.lacks(servers.missing)
        made = holdings.gather(servers.found if servers else [], volumes or [])
        newest = families.newest(families.releases(listing.documents if listing else ()))
        looked_up = made[: clients.MOST_IDS]
        listings = self.ask(*clients.images_by_id(request, [one.image_id for one in looked_up]))
        documents = [document for one in listings if one for document in one.documents]
        releases = families.trusted(documents, newest)
        found = holdings.holdings(looked_up, releases, newest)
        all_told = all(one is not None and one.complete for one in listings)
        lost = holdings.unseen(looked_up, documents) if all_told else []
        lost_servers = [server for one in lost for server in one.servers]
        told_of = sum(one.made.count for one in found) + len(lost_servers)
        context = super().get_context_data(**kwargs)
        context |= {
            "holdings": found,
            "newest_told": listing is not None,
            "revoked": [one for one in found if one.release.state == REVOKED],
            "lost": lost_servers,
            "more_lost": max(0, len(lost_servers) - _SHOWN_OF_ONE),
            "others": sum(one.count for one in looked_up) - told_of,
            "left_out": max(0, len(made) - len(looked_up)),
            "has_volumes": has_volumes,
            "named": _SHOWN_OF_ONE,
            "named_slice": f":{_SHOWN_OF_ONE}",
        }
        return context


def _replaces(one: Release, found: Release) -> bool:
    return bool(found.successor) and one.image_id == found.successor


def _smallest(
    sizes: list[flavors.Flavor] | None, shown: list[families.System]
) -> dict[str, flavors.Flavor | None] | None:
    """For each image; None when nothing is told of flavors."""
    if sizes is None:
        return None
    chosen = (release for system in shown for release in system.families)
    return {release.image_id: flavors.smallest(sizes, release) for release in chosen}


def _address(architecture: str, documents: Sequence[clients.Document]) -> str:
    """What follows the address of the page, for what comes after these images."""
    last = str(documents[-1].get("id")) if documents else ""
    asked = {"architecture": architecture, "after": last}
    return f"?{urllib.parse.urlencode({name: value for name, value in asked.items() if value})}"


def _project(request: Any) -> str:
    return str(request.user.tenant_id)
