"""What the catalog and the site promise of a family of Windows, as far as its checks ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagecycle.model import Family


@dataclass(frozen=True)
class Declared:
    """Promises, for checks to compare with."""

    user: str
    edition: str
    installation: str
    key: str
    kms_host: str
    activate: bool
    remote_desktop: bool
    winrm: bool
    locale: str
    time_zone: str
    tasks: tuple[str, ...]

    @classmethod
    def read(cls, words: Mapping[str, Any]) -> Declared:
        return cls(**{**words, "tasks": tuple(words["tasks"])})


def of(family: Family, kms_host: str) -> Declared | None:
    """What is declared of a family; None for one that is no Windows.

    :param kms_host: the site's, for families that name none.
    """
    facts = family.windows
    if facts is None:
        return None
    return Declared(
        user=family.admin_user,
        edition=facts.edition,
        installation=facts.installation_type,
        key=facts.key,
        kms_host=facts.context.kms_host or kms_host,
        activate=facts.context.activate,
        remote_desktop=facts.remote_desktop,
        winrm=facts.context.winrm,
        locale=facts.locale,
        time_zone=facts.time_zone,
        tasks=tuple(task.name for task in facts.changes.tasks),
    )
