"""A good image works not only once: one machine is led through all lives of the full matrix."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from imagecycle.machine import virtual_machine
from imagecycle.verify.cases import INSTANCE, LIVES, Case
from imagecycle.verify.checks import test_lives
from imagecycle.verify.fixtures import Lived
from imagecycle.verify.session import Session
from integration import boots
from integration.boots import BuiltFamily

pytestmark = [pytest.mark.integration, pytest.mark.machines, pytest.mark.long]


def test_a_good_image_lives_on(built_family: BuiltFamily) -> None:
    family, _, artifact = built_family
    case = Case(INSTANCE, "bios", family.properties, processors=2, lives=LIVES)
    found = boots.boot_case(built_family, lambda _root: None, case, lambda _boot: False)
    assert found.lives.keys() == set(LIVES)
    reasons = {name: life.outcome.reason for name, life in found.lives.items()}
    assert set(reasons.values()) == {""}, reasons
    size = virtual_machine.virtual_size(artifact.disk)
    session = cast("Session", SimpleNamespace(size=size))
    for name, life in found.lives.items():
        again = Lived(found.subject, name, life, found.first)
        test_lives.test_is_another_boot(again)
        test_lives.test_keeps_name_and_identity(again)
        test_lives.test_does_not_repeat_user_data(again)
        test_lives.test_snapshot_is_a_new_instance(again)
        test_lives.test_takes_what_a_resize_gives(again, session)
        test_lives.test_has_no_failed_unit(again)
