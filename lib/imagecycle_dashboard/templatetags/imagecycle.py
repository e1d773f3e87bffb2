"""How the templates write down what a release tells."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from horizon.templatetags import sizeformat

from imagecycle_dashboard import words
from imagecycle_dashboard.support import Support, support

register = template.Library()


@register.filter
def of(found: Any, key: str) -> Any:
    """What a mapping holds for a key."""
    return found.get(key)


@register.filter
def in_words(state: str) -> Any:
    """A release's state."""
    return words.STATES.get(state, state)


@register.filter
def visibility_in_words(visibility: str) -> Any:
    """Who can see an image."""
    return words.VISIBILITIES.get(visibility, visibility)


@register.filter
def status_in_words(status: str) -> Any:
    """Where a server, a volume or an image is."""
    return words.STATUSES.get(status.lower(), status)


@register.filter
def verdict_in_words(verdict: str) -> Any:
    """How a run or a verification ended."""
    return words.VERDICTS.get(verdict, verdict)


@register.filter
def stage_in_words(stage: str) -> Any:
    """A stage of the work on a family."""
    return words.STAGES.get(stage, stage)


@register.filter
def outcome_in_words(outcome: str) -> Any:
    """What came of a change."""
    return words.OUTCOMES.get(outcome, outcome)


@register.filter
def support_of(release: Any, today: datetime.date) -> Support | None:
    """The end of a release's support, seen from today."""
    return support(release.end_of_support, today)


@register.filter
def age(day: datetime.date, today: datetime.date) -> Any:
    """How long ago a day was."""
    if day >= today:
        return _("today")
    return _("%(time)s ago") % {"time": timesince(day, today, depth=1)}


@register.filter
def from_now(day: datetime.date, today: datetime.date) -> Any:
    """How long it is to a day."""
    if day <= today:
        return _("today")
    return _("in %(time)s") % {"time": timesince(today, day, depth=1)}


@register.filter
def day(moment: datetime.date) -> str:
    """A day as everybody reads it."""
    return f"{moment.year:04d}-{moment:%m-%d}"


@register.filter
def moment(at: datetime.datetime | None) -> str:
    """A moment, in the one time zone that all share."""
    return f"{day(at)} {at:%H:%M} UTC" if at is not None else ""


@register.filter
def title_of(name: str) -> Any:
    """What a field or a property is called."""
    if name in words.FIELDS:
        return words.FIELDS[name]
    return words.PROPERTIES[name][0] if name in words.PROPERTIES else name


@register.filter
def meaning_of(name: str) -> Any:
    """What a property means."""
    if name in words.PROPERTIES:
        return words.PROPERTIES[name][1]
    return _("For the virtual machine.") if name.startswith(("hw_", "trait:")) else ""


@register.filter
def shown(value: Any, name: str) -> Any:
    """A field of a release in its usual form."""
    if value is None:
        return _("nothing")
    if isinstance(value, datetime.date):
        return day(value)
    if name == "size":
        return sizeformat.float_cast_filesizeformat(value)
    if name == "min_ram":
        return sizeformat.mb_float_format(value)
    return sizeformat.diskgbformat(value) if name == "min_disk" else value


@register.filter
def usable_until(release: Any) -> datetime.date | None:
    """The day until which everyone can use a superseded release at least, where the cloud's
    operator has said in Horizon's settings how long that is; see ``docs/horizon.rst``."""
    days = getattr(settings, "IMAGECYCLE_RETIRE_AFTER_DAYS", None)
    if days is None or release.superseded_at is None:
        return None
    try:
        until: datetime.date = (release.superseded_at + datetime.timedelta(days=days)).date()
    except (OverflowError, TypeError):
        return None
    return until


@register.filter
def more_than(made: Any, named: int) -> int:
    """How many servers and volumes are not named."""
    return max(0, len(made.servers) - named) + max(0, len(made.volumes) - named)
