"""What the panel's pages show: all of it from one file, and nothing asked of the cloud."""

from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from horizon import views

from imagecycle_dashboard import operations_file
from imagecycle_dashboard.operations import Operations
from imagecycle_dashboard.operations_file import NoData
from imagecycle_dashboard.plain_text import plain

_OLD = datetime.timedelta(days=1)
_MOST = 500
"""Rows of one table"""


class _Page(views.HorizonTemplateView):
    """A page that says what is missing."""

    tab = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        now = datetime.datetime.now(datetime.timezone.utc)
        context |= {"tab": self.tab, "today": now.date(), "most": _MOST}
        try:
            found = operations_file.read(getattr(settings, "IMAGECYCLE_OPERATIONS", None))
        except NoData as failure:
            context |= {"no_data": failure.reason, "path": failure.path}
            return context
        taken_at = found.taken_at
        context |= {
            "operations": found,
            "taken_at": taken_at,
            "is_old": taken_at is None or now - taken_at > _OLD,
            "failures": sum(1 for family in found.families if family.failed),
        }
        return {**context, **self.shown(found)}

    def shown(self, found: Operations) -> dict[str, Any]:
        """What this page shows of it."""
        raise NotImplementedError


class IndexView(_Page):
    """All families."""

    tab = "families"
    template_name = "imagecycle_dashboard/admin/index.html"
    page_title = _("Operating systems")

    def shown(self, found: Operations) -> dict[str, Any]:
        words = self.request.GET.get("q", "")[:200]
        wanted = words.casefold().split()
        families = [
            one
            for one in found.families
            if all(word in f"{one.family} {one.title}".casefold() for word in wanted)
        ]
        begun = [one for one in families if one.releases or one.unpublished or one.runs]
        return {
            "words": words,
            "families": begun,
            "not_begun": [one for one in families if one not in begun],
            "count": len(families),
            "of": len(found.families),
        }


class NextView(_Page):
    """What the policy would do next; nothing can be done here."""

    tab = "next"
    template_name = "imagecycle_dashboard/admin/next.html"
    page_title = _("What is next")

    def shown(self, found: Operations) -> dict[str, Any]:
        return {"steps": found.steps[:_MOST], "more": max(0, len(found.steps) - _MOST)}


class FailuresView(_Page):
    """What failed last."""

    tab = "failures"
    template_name = "imagecycle_dashboard/admin/failures.html"
    page_title = _("Failures")

    def shown(self, found: Operations) -> dict[str, Any]:
        return {
            "failed": [one for one in found.families if one.failed],
            "remarked": [one for one in found.families if one.remarks],
        }


class CopiesView(_Page):
    """Images that are no releases."""

    tab = "copies"
    template_name = "imagecycle_dashboard/admin/copies.html"
    page_title = _("Copies and other images")

    def shown(self, found: Operations) -> dict[str, Any]:
        return {
            "copies": found.copies[:_MOST],
            "more_copies": max(0, len(found.copies) - _MOST),
            "strays": found.strays[:_MOST],
            "more_strays": max(0, len(found.strays) - _MOST),
        }


class FamilyView(_Page):
    """One family: its releases, their users, the last runs, the audit log."""

    template_name = "imagecycle_dashboard/admin/family.html"
    page_title = _("{{ found.title|default:family }}")

    def shown(self, found: Operations) -> dict[str, Any]:
        family = found.family(self.kwargs["family"])
        audit = family.audit if family else []
        return {
            "family": plain(self.kwargs["family"], 200),
            "found": family,
            "audit": audit[:_MOST],
            "more_audit": max(0, len(audit) - _MOST),
        }

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        context = self.get_context_data(**kwargs)
        response = self.render_to_response(context)
        if "operations" in context and context["found"] is None:
            response.status_code = 404
        return response
