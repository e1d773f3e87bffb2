"""What the values of properties look like: the words, the pattern and the check of each kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from imagecycle.catalog import maintenance_terms


@dataclass(frozen=True)
class Kind:
    """What the values of a property look like."""

    expected: str
    """In words, after "expected" """
    pattern: str = ""
    """A regular expression for the whole value, good for Python and for JSON schema"""
    allowed: tuple[str, ...] = ()
    """The only values, where they are a fixed set"""
    lowest: int | None = None
    """Of whole numbers"""
    dated: bool = False
    """Whether the dates in it must be those of the calendar"""

    def accepts(self, value: str) -> bool:
        if self.allowed:
            return value in self.allowed
        if re.fullmatch(self.pattern, value, re.ASCII) is None or "\n" in value:
            return False
        return not self.dated or maintenance_terms.dates_exist(_dashed(value))

    def as_json_schema(self) -> dict[str, Any]:
        """As Glance's metadata definitions want it."""
        if self.allowed:
            return {"type": "string", "enum": list(self.allowed)}
        if self.lowest is not None:
            return {"type": "integer", "minimum": self.lowest}
        return {"type": "string", "pattern": self.pattern}


def _dashed(value: str) -> str:
    """A release's date in the form of the others."""
    return re.sub(r"^(\d{4})(\d{2})(\d{2})(?=\.|$)", r"\1-\2-\3", value, flags=re.ASCII)


def one_of(*values: str) -> Kind:
    """One of these values and no other."""
    return Kind(", ".join(values[:-1]) + " or " + values[-1], allowed=values)


_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_HEX = "[0-9a-f]"
TEXT = Kind("one line of text", r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$")
WORD = Kind("text without spaces", r"^\S+$")
FAMILY = Kind(
    "a family such as debian-12-x86_64-server", r"^[a-z0-9][a-z0-9._]*(-[a-z0-9][a-z0-9._]*)+$"
)
FLAVOUR = Kind("a flavour such as server", r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
LANGUAGE = Kind("a language such as en-US", r"^[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}$")
RELEASE = Kind("a release such as 20261122 or 20261122.1", r"^\d{8}(\.[1-9]\d*)?$", dated=True)
DATE = Kind("a date such as 2028-06-30", rf"^{maintenance_terms.DATE}$", dated=True)
DATE_TIME = Kind(
    "a time in UTC such as 2026-11-22 12:00:00, or a date alone",
    rf"^{maintenance_terms.DATE}( {_CLOCK}(:[0-5]\d)?)?$",
    dated=True,
)
TIMESTAMP = Kind(
    "a time such as 2026-11-22T12:00:00+00:00",
    rf"^{maintenance_terms.DATE}T{_CLOCK}:[0-5]\d(\.\d+)?(Z|[+-]{_CLOCK})$",
    dated=True,
)
NUMBER = Kind("a whole number such as 48", r"^(0|[1-9]\d*)$", lowest=0)
SHA256 = Kind("64 hexadecimal digits", rf"^{_HEX}{{64}}$")
SHA512 = Kind("128 hexadecimal digits", rf"^{_HEX}{{128}}$")
IMAGE_ID = Kind(
    "the id of an image", rf"^{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}$"
)
BOOLEAN = one_of("true", "false")
