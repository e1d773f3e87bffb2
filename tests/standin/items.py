"""The jobs, folders, views and builds of the stand-in for a Jenkins controller."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any

FOLDER_TAG = "com.cloudbees.hudson.plugins.folder.Folder"
FOLDER_XML = f"<{FOLDER_TAG}><description/></{FOLDER_TAG}>"
FREESTYLE_XML = "<project><description>{}</description></project>"


@dataclass
class Build:
    """One build; ``ends(...)`` plays its end."""

    number: int
    queue_id: int
    url: str
    causes: list[dict[str, Any]]
    parameters: dict[str, str]
    timestamp: int = 0
    building: bool = True
    result: str | None = None
    duration: int = 0
    console: str = ""

    def ends(self, result: str | None = "SUCCESS", console: str = "") -> None:
        self.building = False
        self.result = result
        self.duration = 61_000
        self.console += console

    def shown(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "queueId": self.queue_id,
            "url": self.url,
            "building": self.building,
            "result": self.result,
            "timestamp": self.timestamp,
            "duration": self.duration,
            "estimatedDuration": 120_000,
            "actions": [{"causes": self.causes}, {}],
        }


@dataclass
class Thing:
    """A job, a folder or a view."""

    name: str
    xml: str
    url: str = ""
    builds: list[Build] = field(default_factory=list)
    queue_id: int | None = None
    queue_causes: list[dict[str, Any]] = field(default_factory=list)
    children: dict[str, Thing] = field(default_factory=dict)
    views: dict[str, Thing] = field(default_factory=dict)
    downstream: list[str] = field(default_factory=list)
    buildable: bool = True
    next_number: int = 1

    @property
    def description(self) -> str:
        return _facts(self.xml)[1]

    @property
    def queue_item(self) -> dict[str, Any] | None:
        if self.queue_id is None:
            return None
        return {"id": self.queue_id, "actions": [{"causes": self.queue_causes}]}

    @property
    def is_folder(self) -> bool:
        return _facts(self.xml)[0] == FOLDER_TAG


_KNOWN: dict[str, tuple[str, str]] = {}
"""The tag and the description in a job's XML: a controller has them in memory once it is saved"""


def _facts(xml: str) -> tuple[str, str]:
    if xml not in _KNOWN:
        _note(xml, ET.fromstring(xml))
    return _KNOWN[xml]


def _note(xml: str, root: ET.Element) -> None:
    _KNOWN[xml] = root.tag, root.findtext("description") or ""


@dataclass
class Fault:
    """What goes wrong with the next requests."""

    pattern: re.Pattern[str]
    what: str
    times: int
    after: bool


def document(thing: Thing) -> dict[str, Any]:
    builds = [build.shown() for build in thing.builds]
    ended = [one for one in builds if not one["building"]]
    stable = [one for one in ended if one["result"] == "SUCCESS"]
    found: dict[str, Any] = {
        "name": thing.name,
        "url": thing.url,
        "description": thing.description,
        "views": [
            {"name": "all", "description": None},
            *({"name": one.name, "description": one.description} for one in thing.views.values()),
        ],
    }
    if not thing.name or thing.is_folder:
        return found | {"jobs": [document(child) for child in thing.children.values()]}
    return found | {
        "buildable": thing.buildable,
        "inQueue": thing.queue_id is not None,
        "queueItem": thing.queue_item,
        "nextBuildNumber": thing.next_number,
        "builds": builds,
        "lastBuild": builds[0] if builds else None,
        "lastCompletedBuild": ended[0] if ended else None,
        "lastStableBuild": stable[0] if stable else None,
        "downstreamProjects": [{"name": name} for name in thing.downstream],
    }


def saved(xml: str) -> str:
    """XML as Jenkins keeps it: its own declaration, spacing and plugin versions."""
    root = ET.fromstring(xml)
    for element in root.iter():
        if "." in element.tag and not element.tag.startswith(("hudson.model", "hudson.tasks")):
            element.set("plugin", f"{element.tag.split('.')[-2]}@1.0")
    ET.indent(root, "  ")
    kept = ET.tostring(root, encoding="unicode")
    _note(kept, root)
    return kept
