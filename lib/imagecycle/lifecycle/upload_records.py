"""Which images this machine has uploaded or adopted, by its audit logs and its ``publish.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from imagecycle.lifecycle.steps import UPLOADING
from imagecycle.site import Site


def recorded_in(site: Site) -> frozenset[str]:
    """The ids of all images that this machine's records say were uploaded or adopted."""
    audits = sorted((site.home / "audit").glob("*.jsonl"))
    published = sorted(site.artifacts.glob("*/*/publish.json"))
    return frozenset(
        [
            *(image_id for path in audits for image_id in _in_audit(path)),
            *(image_id for path in published for image_id in _in_record(path)),
        ]
    )


def of_site(site: Site) -> Callable[[], Collection[str]]:
    """The records of a site, read when they are asked for."""
    return lambda: recorded_in(site)


def _in_audit(path: Path) -> Iterator[str]:
    """An id is written down before its image is made, so that it is found after every crash."""
    with path.open(errors="replace") as lines:
        for line in lines:
            if '"begun"' not in line:
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # its end was lost with the machine
            if not isinstance(entry, dict) or entry.get("event") != "begun":
                continue
            if entry.get("command") == "adopt" or _is_upload(entry.get("what")):
                yield str(entry.get("image"))


def _in_record(path: Path) -> Iterator[str]:
    """Images that a publish has uploaded; one that only found an image there proves nothing."""
    try:
        clouds = json.loads(path.read_text())["clouds"].values()
        for entry in clouds:
            image_id = str(entry["image_id"])
            if any(_is_upload(step) and step.endswith(image_id) for step in entry["steps"]):
                yield image_id
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def _is_upload(step: object) -> bool:
    """Whether a step's words are those of :class:`imagecycle.lifecycle.steps.Upload`."""
    return str(step).startswith(UPLOADING)
