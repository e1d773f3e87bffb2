"""The language settings exist."""

import re
from collections.abc import Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


def test_is_there(told: Mapping[str, str]) -> None:
    """Every program complains of its locale, and some break text that is not English."""
    assert told["locale"] == ""


def test_keyboard_is_that_of_the_console(pristine: Pristine, defects: Defects) -> None:
    """What users type on the cloud's console, an English keyboard, is not what arrives."""
    other = re.compile(r"(XKBLAYOUT|KEYMAP)=[\"']?(?!us\b|[\"']?$)\S")
    lines = pristine.lines("/etc/default/keyboard", "/etc/{vconsole.conf,sysconfig/keyboard}")
    assert defects(Finding(path, f"says {line}") for path, line in lines if other.match(line)) == []
