"""Runs rendered jobs as Jenkins does, as far as this library needs it.

A job is a parameterised freestyle job: its shell steps run with ``sh -xe`` in its own workspace,
parameters and bound credentials in the environment; then its publishers, and the jobs that they
trigger. What Jenkins has and this has not is refused, not passed over. The rules are those of
Jenkins and of the plugins junit, htmlpublisher, credentials-binding and parameterized-trigger, as
their documentation describes them.
"""

from __future__ import annotations

import collections
import functools
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ORDER = ("SUCCESS", "UNSTABLE", "FAILURE")
_BINDINGS = "org.jenkinsci.plugins.credentialsbinding.impl."
_TRIGGER = "hudson.plugins.parameterizedtrigger."


class CannotRun(AssertionError):
    """A job has something that this runner, or Jenkins, does not know."""


@dataclass
class Run:
    """One run of a job."""

    job: str
    number: int
    parameters: Mapping[str, str]
    workspace: Path
    started_by: str = ""
    result: str = "SUCCESS"
    console: str = ""
    archived: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def worsen(self, result: str) -> None:
        self.result = max(self.result, result, key=ORDER.index)


@dataclass(frozen=True)
class Order:
    """A run that waits in the queue."""

    job: str
    parameters: Mapping[str, str]
    started_by: str = ""


class Runner:
    """A controller with one agent."""

    def __init__(
        self,
        jobs: Mapping[str, str],
        root: Path,
        *,
        credentials: Mapping[str, Path | tuple[str, str]] = {},
        environment: Mapping[str, str] = {},
    ) -> None:
        self._jobs = {name: ElementTree.fromstring(text) for name, text in jobs.items()}
        self._root = root
        self._credentials = credentials
        self._environment = environment
        self._numbers: collections.Counter[str] = collections.Counter()
        self.queue: list[Order] = []
        self.runs: list[Run] = []

    def start(self, job: str, **parameters: str) -> list[Run]:
        """Run a job and all that follows from it; returns the runs in their order."""
        first = len(self.runs)
        self.put(Order(job, parameters))
        while self.queue:
            self.run(self.queue.pop(0))
        return self.runs[first:]

    def put(self, order: Order) -> None:
        """Queue a run, unless the same one waits already."""
        if order.job not in self._jobs:
            raise CannotRun(f"{order.started_by} starts {order.job}, which does not exist")
        values = parameters_of(self._jobs[order.job], order.parameters)
        found = Order(order.job, values, order.started_by)
        if (order.job, values) not in [(one.job, one.parameters) for one in self.queue]:
            self.queue.append(found)

    def run(self, order: Order) -> Run:
        """Run one job, and queue what it triggers."""
        xml = self._jobs[order.job]
        self._numbers[order.job] += 1
        workspace = self._root / "workspace" / order.job
        workspace.mkdir(parents=True, exist_ok=True)
        number = self._numbers[order.job]
        run = Run(order.job, number, order.parameters, workspace, order.started_by)
        self.runs.append(run)
        environment = self._environment_of(run, xml)
        self._build(run, xml, environment)
        for publisher in _children(xml, "publishers"):
            _known(publisher.tag, PUBLISHERS)(self, run, publisher, environment)
        return run

    def _environment_of(self, run: Run, xml: ElementTree.Element) -> dict[str, str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._root),
            **self._environment,
            **run.parameters,
            "JOB_NAME": run.job,
            "BUILD_NUMBER": str(run.number),
            "WORKSPACE": str(run.workspace),
        }
        for binding in xml.iter(f"{_BINDINGS}FileBinding"):
            found = self._credential(_text(binding, "credentialsId"))
            environment[_text(binding, "variable")] = str(found)
        for binding in xml.iter(f"{_BINDINGS}UsernamePasswordMultiBinding"):
            user, password = self._credential(_text(binding, "credentialsId"))  # type: ignore[misc]
            environment[_text(binding, "usernameVariable")] = user
            environment[_text(binding, "passwordVariable")] = password
        return environment

    def _credential(self, name: str) -> Path | tuple[str, str]:
        if name not in self._credentials:
            raise CannotRun(f"no credential {name}")
        return self._credentials[name]

    def _build(self, run: Run, xml: ElementTree.Element, environment: dict[str, str]) -> None:
        minutes = float(xml.findtext(".//timeoutMinutes", "60"))
        for builder in _children(xml, "builders"):
            if builder.tag != "hudson.tasks.Shell":
                raise CannotRun(f"{run.job}: builder {builder.tag}")
            done = subprocess.run(
                ["/bin/sh", "-xe", "-c", _text(builder, "command")],
                cwd=run.workspace,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=minutes * 60,
                check=False,
            )
            run.console += done.stdout
            if done.returncode != 0 and str(done.returncode) == builder.findtext("unstableReturn"):
                run.worsen("UNSTABLE")
            elif done.returncode != 0:
                run.worsen("FAILURE")
                return

    def archive(self, run: Run, xml: ElementTree.Element, _environment: Mapping[str, str]) -> None:
        if _text(xml, "onlyIfSuccessful") == "true" and run.result == "FAILURE":
            return
        run.archived = _found(run.workspace, _text(xml, "artifacts"))
        target = self._root / "archive" / run.job / str(run.number)
        for name in run.archived:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run.workspace / name, target / name)
        if not run.archived and _text(xml, "allowEmptyArchive") != "true":
            run.worsen("FAILURE")

    def junit(self, run: Run, xml: ElementTree.Element, environment: Mapping[str, str]) -> None:
        run.tests = _found(run.workspace, _expanded(_text(xml, "testResults"), environment))
        cases = [
            case
            for name in run.tests
            for case in ElementTree.parse(run.workspace / name).iter("testcase")
        ]
        if not cases and _text(xml, "allowEmptyResults") != "true":
            run.worsen("FAILURE")
        if any(case.find(tag) is not None for case in cases for tag in ("failure", "error")):
            run.worsen("UNSTABLE")

    def report(self, run: Run, xml: ElementTree.Element, environment: Mapping[str, str]) -> None:
        for target in xml.iter("htmlpublisher.HtmlPublisherTarget"):
            name = f"{_text(target, 'reportDir')}/{_text(target, 'reportFiles')}"
            name = _expanded(name, environment)
            if (run.workspace / name).is_file():
                run.reports.append(name)
            elif _text(target, "allowMissing") != "true":
                run.worsen("FAILURE")

    def mail(self, run: Run, xml: ElementTree.Element, _environment: Mapping[str, str]) -> None:
        if run.result != "SUCCESS":
            run.mails += _text(xml, "recipients").split()

    def trigger(self, run: Run, xml: ElementTree.Element, environment: Mapping[str, str]) -> None:
        def read(name: str) -> str | None:
            path = run.workspace / name
            return path.read_text() if path.is_file() else None

        for order in triggered(run, xml, environment, read):
            self.put(order)


PUBLISHERS: Mapping[str, Callable[..., None]] = {
    "hudson.tasks.ArtifactArchiver": Runner.archive,
    "hudson.tasks.junit.JUnitResultArchiver": Runner.junit,
    "htmlpublisher.HtmlPublisher": Runner.report,
    f"{_TRIGGER}BuildTrigger": Runner.trigger,
    "hudson.tasks.Mailer": Runner.mail,
}


def parameters_of(xml: ElementTree.Element, given: Mapping[str, str]) -> dict[str, str]:
    """A job's parameters: the given ones that it declares, its defaults for the rest."""
    values = {}
    for name, default, choices in _declared(xml):
        values[name] = given.get(name, default)
        if choices and values[name] not in choices:
            raise CannotRun(f"{name}: illegal choice {values[name]}")
    return values


@functools.cache
def _declared(xml: ElementTree.Element) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Name, default and choices of every parameter; no choices mean any value."""
    found = []
    for definition in xml.findall(".//parameterDefinitions/*"):
        name = _text(definition, "name")
        kind = definition.tag.rpartition(".")[2]
        if kind == "ChoiceParameterDefinition":
            choices = tuple(choice.text or "" for choice in definition.iter("string"))
            found.append((name, choices[0], choices))
        elif kind in ("StringParameterDefinition", "LabelParameterDefinition"):
            found.append((name, definition.findtext("defaultValue") or "", ()))
        else:
            raise CannotRun(f"parameter {definition.tag}")
    return tuple(found)


def triggered(
    run: Run,
    publisher: ElementTree.Element,
    environment: Mapping[str, str],
    read: Callable[[str], str | None],
) -> Iterator[Order]:
    """The runs that a run orders; ``read`` gives the text of a file of its workspace."""
    for config in _children(publisher, "configs"):
        condition = _text(config, "condition")
        if condition not in ("SUCCESS", "ALWAYS"):
            raise CannotRun(f"{run.job}: condition {condition}")
        if condition == "SUCCESS" and run.result != "SUCCESS":
            continue
        handed_on = _handed_on(run, config, environment, read)
        if handed_on is not None:
            for job in _text(config, "projects").split(","):
                yield Order(job.strip(), handed_on, run.job)


def _handed_on(
    run: Run,
    config: ElementTree.Element,
    environment: Mapping[str, str],
    read: Callable[[str], str | None],
) -> dict[str, str] | None:
    """The parameters for a downstream job, later ones before earlier; None: it is not started."""
    values: dict[str, str] = {}
    for source in _children(config, "configs"):
        if source.tag == f"{_TRIGGER}CurrentBuildParameters":
            values |= run.parameters
        elif source.tag == f"{_TRIGGER}FileBuildParameters":
            text = read(_text(source, "propertiesFile"))
            if text is not None:
                values |= _properties(text, environment)
            elif _text(source, "failTriggerOnMissing") == "true":
                return None
        else:
            raise CannotRun(f"{run.job}: parameters from {source.tag}")
    return values


def _properties(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    lines = [
        line
        for line in _expanded(text, environment).splitlines()
        if line.strip() and not line.startswith("#")
    ]
    return {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in lines)}


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda m: environment.get(m[1], m[0]), text)


def _known(tag: str, known: Mapping[str, Callable[..., None]]) -> Callable[..., None]:
    if tag not in known:
        raise CannotRun(f"publisher {tag}")
    return known[tag]


def _children(xml: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    found = xml.find(name)
    return [] if found is None else list(found)


def _text(xml: ElementTree.Element, name: str) -> str:
    found = xml.findtext(name)
    if found is None:
        raise CannotRun(f"{xml.tag} has no {name}")
    return found


def _found(workspace: Path, patterns: str) -> list[str]:
    """The files that a list of Ant's patterns names, relative to the workspace."""
    names: set[str] = set()
    for pattern in patterns.split(","):
        glob = pattern.strip() + ("/*" if pattern.strip().endswith("**") else "")
        found = (path for path in workspace.glob(glob) if path.is_file())
        names |= {str(path.relative_to(workspace)) for path in found}
    return sorted(names)
