"""What differs between a verified release and the one before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagecycle.artifacts import Artifact, ArtifactStore
from imagecycle.errors import ImagecycleError
from imagecycle.verify import security_results
from imagecycle.verify.verdict import FAILED, NOT_RUN

MIB = 2**20


@dataclass(frozen=True)
class Measure:
    """A number of both releases; None where it is not known."""

    name: str
    unit: str
    before: float | None
    now: float | None

    @property
    def change(self) -> str:
        """In per cent, such as ``+12 %``; empty where it cannot be told."""
        if self.before is None or self.now is None or not self.before:
            return ""
        return f"{100 * (self.now - self.before) / self.before:+.0f} %"


@dataclass(frozen=True)
class Comparison:
    """A release beside the one before it."""

    previous: str
    new_failures: Sequence[str]
    """Names of checks that failed now and not before"""
    mended: Sequence[str]
    """Names of checks that failed before and not now"""
    measures: Sequence[Measure]
    added: Sequence[str]
    """Packages, as ``name version``"""
    removed: Sequence[str]
    changed: Sequence[str]
    """Packages, as ``name old → new``"""
    newly_unmet: Sequence[str] = ()
    """Rules of the security profile that are not met any more"""
    newly_met: Sequence[str] = ()
    """Rules of the security profile that were not met before"""


def with_previous(
    store: ArtifactStore, artifact: Artifact, record: Mapping[str, Any]
) -> Comparison | None:
    """Compare with the newest earlier release that has been verified; None where there is none.

    :param record: what ``verify.json`` says of the release.
    """
    for earlier in reversed(store.releases(artifact.family)):
        if earlier.release >= artifact.release:
            continue
        try:
            before = earlier.record("verify")
            if before is not None:
                return _compare(earlier, before, artifact, record)
        except (ImagecycleError, KeyError, TypeError, AttributeError):
            continue  # not one of ours, or of another time
    return None


def _compare(
    earlier: Artifact, before: Mapping[str, Any], artifact: Artifact, now: Mapping[str, Any]
) -> Comparison:
    failed_before, failed_now = _failed(before), _failed(now)
    packages_before, packages_now = packages(earlier), packages(artifact)
    added, removed, changed = differing(packages_before, packages_now)
    return Comparison(
        previous=str(earlier.release),
        new_failures=sorted(failed_now.keys() - failed_before.keys()),
        mended=sorted(failed_before.keys() - failed_now.keys()),
        measures=_measures(earlier, before, artifact, now),
        added=[f"{name} {packages_now[name]}" for name in added],
        removed=[f"{name} {packages_before[name]}" for name in removed],
        changed=[f"{name} {packages_before[name]} → {packages_now[name]}" for name in changed],
        **of_rules(before, now),
    )


def packages(artifact: Artifact) -> dict[str, str]:
    """The versions of a release's packages by their names; empty where nothing tells."""
    try:
        listed = json.loads((artifact.folder / "packages.json").read_text())["packages"]
        return {str(package["name"]): str(package["version"]) for package in listed}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def differing(
    before: Mapping[str, str], now: Mapping[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """The names of packages that were added, removed, and changed, each sorted."""
    changed = [name for name in before.keys() & now.keys() if before[name] != now[name]]
    return sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys()), sorted(changed)


def of_rules(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """What has changed in the rules of a security profile that both releases were held against."""
    earlier, later = security_results.of(before), security_results.of(now)
    if earlier is None or later is None or earlier.profile != later.profile:
        return {}
    unmet_before = {rule.name for rule in earlier.unmet}
    return {
        "newly_unmet": [str(rule) for rule in later.unmet if rule.name not in unmet_before],
        "newly_met": sorted(unmet_before & {*later.passed}),
    }


def _failed(record: Mapping[str, Any]) -> dict[str, str]:
    return {c["id"]: c["name"] for c in record["checks"] if c["outcome"] in (FAILED, NOT_RUN)}


def _measures(
    earlier: Artifact, before: Mapping[str, Any], artifact: Artifact, now: Mapping[str, Any]
) -> list[Measure]:
    return [
        Measure(
            "Boot to login, at its own pace", "s", _machine(before, "pace"), _machine(now, "pace")
        ),
        Measure(
            "Memory in use at rest",
            "MiB",
            _machine(before, "memory_mib"),
            _machine(now, "memory_mib"),
        ),
        Measure("Disk in use", "MiB", _machine(before, "disk_mib"), _machine(now, "disk_mib")),
        Measure("Size of the image", "MiB", _size(earlier), _size(artifact)),
        Measure("Packages", "", *(len(packages(one)) or None for one in (earlier, artifact))),
        *_scores(before, now),
    ]


def _scores(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Measure]:
    profiles = [record.get("security_profile") or {} for record in (before, now)]
    scores = [one.get("score") for one in profiles]
    same = len({one.get("profile") for one in profiles if one}) == 1
    return [Measure("Score of the security profile", "", *scores)] if same else []


def _machine(record: Mapping[str, Any], what: str) -> float | None:
    """A number of the first machine's first boot."""
    machines = record.get("machines") or [{}]
    value = machines[0].get(what)
    return float(value) if isinstance(value, int | float) and value else None


def _size(artifact: Artifact) -> float | None:
    built = artifact.record("build") or {}
    size = built.get("disk", {}).get("size")
    return round(size / MIB, 1) if isinstance(size, int) else None
