"""Giving a cloud the definitions of our properties, and the schema as a reference to read."""

from __future__ import annotations

import json
from typing import Any

from imagecycle import log
from imagecycle.cloud import namespace
from imagecycle.cloud.session import CloudSession, open_cloud
from imagecycle.devcloud import config
from imagecycle.metadata import schema
from imagecycle.metadata.schema import Origin, Property
from imagecycle.site import Site

TITLE = "Operating-system images (imagecycle)"
DESCRIPTION = (
    "What an image is, how fresh it is and for how long it can be relied on. Written by "
    "imagecycle when it publishes an image; the words of public clouds are those of SCS-0102."
)


def install(site: Site, *, cloud: str, dry_run: bool) -> list[namespace.Call]:
    """Bring the definitions in a cloud up to date; nothing is done where they are.

    :returns: what was done, or would be.
    :raises ImagecycleError: when the user may not, or the namespace is somebody else's.
    """
    session = open_cloud(cloud, site)
    definitions = namespace.Definitions(session)
    there = definitions.read()
    calls = namespace.decide(as_namespace(), there, session.project_id, [schema.PREFIX])
    if not calls:
        log.say(f"nothing to do: {cloud} has the definitions")
        return calls
    log.say(f"plan for the metadata definitions in {cloud}:")
    for number, call in enumerate(calls, start=1):
        log.say(f"  {number}. {call}")
    if not dry_run:
        definitions.carry_out(calls)
        log.say(f"{cloud} has the definitions")
    return calls


def shortcoming(session: CloudSession) -> str:
    """What is wrong with a cloud's definitions, in words; empty when they are up to date.

    :raises ImagecycleError: when it does not tell.
    """
    there = namespace.Definitions(session).read()
    if there is None:
        return "has no metadata definitions of imagecycle's properties"
    owner = str(there.get("owner"))
    if namespace.decide(as_namespace(), there, owner, [schema.PREFIX]):
        return "has metadata definitions of another version of imagecycle"
    return ""


def as_namespace() -> namespace.Namespace:
    """The schema as Glance's metadata definitions; without what OpenStack defines itself."""
    return namespace.Namespace(
        TITLE,
        DESCRIPTION,
        {
            one.name: _definition(one)
            for one in schema.PROPERTIES
            if one.origin is not Origin.OPENSTACK
        },
    )


def _definition(one: Property) -> dict[str, Any]:
    definition = {"title": one.title, "description": one.meaning, **one.kind.as_json_schema()}
    if one.origin is Origin.IMAGECYCLE:
        definition["readonly"] = True
    return definition


def as_settings() -> str:
    """The settings of Nova and Cinder that keep copies from looking like releases."""
    nova = ",".join((*config.LEFT_OUT_BY_NOVA, *schema.NOT_INHERITED))
    cinder = ",".join((*config.LEFT_OUT_BY_CINDER, *schema.NOT_INHERITED))
    return (
        f"# nova.conf, [DEFAULT]\nnon_inheritable_image_properties = {nova}\n\n"
        f"# cinder.conf, [DEFAULT]\nglance_core_properties = {cinder}\n"
    )


def as_json() -> str:
    """The schema, for programs."""
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "meaning": one.meaning,
            "expected": one.kind.expected,
            **one.kind.as_json_schema(),
            "type": "string",
            "set_by": one.set_by,
            "when": one.when,
            "example": one.example,
            "required": one.required,
            "defined_by": one.origin.value,
        }
        for one in schema.PROPERTIES
    ]
    return json.dumps(rows, indent=2) + "\n"


def as_text() -> str:
    """The schema, for people: a paragraph for each property."""
    paragraphs = []
    for one in schema.PROPERTIES:
        required = ", required" if one.required else ""
        lines = [
            one.name,
            f"    {one.title}. {one.meaning}",
            f"    expected  {one.kind.expected}{required}",
            f"    example   {one.example}",
            f"    set by    {one.set_by} ({one.when}); defined by {one.origin.value}",
        ]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs) + "\n"


def as_rst() -> str:
    """The schema as a table in reStructuredText, for ``docs/metadata.rst``."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        *_row("Property", "Meaning", "Expected", "Set by", "When"),
    ]
    for one in schema.PROPERTIES:
        name = f"``{one.name}``" + (" (required)" if one.required else "")
        example = one.example if len(one.example) <= 40 else f"{one.example[:37]}..."
        expected = f"{one.kind.expected}: ``{example}``"
        lines += _row(name, f"{one.title}. {one.meaning}", expected, one.set_by, one.when)
    return "\n".join(lines) + "\n"


def _row(first: str, *others: str) -> list[str]:
    return [f"   * - {first}", *(f"     - {other}" for other in others)]
