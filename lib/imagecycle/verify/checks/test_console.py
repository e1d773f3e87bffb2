"""What the dashboard's console and its log show."""

import re
import time

from imagecycle.verify import console
from imagecycle.verify.session import Subject

TROUBLE = (
    r"Kernel panic",
    r"\bBUG:",
    r"\bOops\b",
    r"Call Trace:",
    r"Gave up waiting for",
    r"fsck not present",
    r"\(initramfs\)",
    r"Failed to start",
    r"Dependency failed for",
    r"unexpected inconsistency",
)
PROMPT_LIMIT = 45


def test_shows_a_login_prompt(finished: None, instance: Subject) -> None:
    """The cloud's console shows nothing to log in to when the network fails."""
    prompt = re.compile(
        rf"^\s*{re.escape(instance.instance_data.name)}(\.\S+)? login:", re.MULTILINE
    )
    deadline = time.monotonic() + PROMPT_LIMIT
    while not prompt.search(console.read(instance.console)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert prompt.search(console.read(instance.console)), "no login prompt on the serial console"


def test_shows_no_trouble(finished: None, instance: Subject) -> None:
    """Kernel, initial RAM disk or a service complains at every boot."""
    lines = console.read(instance.console).splitlines()
    assert [line for line in lines if re.search("|".join(TROUBLE), line)] == []
