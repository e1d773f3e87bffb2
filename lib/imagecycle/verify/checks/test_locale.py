"""The language settings exist."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_is_there(told: Mapping[str, str]) -> None:
    """Every program complains of its locale, and some break text that is not English."""
    assert told["locale"] == ""


def test_keyboard_is_that_of_the_console(pristine: Pristine, defects: Defects) -> None:
    """What users type on the cloud's console, an English keyboard, is not what arrives."""
    assert defects(_other(pristine)) == []


def _other(pristine: Pristine) -> Iterator[Finding]:
    said = re.compile(r"(?:XKBLAYOUT|KEYMAP|LAYOUT)=[\"']?([\w-]+)")
    places = ("/etc/default/keyboard", "/etc/{vconsole.conf,sysconfig/keyboard}")
    for path, line in pristine.lines(*places):
        match = said.match(line)
        if match and not match[1].startswith("us"):
            yield Finding(path, f"says {line}")
