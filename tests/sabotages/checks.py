"""The offline checks, run one by one in this process: without a machine, in a moment."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from imagecycle.model import Explained, Family
from imagecycle.verify import checks, declared, fixtures
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.verdict import check_name


def offline() -> Mapping[str, Callable[..., None]]:
    """The checks that look at nothing but the disk, by name."""
    return {name: check for name, check in _every().items() if fixtures.is_offline(_needs(check))}


def of_machines() -> Mapping[str, Callable[..., None]]:
    """All others: of machines that run, and of what they leave on their disks."""
    disk = offline()
    return {name: check for name, check in _every().items() if name not in disk}


def _every() -> Mapping[str, Callable[..., None]]:
    found = {}
    for module in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."):
        subject = module.name.rpartition(".")[2]
        if subject.startswith("test_"):
            for name, function in vars(importlib.import_module(module.name)).items():
                if name.startswith("test_") and inspect.isfunction(function):
                    found[check_name(f"{subject}.py::{name}")] = function
    return found


def _needs(function: Callable[..., None]) -> set[str]:
    return set(inspect.signature(function).parameters)


class _Recorded(Defects):
    """Defects that remembers what it has let through."""

    said: list[str]

    def __call__(self, findings: Iterable[Finding], *, even_declared: bool = False) -> list[str]:
        self.__dict__["said"] = super().__call__(findings, even_declared=even_declared)
        return self.said


def run(
    pristine: Pristine, family: Family, explained: tuple[Explained, ...] = ()
) -> dict[str, list[str]]:
    """What each check that rejects the disk says of it."""
    added = frozenset(declared.added(family))
    rejected = {}
    for name, check in offline().items():
        defects = _Recorded(name, added, (*declared.explained(family), *explained))
        given: dict[str, Any] = {
            "pristine": pristine,
            "system": pristine.system,
            "defects": defects,
        }
        try:
            check(**{need: given[need] for need in _needs(check)})
        except AssertionError:
            rejected[name] = defects.said
    return rejected
