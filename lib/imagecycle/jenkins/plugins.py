"""The controller's plugins against those that the jobs need."""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jenkins.plugins import PluginVersion
from rich import box
from rich.console import Console
from rich.table import Table

from imagecycle.jenkins.controller import Controller


class Verdict(enum.StrEnum):
    """A plugin of the controller against what is needed."""

    OK = "ok"
    MISSING = "missing"
    OLDER = "older"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Finding:
    """One plugin; ``installed`` is empty when the controller lacks it."""

    plugin: str
    needed: str
    """The version of the plugins file"""
    installed: str
    used: bool
    """Whether a job's XML needs it; others are needed by the controller itself"""
    verdict: Verdict


def compare(
    needed: Mapping[str, str], used: Iterable[str], installed: Iterable[Mapping[str, Any]]
) -> list[Finding]:
    """Each needed plugin against the controller's list.

    :param installed: the ``plugins`` of Jenkins's ``pluginManager/api/json?depth=1``.
    """
    there = {str(plugin["shortName"]): plugin for plugin in installed}
    wanted_by_jobs = set(used)
    findings = []
    for plugin in sorted(needed.keys() | wanted_by_jobs):
        version = needed.get(plugin, "")
        present = there.get(plugin)
        has = str(present["version"]) if present else ""
        if present is None:
            verdict = Verdict.MISSING
        elif not present.get("enabled", True) or not present.get("active", True):
            verdict = Verdict.DISABLED
        elif version and PluginVersion(has) < PluginVersion(version):
            verdict = Verdict.OLDER
        else:
            verdict = Verdict.OK
        findings.append(Finding(plugin, version, has, plugin in wanted_by_jobs, verdict))
    return findings


def installed(controller: Controller) -> list[Mapping[str, Any]]:
    """The plugins that the controller has, in one request."""
    fields = "plugins[shortName,version,enabled,active]"
    found = controller.get("pluginManager/api/json", depth="1", tree=fields)
    return list(found["plugins"])


def as_table(findings: Iterable[Finding]) -> str:
    """For people; with the way out at the end when something is not right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("PLUGIN", "NEEDED", "INSTALLED", "FOR", "VERDICT"):
        table.add_column(heading, no_wrap=True)
    for one in findings:
        purpose = "jobs" if one.used else "controller"
        table.add_row(one.plugin, one.needed or "any", one.installed or "-", purpose, one.verdict)
    text = io.StringIO()
    Console(file=text, width=160).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def as_json(findings: Iterable[Finding]) -> str:
    """For programs."""
    values = [
        {
            "plugin": one.plugin,
            "needed": one.needed,
            "installed": one.installed,
            "used": one.used,
            "verdict": str(one.verdict),
        }
        for one in findings
    ]
    return json.dumps(values, indent=2) + "\n"
