"""An image's name, for people: the operator's template, filled in."""

from __future__ import annotations

import string

from imagecycle.errors import UnknownName, UsageError
from imagecycle.model import Family, Release

_LONGEST = 255  # Glance's limit
_EXAMPLE = "an example: {title} - {arch} [{date}]"


def name(template: str, family: Family, release: Release) -> str:
    """The name of a release.

    ``date`` is the release's day, ``2026-11-22``, and ``2026-11-22.1`` for the second that day.

    :raises UsageError: when the template is wrong or gives no usable name.
    """
    serial = f".{release.serial}" if release.serial else ""
    fields = {
        "title": family.title,
        "family": family.slug,
        "arch": family.arch,
        "flavour": family.flavour,
        "release": str(release),
        "date": f"{release.date:%Y-%m-%d}{serial}",
    }
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"name_template: {error}: {template}", hint=_EXAMPLE) from None
    for _, field, form, conversion in parsed:
        if field is not None and field not in fields:
            known = f"the fields are {', '.join(fields)}"
            raise UnknownName("field of name_template", field or "{}", fields, hint=known)
        if form or conversion:
            raise UsageError(
                f"name_template: a field stands alone in its braces: {template}", hint=_EXAMPLE
            )
    text = " ".join(template.format_map(fields).split())
    if not 0 < len(text) <= _LONGEST:
        raise UsageError(
            f"name_template gives a name of {len(text)} characters for {family.slug}",
            hint=f"Glance takes 1 to {_LONGEST}",
        )
    return text
