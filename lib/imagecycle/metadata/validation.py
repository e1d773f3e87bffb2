"""Whether the properties of a release keep to the schema.

Glance keeps every property as text and checks none of them, so values are checked here before
anything is uploaded.
"""

from __future__ import annotations

from collections.abc import Mapping

from imagecycle.errors import UsageError, suggestion
from imagecycle.metadata.schema import BY_NAME, PREFIX, PROPERTIES

_NAME_LIMIT = 255  # Glance's column
_VALUE_LIMIT = 65_535  # bytes; Glance's column


class InvalidProperties(UsageError):
    """Properties that must not go into a cloud; every mistake is a line of the message."""


def problems(properties: Mapping[str, str]) -> list[str]:
    """What is wrong with the values of some properties; absent ones are not looked for."""
    wrong = []
    for name, value in properties.items():
        known = BY_NAME.get(name)
        if known is None and name.startswith(PREFIX):
            near = suggestion(name, BY_NAME)
            wrong.append(f"property {name} is not in the schema{near}")
        elif known is not None and not known.kind.accepts(value):
            wrong.append(f"property {name}: expected {known.kind.expected}, found {_quoted(value)}")
        elif len(name) > _NAME_LIMIT or len(value.encode()) > _VALUE_LIMIT:
            wrong.append(
                f"property {name[:40]}: expected at most {_NAME_LIMIT} characters of name and "
                f"{_VALUE_LIMIT} bytes of value"
            )
    return wrong


def missing(properties: Mapping[str, str]) -> list[str]:
    """The required properties that are not there."""
    return [one.name for one in PROPERTIES if one.required and one.name not in properties]


def validate(properties: Mapping[str, str], of: str) -> None:
    """See that the properties of a release that is to be published are whole and right.

    :param of: what they belong to, for the message: ``debian-12-x86_64-server 20261122``.
    :raises InvalidProperties: naming each property, its value and what is expected.
    """
    wrong = problems(properties)
    wrong += [f"property {name} is missing" for name in missing(properties)]
    if wrong:
        raise InvalidProperties("\n".join(f"{of}: {line}" for line in wrong), hint=_way_out(wrong))


def _way_out(wrong: list[str]) -> str:
    keys = {one.set_by for one in PROPERTIES if any(f" {one.name}" in line for line in wrong)}
    from_catalog = sorted(keys - {"imagecycle"})
    if from_catalog:
        return f"mend {', '.join(from_catalog)} in the catalog file"
    return "build and verify it again; `imagecycle metadata show` explains each property"


def _quoted(value: str) -> str:
    shown = value if len(value) <= 80 else f"{value[:77]}..."
    return f'"{shown}"' if shown.isprintable() else ascii(shown)
