"""What the jobs need of the controller's plugins.

``docs/jenkins/plugins.txt`` lists the plugins with the versions that go together; the controller is
installed from it. The rendered jobs must need nothing else: their XML names a plugin, or a class
whose plugin stands in :data:`PLUGIN_OF`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path

from imagecycle import shipped
from imagecycle.errors import InvalidFile, Problem

PLUGINS_FILE = shipped.JENKINS / "plugins.txt"
CORE = (
    "hudson.model.",
    "hudson.scm.NullSCM",
    "hudson.triggers.",
    "hudson.util.",
    "hudson.views.",
    "java.util.",
    "jenkins.model.",
)
"""Packages of Jenkins itself, besides those classes of ``hudson.tasks`` that no plugin took over"""
CORE_TASKS = ("Shell", "ArtifactArchiver", "BuildTrigger", "Fingerprinter", "LogRotator")
PLUGIN_OF: Mapping[str, str] = {
    "com.cloudbees.hudson.plugins.folder.": "cloudbees-folder",
    "hudson.plugins.build_timeout.": "build-timeout",
    "hudson.plugins.git.": "git",
    "hudson.plugins.parameterizedtrigger.": "parameterized-trigger",
    "hudson.plugins.throttleconcurrents.": "throttle-concurrents",
    "hudson.plugins.timestamper.": "timestamper",
    "hudson.plugins.ws_cleanup.": "ws-cleanup",
    "hudson.tasks.Mailer": "mailer",
    "hudson.tasks.junit.": "junit",
    "htmlpublisher.": "htmlpublisher",
    "org.jenkinsci.plugins.credentialsbinding.": "credentials-binding",
    "org.jvnet.jenkins.plugins.nodelabelparameter.": "nodelabelparameter",
}
"""The plugin of the classes that a job's XML names, by the beginning of the class"""
_CLASS = re.compile(r"[a-z_]\w*(?:\.\w+)*\.[A-Z][\w$]*")


def read(path: Path = PLUGINS_FILE) -> dict[str, str]:
    """The plugins file: versions by plugin id.

    :raises InvalidFile: when a line is not ``id:version`` or a plugin stands there twice.
    """
    found: dict[str, str] = {}
    problems = []
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InvalidFile([Problem(path, 1, f"cannot be read: {error.strerror}")]) from None
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = re.fullmatch(r"([a-z0-9_-]+):(\S+)", text)
        if match is None:
            problems.append(Problem(path, number, f"expected id:version, found {text}"))
        elif match[1] in found:
            problems.append(Problem(path, number, f"{match[1]} stands here a second time"))
        else:
            found[match[1]] = match[2]
    if problems:
        raise InvalidFile(problems)
    return found


def used(documents: Iterable[str]) -> set[str]:
    """The plugins that XML of jobs and views needs; an unknown class is given as ``class NAME``."""
    found: set[str] = set()
    for document in documents:
        for element in ET.fromstring(document).iter():
            if plugin := element.get("plugin"):
                found.add(plugin.partition("@")[0])
                continue
            for name in (element.tag, element.get("class", "")):
                if _CLASS.fullmatch(name) and not _is_core(name):
                    found.add(_plugin_of(name))
    return found


def _is_core(name: str) -> bool:
    package, _, short = name.rpartition(".")
    return name.startswith(CORE) or (package == "hudson.tasks" and short in CORE_TASKS)


def _plugin_of(name: str) -> str:
    plain = name.replace("__", "_")  # in the name of an element an underscore is doubled
    for beginning, plugin in PLUGIN_OF.items():
        if plain.startswith(beginning):
            return plugin
    return f"class {plain}"
