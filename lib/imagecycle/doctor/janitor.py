"""``imagecycle janitor``: remove what runs that died have left on this machine, and what is past
its time.

Nothing that somebody works on is touched: whatever has a lock is removed by its holder only.
"""

from __future__ import annotations

import datetime
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagecycle import log
from imagecycle.artifacts import Artifact, ArtifactStore, lock_file
from imagecycle.errors import ImagecycleError, LockHeld
from imagecycle.site import Site
from imagecycle.site_sections import Retention
from imagecycle.verify import work_folder

_DAY = 86400.0


def clean(site: Site, *, dry_run: bool) -> None:
    """Remove leftovers, and say what.

    :param dry_run: only say it.
    :raises ImagecycleError: when something could not be removed; the rest has been by then.
    """
    cleaner = _Cleaner(site, dry_run)
    store = ArtifactStore(site.artifacts)
    families = sorted(path.name for path in _folders(site.artifacts))
    for family in families:
        cleaner.family(store, family)
    work_folder.sweep(site.work, dry_run=dry_run)
    for path in old_evidence(site, time.time()):
        cleaner.remove(path, f"older than {site.retention.evidence_days} days")
    cleaner.installations()
    what = "would be freed" if dry_run else "freed"
    log.say(f"{cleaner.freed / 2**20:.0f} MiB {what} in {len(families)} families")
    if cleaner.failures:
        raise ImagecycleError(
            f"could not be removed: {'; '.join(cleaner.failures)}", hint="remove it by hand"
        )


def past(
    releases: Sequence[Artifact], retention: Retention, today: datetime.date
) -> list[Artifact]:
    """The releases of a family whose time is over: old ones, beside the newest few."""
    ordered = sorted(releases, key=lambda artifact: artifact.release, reverse=True)
    limit = today - datetime.timedelta(days=retention.days)
    return [one for one in ordered[retention.releases :] if one.release.date < limit]


def old_evidence(site: Site, now: float) -> Iterator[Path]:
    """What failed builds and ``--keep`` have left, when it is past its time.

    :param now: seconds since the epoch.
    """
    limit = now - site.retention.evidence_days * _DAY
    for folder in (site.home / "failures", site.home / "kept"):
        for family in _folders(folder):
            yield from (path for path in _folders(family) if path.stat().st_mtime < limit)
    for path in _folders(site.work):
        if path.name.startswith("kept-") and path.stat().st_mtime < limit:
            yield path


class _Cleaner:
    def __init__(self, site: Site, dry_run: bool) -> None:
        self._site = site
        self._dry_run = dry_run
        self._sees_builds = True
        self.freed = 0
        self.failures: list[str] = []

    def remove(self, path: Path, why: str) -> None:
        """Remove a folder or file."""
        size = _size(path)
        if self._dry_run:
            log.say(f"would remove {path}: {why}")
        else:
            log.say(f"removing {path}: {why}")
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            except OSError as error:
                self.failures.append(f"{path} ({error.strerror})")
                return
        self.freed += size

    def family(self, store: ArtifactStore, family: str) -> None:
        """Remove what builds of a family have left, and its old releases."""
        if self._dry_run:
            self._family(store, family)
            return
        try:
            with store.lock(family, "janitor"):
                self._family(store, family)
        except LockHeld as held:
            log.say(f"leaving {held.message}")

    def _family(self, store: ArtifactStore, family: str) -> None:
        self._left_by_builds(store, family)
        today = datetime.datetime.now(datetime.UTC).date()
        retention = self._site.retention
        for artifact in past(store.releases(family), retention, today):
            folder = artifact.folder
            if not self._dry_run:  # so that half of a release is never taken for a whole one
                folder = folder.rename(folder.with_name(f".{artifact.release}.old.partial"))
            self.remove(folder, f"older than {retention.days} days, with newer releases")

    def _left_by_builds(self, store: ArtifactStore, family: str) -> None:
        if self._dry_run:
            for folder in store.partials(family):
                log.say(f"would remove {folder}: an unfinished build, unless one runs")
            return
        if not self._sees_builds:
            return
        try:
            from imagecycle.build import recovery  # wants libvirt, which not every machine has

            recovery.clear(self._site, store, family)
        except (ImportError, ImagecycleError) as error:
            self._sees_builds = False
            log.warn(f"what builds have left stays here: {error}")

    def installations(self) -> None:
        """Remove installations that no build has used for long."""
        cache = self._site.cache / "installations"
        limit = time.time() - self._site.retention.days * _DAY
        for path in sorted(cache.glob("*.raw")):
            if path.stat().st_mtime >= limit:
                continue
            system = path.stem.rpartition("-")[0]
            try:
                with lock_file(cache / f".{system}.lock", system, "janitor"):
                    self.remove(path, f"not used for {self._site.retention.days} days")
                    if not self._dry_run:
                        path.with_suffix(".json").unlink(missing_ok=True)
            except LockHeld as held:
                log.say(f"leaving {held.message}")


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())
