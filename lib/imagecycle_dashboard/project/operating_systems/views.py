"""What the panel's pages show."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _
from horizon import views

from imagecycle_dashboard import clients, families, flavors, holdings
from imagecycle_dashboard.differences import differences
from imagecycle_dashboard.recipes import recipes
from imagecycle_dashboard.releases import REVOKED, Release, is_family

_SHOWN_OF_ONE = 20
"""Servers or volumes of one release that are named"""
_T = TypeVar("_T")


class _Page(views.HorizonTemplateView):
    """A page that says what it could not learn."""

    tab = "systems"

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.not_told: list[Any] = []
        """Why something is missing on the page"""

    def told(self, ask: Callable[[], _T]) -> _T | None:
        """What a service tells; None when it does not, and the page says so."""
        try:
            return ask()
        except clients.NotTold as failure:
            if str(failure.why) not in [str(why) for why in self.not_told]:
                self.not_told.append(failure.why)
            return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["today"] = datetime.datetime.now(datetime.timezone.utc).date()
        context["not_told"] = self.not_told
        context["tab"] = self.tab
        return context


class IndexView(_Page):
    """All systems, and below them the images that are none of ours."""

    template_name = "imagecycle_dashboard/index.html"
    page_title = _("Operating systems")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = self.request
        listed = self.told(lambda: clients.listed_images(request)) or clients.NOTHING
        listing = listed
        if not listed.complete:
            listing = self.told(lambda: clients.current_images(request)) or listed
        current = families.newest(families.releases(listing.documents))
        words = request.GET.get("q", "")[:200]
        architecture = request.GET.get("architecture", "")[:50]
        found = families.matching(current.values(), words, architecture)
        sizes = self.told(lambda: clients.flavors(request)) or []
        context = super().get_context_data(**kwargs)
        context |= {
            "words": words,
            "architecture": architecture,
            "architectures": sorted({one.architecture for one in current.values()}),
            "systems": families.systems(found),
            "count": len(found),
            "of": len(current),
            "complete": listing.complete,
            "flavors": {one.image_id: flavors.smallest(sizes, one) for one in found},
            "others": families.others(
                listed.documents, [one.image_id for one in current.values()], _project(request)
            ),
            "others_complete": listed.complete,
        }
        return context


class _FamilyPage(_Page):
    """A page about one family."""

    def releases(self) -> list[Release]:
        family = self.kwargs["family"]
        if not is_family(family):
            return []
        documents = self.told(lambda: clients.images_of_family(self.request, family)) or []
        return families.of_family(documents, family)

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
        releases = self.releases()
        current = families.newest(releases).get(self.kwargs["family"])
        found = current or next(iter(releases), None)
        older = [one for one in releases if found and one.order < found.order]
        sizes = self.told(lambda: clients.flavors(self.request)) or [] if found else []
        context = super().get_context_data(**kwargs)
        context |= {
            "family": self.kwargs["family"],
            "found": found,
            "current": current,
            "releases": releases,
            "recipes": recipes(self.kwargs["family"]) if found else [],
            "flavor": flavors.smallest(sizes, found) if found else None,
            "changes": differences(older[0], found) if found and older else [],
            "before": older[0] if older else None,
        }
        return context


class ReleaseView(_FamilyPage):
    """A release with all its facts."""

    template_name = "imagecycle_dashboard/release.html"
    page_title = _("{{ found.title|default:family }}, release {{ release }}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        releases = self.releases()
        wanted = self.kwargs["release"]
        found = next((one for one in releases if one.release == wanted), None)
        older = [one for one in releases if found and one.order < found.order]
        current = families.newest(releases).get(self.kwargs["family"])
        context = super().get_context_data(**kwargs)
        context |= {
            "family": self.kwargs["family"],
            "release": wanted,
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
        has_volumes = clients.has_volumes(request)
        volumes = (self.told(lambda: clients.volumes(request)) or []) if has_volumes else []
        servers = self.told(lambda: clients.servers(request)) or []
        made = holdings.gather(servers, volumes)
        listing = self.told(lambda: clients.current_images(request)) or clients.NOTHING
        newest = families.newest(families.releases(listing.documents))
        looked_up = made[: clients.MOST_IDS]
        documents = (
            self.told(lambda: clients.images_by_id(request, [one.image_id for one in looked_up]))
            or []
        )
        releases = families.trusted(documents, newest)
        found = holdings.holdings(looked_up, releases, newest)
        context = super().get_context_data(**kwargs)
        context |= {
            "holdings": found,
            "revoked": [one for one in found if one.release.state == REVOKED],
            "others": sum(one.count for one in made) - sum(one.made.count for one in found),
            "left_out": max(0, len(made) - len(looked_up)),
            "has_volumes": has_volumes,
            "named": _SHOWN_OF_ONE,
            "named_slice": f":{_SHOWN_OF_ONE}",
        }
        return context


def _replaces(one: Release, found: Release) -> bool:
    return bool(found.successor) and one.image_id == found.successor


def _project(request: Any) -> str:
    return str(request.user.tenant_id)
