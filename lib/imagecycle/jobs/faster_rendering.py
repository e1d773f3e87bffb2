"""Jenkins Job Builder, relieved of what it looks up again for every job.

Nothing here changes what is rendered: a test compares it with the program ``jenkins-jobs``.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

with warnings.catch_warnings():  # setup.cfg says why it is there all the same
    warnings.filterwarnings("ignore", "pkg_resources is deprecated")
    import pkg_resources
    from jenkins_jobs.registry import ModuleRegistry
from jenkins_jobs.roots import Roots
from jenkins_jobs.xml_config import XmlJob, XmlJobGenerator, XmlViewGenerator


@functools.cache
def _arguments(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.getfullargspec(function).args)


@functools.cache
def _entry_points(group: str, name: str) -> tuple[Any, ...]:
    return tuple(point.load() for point in pkg_resources.iter_entry_points(group, name))


class Registry(ModuleRegistry):  # type: ignore[misc]
    """Remembers the arguments of every component."""

    @staticmethod
    def _filter_kwargs(func: Callable[..., Any], **kwargs: Any) -> dict[str, Any]:
        known = _arguments(func)
        return {name: value for name, value in kwargs.items() if name in known}


class _Remembering:
    """Remembers the class of every kind of job and view."""

    registry: Any
    entry_point_group: str
    kind_attribute: str
    kind_default: str

    def _getXMLForData(self, data: Any) -> Any:  # noqa: N802 - Jenkins Job Builder's name
        kind = data.get(self.kind_attribute, self.kind_default)
        found = _entry_points(self.entry_point_group, kind)
        if not found or "view-type" in data:
            return super()._getXMLForData(data)  # type: ignore[misc]
        xml = found[0](self.registry).root_xml(data)
        self._gen_xml(xml, data)  # type: ignore[attr-defined]
        return XmlJob(xml, data["name"])


class JobGenerator(_Remembering, XmlJobGenerator):  # type: ignore[misc]
    """XML of jobs."""


class ViewGenerator(_Remembering, XmlViewGenerator):  # type: ignore[misc]
    """XML of views."""


def speed_up(roots: Roots) -> None:
    """Let texts without variables pass as they are, in all that is to be filled in."""
    templates = (roots.jobs, roots.job_templates, roots.views, roots.view_templates)
    for element in (*_all(templates), *_all(roots.macros.values())):
        expanders = element._expander.expanders
        expanders[str] = functools.partial(_expand, expanders[str])


def _all(containers: Any) -> list[Any]:
    return [element for container in containers for element in container.values()]


def _expand(
    fully: Callable[..., Any], text: str, params: Any, key_place: Any, value_place: Any
) -> Any:
    if "{" not in text and "}" not in text:
        return text
    return fully(text, params, key_place, value_place)
