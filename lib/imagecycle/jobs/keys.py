"""Keys that Jenkins Job Builder passes over in silence, such as a misspelt ``builder:``.

What it knows is learnt from itself. One job of every template is rendered from values that note
which of their keys are read: a key that nobody read does nothing. Some components read all keys of
a section, known or not; there a key must also stand in their source. A key that is no part of a job
is a variable, and must be used by something.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jenkins_jobs.defaults import job_contents_keys, view_contents_keys
from jenkins_jobs.errors import JenkinsJobsException
from jenkins_jobs.formatter import enum_str_format_required_params
from jenkins_jobs.loc_loader import LocDict, LocList
from jenkins_jobs.modules import helpers
from jenkins_jobs.yaml_objects import BaseYamlObject

from imagecycle.errors import Problem, suggestion
from imagecycle.jobs import faster_rendering, rendering

OWN = frozenset({"every", "left-out", "rhythm", "schedule", "systems"})
"""Variables of a matrix, which imagecycle itself reads"""


def unknown(library: rendering.Library) -> Iterator[Problem]:
    """Every key of a library that has no effect.

    :raises InvalidFile: when the library cannot be rendered.
    """
    yield from _unused_variables(library)
    registry = _Registry(library)
    with rendering.silent(), rendering.mistakes_named(library.folder):
        for job in _one_of_each(library.instances):
            registry.place = job.data.pos
            noted = _noted(job.data)
            faster_rendering.JobGenerator(registry).generateXML([type(job)(noted, job.context)])
            registry.compare(noted, "", job_contents_keys)
        for view in _one_of_each(library.roots.generate_views()):
            registry.place = view.data.pos
            noted = _noted(view.data)
            faster_rendering.ViewGenerator(registry).generateXML([type(view)(noted, view.context)])
            registry.compare(noted, "", view_contents_keys)
    yield from registry.problems


def _one_of_each(instances: Iterable[Any]) -> Iterator[Any]:
    seen = set()
    for instance in instances:
        template = str(instance.context[-1].message)
        if template not in seen:
            seen.add(template)
            yield instance


class _NotedDict(LocDict):  # type: ignore[misc]
    """Notes which of its keys were read."""

    def __init__(self, values: LocDict) -> None:
        noted = {key: _noted(value) for key, value in values.items()}
        super().__init__(noted, values.pos, values.key_pos, values.value_pos)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return bool(super().__contains__(key))

    def items(self) -> Any:
        self.read.update(super().keys())
        return super().items()

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)


def _noted(value: Any) -> Any:
    if isinstance(value, LocDict):
        return _NotedDict(value)
    if isinstance(value, LocList):
        return LocList([_noted(item) for item in value], value.pos, value.value_pos)
    return value


class _Registry(faster_rendering.Registry):
    """Compares what every component was given with what it has read."""

    def __init__(self, library: rendering.Library) -> None:
        super().__init__(library.registry.jjb_config, [])
        self.set_macros(library.roots.macros)
        self.problems: list[Problem] = []
        self.place: Any = None
        self._folder = library.folder

    def dispatch(
        self,
        component_type: str,
        xml_parent: Any,
        component: Any,
        template_data: Any = {},  # noqa: B006 - as Jenkins Job Builder declares it
        job_data: Any = None,
        component_pos: Any = None,
    ) -> None:
        """Render a component, and note the keys that it has not read."""
        with_values = isinstance(component, dict) and component
        name = str(next(iter(dict.keys(component)))) if with_values else str(component)
        self._refuse_unknown(component_type, name, component, component_pos)
        if with_values:
            values = _noted(dict.__getitem__(component, name))
            component = LocDict({name: values}, getattr(component, "pos", None))
        arguments = (component_type, xml_parent, component, template_data, job_data, component_pos)
        super().dispatch(*arguments)
        if not with_values:
            return
        macro = self.macros.get(component_type, {}).get(name)
        if macro is not None:
            known = frozenset(_variables(macro.elements))
            if isinstance(values, _NotedDict):
                values.read = set(known)
        else:
            known = _literals(self._components(component_type)[name])
        self.compare(values, f"{component_type} {name}: ", known)

    def compare(self, values: Any, where: str, known: Iterable[str]) -> None:
        """Note every key in ``values`` that was not read, or is none of the known ones."""
        if isinstance(values, list):
            for value in values:
                self.compare(value, where, known)
        if not isinstance(values, _NotedDict):
            return
        plain: Mapping[str, Any] = dict(dict.items(values))
        for key, value in plain.items():
            if key not in values.read or (key not in known and where):
                message = f"{where}{key} has no effect{suggestion(key, set(known) - {key})}"
                places = (values.key_pos.get(key), values.pos, self.place)
                found = rendering.problem(message, *places, folder=self._folder)
                if found not in self.problems:
                    self.problems.append(found)
            elif where:
                self.compare(value, where, known)

    def _refuse_unknown(self, kind: str, name: str, component: Any, place: Any) -> None:
        known = {*self._components(kind), *self.macros.get(kind, {})}
        if name not in known:
            message = f"there is no {kind} {name}{suggestion(name, known)}"
            raise JenkinsJobsException(message, pos=place or getattr(component, "pos", None))

    def _components(self, kind: str) -> Mapping[str, Any]:
        point = self.modules_by_component_type[kind]
        group = self.get_component_list_type(point)
        if group not in self._entry_points_cache:
            self._load_eps(group, kind, point, "")
        found: Mapping[str, Any] = self._entry_points_cache[group]
        return found


@functools.cache
def _literals(function: Any) -> frozenset[str]:
    """The texts in the source of a component's module, among them all keys that it knows."""
    found: set[str] = set()
    for module in (inspect.getmodule(function), helpers):
        assert module is not None
        source = Path(str(module.__file__)).read_text()
        found.update(re.findall(r"""["']([a-zA-Z][\w-]*)["']""", source))
    return frozenset(found)


def _unused_variables(library: rendering.Library) -> Iterator[Problem]:
    roots = library.roots
    templates = (roots.jobs, roots.job_templates, roots.views, roots.view_templates)
    elements = [element for container in templates for element in container.values()]
    macros = [macro for container in roots.macros.values() for macro in container.values()]
    used = set(OWN)
    declaring: list[tuple[str, Any]] = []
    for element in elements:
        used.update(_variables([element.name, element.contents, element.params]))
        declaring.append((str(element), element.params))
    for macro in macros:
        used.update(_variables([macro.elements, macro.params]))
        declaring.append((str(macro), macro.params))
    for group in (*roots.job_groups.values(), *roots.view_groups.values()):
        declaring += [(str(group), group.params), *_of_specs(group.specs)]
        used.update(_variables([group.params, [spec.params for spec in group.specs]]))
    for project in roots.projects.values():
        specs = [*project.job_specs, *project.view_specs]
        declaring += [(str(project), project.params), *_of_specs(specs)]
        used.update(_variables([project.params, [spec.params for spec in specs]]))
    for defaults in roots.defaults.values():
        used.update(_variables([defaults.params, defaults.contents]))
        declaring.append((f"defaults {str(defaults.name)!r}", defaults.params))
    known = used | job_contents_keys | view_contents_keys | {"description", "jobs", "views"}
    for where, params in declaring:
        for key in params:
            if key not in used:
                message = f"{where}: {key} has no effect{suggestion(key, known)}"
                place = getattr(params, "key_pos", {}).get(key)
                yield rendering.problem(message, place, folder=library.folder)


def _of_specs(specs: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for spec in specs:
        yield f"{spec.name!r}", spec.params


def _variables(value: Any) -> Iterator[str]:
    """The variables that occur anywhere in a value."""
    if isinstance(value, BaseYamlObject):
        text = getattr(value, "_template_text", "")
        yield from re.findall(r"[A-Za-z][\w-]*", text)
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _variables(key)
            yield from _variables(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _variables(item)
    elif value is not None and not isinstance(value, bool | int | float):
        yield from enum_str_format_required_params(str(value), None)
