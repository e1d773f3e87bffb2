"""Publishing in several clouds and regions at the same time, each judged by itself."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from imagecycle import interrupts, log
from imagecycle.cloud import entries
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import ANSWER_LIMIT, NoImageService, open_cloud
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import uploading
from imagecycle.lifecycle.publish import publish
from imagecycle.model import Family
from imagecycle.site import Site

_PATIENCE = 2.0
"""Seconds after an interrupt before it is said who keeps it from ending"""


def cloud_regions(names: Sequence[str], site: Site) -> list[str]:
    """Where to publish for these names: a cloud with several regions stands for each of them.

    Regions that share a Glance count once, and those without one do not count.

    :raises UsageError: for an entry of ``clouds.yaml`` that is not there or broken.
    :raises NoImageService: when none of several has a Glance.
    """
    named = [place for name in dict.fromkeys(names) for place in entries.regions(name, site)]
    if len(named) == 1:
        return named
    found = _glances(named, site)
    wanted: dict[object, str] = {}
    for name, glance in found.items():
        if glance is None:
            log.say(f"{name} has no image service of its own")
        elif (first := wanted.setdefault(glance, name)) != name:
            log.say(f"{name} uses the image service of {first}")
    if not wanted:
        raise NoImageService(
            f"none of {', '.join(named)} has an image service",
            hint="check regions and interface of these entries in clouds.yaml",
        )
    return list(wanted.values())


def _glances(names: Sequence[str], site: Site) -> dict[str, object | None]:
    """What :func:`_glance` says of each; an interrupt does not wait for who is silent."""
    found: dict[str, object | None] = {}
    failed: list[BaseException] = []

    def ask(name: str, over: threading.Event) -> None:
        try:
            found[name] = _glance(name, site)
        except BaseException as error:
            failed.append(error)
        finally:
            over.set()

    ended = [threading.Event() for _ in names]
    for name, over in zip(names, ended, strict=True):
        with interrupts.held():
            threading.Thread(target=ask, args=[name, over], daemon=True).start()
    for over in ended:
        interrupts.wait(over)
    if failed:
        raise failed[0]
    return {name: found[name] for name in names}


def _glance(name: str, site: Site) -> object | None:
    """What tells a project's images in one Glance from others; None where there is no Glance."""
    try:
        cloud = open_cloud(name, site)
    except NoImageService:
        return None
    except ImagecycleError:
        return name  # whoever publishes there will hear of it
    return cloud.image_url, cloud.project_id


def publish_in_clouds(
    family: Family, site: Site, *, clouds: Sequence[str], release: str | None, dry_run: bool
) -> dict[str, Image | None]:
    """Publish a release in each of these clouds.

    A cloud that fails keeps no other from being published to. An interrupt ends all of them, and
    each cleans up after itself.

    :returns: by cloud, the published image; None with ``dry_run``.
    :raises ImagecycleError: when a cloud failed, naming each that did, after all have ended.
    """
    stop = threading.Event()
    unfinished: dict[str, threading.Event] = {}

    def one(cloud: str) -> Image | None:
        uploading.stop_when(stop)
        ended = unfinished[cloud] = threading.Event()
        try:
            with log.labelled(cloud):
                return publish(family, site, cloud=cloud, release=release, dry_run=dry_run)
        finally:
            ended.set()

    running: dict[str, Future[Image | None]] = {}
    with ThreadPoolExecutor(max_workers=len(clouds)) as pool:
        try:
            for cloud in dict.fromkeys(clouds):
                context = contextvars.copy_context()
                running[cloud] = interrupts.submit(pool, context.run, one, cloud)
            errors = {cloud: interrupts.error_of(work) for cloud, work in running.items()}
        except BaseException:
            stop.set()
            _report_unreachable(unfinished)
            for ended in list(unfinished.values()):
                interrupts.wait(ended)
            raise
    failed = {cloud: error for cloud, error in errors.items() if error is not None}
    for cloud, error in failed.items():
        if not isinstance(error, ImagecycleError):
            raise error
        log.fail(f"{cloud}: {error.message.removeprefix(f'{cloud}: ')}", error.hint)
    if failed:
        raise ImagecycleError(
            f"{family.slug} was not published to {', '.join(failed)}",
            hint=f"it was to {', '.join(running.keys() - failed.keys()) or 'none'}; "
            "run this again to continue",
        )
    return {cloud: work.result() for cloud, work in running.items()}


def _report_unreachable(publications: Mapping[str, threading.Event]) -> None:
    """After an interrupt: why it is not over yet."""
    deadline = time.monotonic() + _PATIENCE
    silent = [
        cloud
        for cloud, ended in list(publications.items())
        if not interrupts.wait(ended, deadline - time.monotonic())
    ]
    if silent:
        log.say(
            f"interrupted; waiting at most {ANSWER_LIMIT:.0f} s for {', '.join(silent)} to answer, "
            "so that nothing half-done is left there"
        )
