"""``imagecycle build``: from the catalog to a whole release in the artifact folder."""

from __future__ import annotations

import contextlib
import datetime
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from imagecycle import __version__, command, log, systems
from imagecycle.artifacts import Artifact, ArtifactStore, write_json
from imagecycle.build import (
    builder,
    clean,
    customise,
    disk,
    domain,
    explanation,
    inputs,
    installation,
    media,
    offline,
    recovery,
    windows_customise,
)
from imagecycle.build.oz_guest import StepTime
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.machine import accelerator, platforms
from imagecycle.model import Family, Release, newest_since
from imagecycle.site import Site

EVIDENCE = (
    "console.log",
    "customisation.log",
    "imagefactory.log",
    "oz.log",
    domain.PICTURE,
    "template.tdl",
)


def build(
    family: Family,
    site: Site,
    *,
    release: str | None = None,
    since: str | None = None,
    force: bool = False,
    dry_run: bool = False,
    keep: bool = False,
) -> Artifact | None:
    """Build a release of a family, unless its inputs are those of the newest one.

    :param release: its name; today's date by default.
    :param since: build, whatever the inputs, unless there is this release or a later one.
    :param force: build all the same, and replace a release of that name.
    :param dry_run: only say what would be done.
    :param keep: leave the working folder for inspection.
    :returns: the release; None for a dry run.
    :raises UsageError: when a release of that name exists and has other inputs.
    :raises InstallationFailed: with the places of console and screenshot.
    """
    store = ArtifactStore(site.artifacts)
    wanted = Release.parse(release) if release else None
    begun = _since(store, family, Release.parse(since)) if since else None
    platforms.refuse_missing(family)
    if begun is not None and not force:
        log.say(f"{family.slug} {begun.release} is there, and not older than {since}")
        return None if dry_run else begun
    source = media.find(family, site)
    base = installation.digest(family, source)
    digest = inputs.digest(family, base, site.compression)
    renewed = force or (since and wanted is None)
    unchanged = None if renewed else _unchanged(store, family, wanted, digest)
    if unchanged is not None:
        log.say(f"{family.slug} {unchanged.release} is up to date: its inputs are unchanged")
        return None if dry_run else unchanged
    if dry_run:
        _say_plan(family, site, wanted or store.next_release(family.slug), base)
        return None
    with store.lock(family.slug, "build"):
        recovery.clear(site, store, family.slug)
        if since and not force and (begun := _since(store, family, Release.parse(since))):
            return begun  # another build was quicker
        name = wanted or store.next_release(family.slug)
        with (
            log.step(f"building {family.slug} {name}") as timer,
            _working_folder(store, site, family, name, keep) as folder,
        ):
            record = _make(family, site, source, folder)
            record["durations"]["total"] = timer.seconds
            about = {
                "family": family.slug,
                "release": str(name),
                "input_digest": digest,
                "inputs": explanation.recorded(family, source, site.compression),
            }
            write_json(folder / "build.json", {**record, **about})
            _leave_only_results(folder, site, family, name, keep)
            return store.complete(family.slug, name)


def explain(family: Family, site: Site) -> list[str]:
    """Whether a build is due, and which inputs have changed since the newest release, in lines."""
    source = media.find(family, site)
    digest = inputs.digest(family, installation.digest(family, source), site.compression)
    releases = ArtifactStore(site.artifacts).releases(family.slug)
    if not releases:
        return [f"{family.slug} would be built: there is no release yet"]
    newest = releases[-1]
    record = newest.record("build") or {}
    tools = explanation.tools(record.get("versions", {}), _versions(family.arch))
    if not newest.disk.exists():
        return [f"{family.slug} would be built: the disk of release {newest.release} is gone"]
    if record.get("input_digest") == digest:
        return [f"{family.slug} {newest.release} is up to date: its inputs are unchanged", *tools]
    title = f"{family.slug} would be built: its inputs have changed since release {newest.release}"
    if "inputs" not in record:
        return [f"{title}, whose record does not list them"]
    now = explanation.recorded(family, source, site.compression)
    return [title, *explanation.changes(record["inputs"], now), *tools]


def _make(family: Family, site: Site, source: media.Source, folder: Path) -> dict[str, Any]:
    durations: dict[str, float] = {}
    if family.windows is None:
        customise.refuse(family, site)
    with log.step("installation") as timer:
        shared = installation.ensure(family, site, source, folder)
    durations["installation"] = timer.seconds
    make = _customised_and_cleaned if family.windows is None else windows_customise.make
    raw, about = make(family, site, source, folder, shared.path, durations)
    installed = about.pop("installed")
    write_json(folder / "packages.json", {"family": family.slug, "packages": installed})
    with log.step(f"writing the disk ({site.compression})") as timer:
        disk.need_room(folder, raw.stat().st_blocks * 512)
        finished = disk.finish(raw, folder / "disk.qcow2", site.compression)
    durations["disk"] = timer.seconds
    return {
        "built_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "installation": shared.digest,
        "media": {"kind": family.media.kind, "digest": source.digest},
        "disk": finished,
        "packages": len(installed),
        **about,
        "durations": durations,
        "accelerator": accelerator.fitting(accelerator.find(site), family.arch).kind,
        "versions": {**_versions(family.arch), **_version_of_builder(family, site)},
    }


def _version_of_builder(family: Family, site: Site) -> dict[str, str]:
    chosen = builder.chosen(family, site)
    return {builder.NAME: builder.version()} if chosen else {}


def _customised_and_cleaned(
    family: Family,
    site: Site,
    source: media.Source,
    folder: Path,
    shared: Path,
    durations: dict[str, float],
) -> tuple[Path, dict[str, Any]]:
    """The disk of a Linux, and what the record says of it."""
    kind, raw = systems.linux(family.distro), shared
    steps: list[StepTime] = []
    if customise.needed(family):
        with log.step("customisation") as timer:
            raw = folder / "customised.raw"
            disk.copy_sparse(shared, raw)
            raw.chmod(0o666)
            steps = customise.customise(family, site, source, folder, raw)
        durations["customisation"] = timer.seconds
    is_shared = raw == shared  # clean already, and not ours to change
    with (
        log.step("cleaning") as timer,
        offline.opened(raw, folder, read_only=is_shared) as system,
    ):
        cleaned = {} if is_shared else clean.clean(system, kind)
        installed = [asdict(package) for package in kind.packages.installed(system)]
        if not is_shared:
            clean.label(system, kind)
            system.trim()
    durations["cleaning"] = timer.seconds
    return raw, {"cleaned": cleaned, "installed": installed, "steps": [asdict(s) for s in steps]}


def _since(store: ArtifactStore, family: Family, since: Release) -> Artifact | None:
    releases = {artifact.release: artifact for artifact in store.releases(family.slug)}
    newest = newest_since(releases, since)
    return releases[newest] if newest and releases[newest].disk.exists() else None


def _unchanged(
    store: ArtifactStore, family: Family, wanted: Release | None, digest: str
) -> Artifact | None:
    for artifact in reversed(store.releases(family.slug)):
        if wanted not in (None, artifact.release):
            continue
        record = artifact.record("build")
        if record and record.get("input_digest") == digest and artifact.disk.exists():
            return artifact
        if wanted is not None:
            raise UsageError(
                f"{family.slug} {wanted} exists, and was built from other inputs",
                hint="leave out --release for a new one, or replace it with --force",
            )
        return None
    return None


def _say_plan(family: Family, site: Site, name: Release, base: str) -> None:
    cached = site.cache / "installations" / f"{family.installation}-{base[:12]}.raw"
    log.say(f"would build {family.slug} {name} below {site.artifacts}:")
    through = builder.title(family, site)
    how = "from the cache" if cached.exists() else f"with {through} from {family.media.kind} media"
    log.say(f"  installation of {family.installation}: {how}")
    if customise.needed(family):
        counts = ("repositories", "packages", "files", "commands", "services")
        said = ", ".join(f"{len(getattr(family, name))} {name}" for name in counts)
        larger = f", a disk of {family.disk_gib} GiB" if family.smaller_disk_gib else ""
        log.say(f"  customisation: {said}{larger}")
    log.say(f"  cleaning, package list, disk.qcow2 ({site.compression}), records")


@contextlib.contextmanager
def _working_folder(
    store: ArtifactStore, site: Site, family: Family, name: Release, keep: bool
) -> Iterator[Path]:
    folder = store.partial(family.slug, name)
    folder.mkdir(parents=True, mode=0o755)
    try:
        yield folder
    except BaseException as error:
        if not isinstance(error, Exception):  # perhaps in the moment in which libvirt started one
            with contextlib.suppress(ImagecycleError):
                recovery.end_machines(site, store, family.slug)
        kept = _keep_evidence(folder, site, family, name)
        if kept and isinstance(error, ImagecycleError):
            error.hint = error.hint.replace(str(folder), str(kept))
        if keep:
            log.say(f"the working folder is kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        if kept:
            log.say(f"console, logs and pictures of the failure are in {kept}")
        raise


def _keep_evidence(folder: Path, site: Site, family: Family, name: Release) -> Path | None:
    found = [folder / name for name in EVIDENCE if (folder / name).exists()]
    if not found:
        return None
    target = site.home / "failures" / family.slug / str(name)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in found:
        shutil.copy2(path, target)
    return target


def _leave_only_results(
    folder: Path, site: Site, family: Family, name: Release, keep: bool
) -> None:
    results = {"disk.qcow2", "build.json", "packages.json", "console.log", "customisation.log"}
    if keep:
        target = site.home / "kept" / family.slug / str(name)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in list(folder.iterdir()):
            if path.name not in results:
                # a raw disk has a size of many GiB, and is mostly holes
                shutil.move(path, target)
            elif path.name != "disk.qcow2":
                shutil.copy2(path, target)
        log.say(f"the working files are kept in {target}")
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in results:
            path.unlink()


def _versions(arch: str) -> dict[str, str]:
    debian = ["oz", platforms.of(arch).package, "libvirt-daemon", "mmdebstrap"]
    listing = command.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *debian],
        timeout=30,
        check=False,
    ).stdout
    found = dict(line.split(" ", 1) for line in listing.splitlines() if " " in line)
    return {
        **found,
        "imagecycle": __version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "pydantic": metadata.version("pydantic"),
    }
