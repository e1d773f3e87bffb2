"""What the dashboard's console and its log show."""

import re
import time
from collections.abc import Mapping

import pytest

from imagecycle.verify import console, pictures
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT

PROMPT_LIMIT = 45


@pytest.fixture(autouse=True)
def _is_known(session: Session) -> None:
    if not session.has_console:
        pytest.skip(f"{LEFT_OUT}: {session.cloud} does not provide the console log")


def test_shows_a_login_prompt(told: Mapping[str, str], instance: Subject) -> None:
    """The cloud's console shows nothing to log in to when the network fails."""
    prompt = re.compile(
        rf"^[ \t]{{0,80}}{re.escape(instance.instance_data.name)}(\.\S+)? login:", re.MULTILINE
    )
    deadline = time.monotonic() + PROMPT_LIMIT
    while not (prompt.search(console.read(instance.console)) or instance.off):
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert prompt.search(console.read(instance.console)), "no login prompt on the serial console"


def test_shows_no_trouble(told: Mapping[str, str], instance: Subject) -> None:
    """Kernel, initial RAM disk or a service complains at every boot."""
    lines = console.read(instance.console).splitlines()
    assert [line for line in lines if pictures.TROUBLE.search(line)] == []
