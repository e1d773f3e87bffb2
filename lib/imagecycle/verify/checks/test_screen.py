"""A desktop is there to be seen."""

from collections.abc import Mapping

import pytest

from imagecycle.model import GRAPHICS
from imagecycle.verify.session import Session, Subject
from imagecycle.verify.verdict import LEFT_OUT


@pytest.mark.screen(GRAPHICS)
def test_shows_the_desktop(told: Mapping[str, str], instance: Subject, session: Session) -> None:
    """Users open the console of a desktop and see text, or nothing."""
    assert told["display"].split() == ["active"], "no display manager runs"
    if session.cloud:
        pytest.skip(f"{LEFT_OUT}: {session.cloud} shows no screens")
    shown = instance.screen(session.boot_limit)
    assert shown.is_graphics, f"the screen shows no desktop: {shown}"
