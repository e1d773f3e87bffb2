"""The job library as Jenkins takes it: Jenkins Job Builder's YAML in, XML by job name out."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle import yamlfile
from imagecycle.errors import InvalidFile, Problem, UsageError


@dataclass(frozen=True)
class Rendered:
    """XML by name, as Jenkins takes it for ``config.xml``."""

    jobs: Mapping[str, str]
    views: Mapping[str, str]


def render_all(folder: Path) -> Rendered:
    """All jobs and views of a library.

    :raises InvalidFile: naming the place of a mistake that Jenkins Job Builder notices.
    :raises UsageError: when there is no library.
    """
    library = Library.load(folder)
    return Rendered(library.jobs(), library.views())


def render(folder: Path) -> Mapping[str, str]:
    """All jobs of a library; see :func:`render_all`."""
    return Library.load(folder).jobs()


def render_views(folder: Path) -> Mapping[str, str]:
    """All views of a library; see :func:`render_all`."""
    return Library.load(folder).views()


class Library:
    """A library that Jenkins Job Builder has read, not rendered yet."""

    def __init__(self, folder: Path, roots: Any, registry: Any) -> None:
        self.folder = folder
        self.roots = roots
        self.registry = registry

    @classmethod
    def load(cls, folder: Path) -> Library:
        """:raises InvalidFile: naming the place of a mistake."""
        if not any(folder.glob("*.yaml")):
            raise UsageError(
                f"there is no job library in {folder}",
                hint="name its folder with --jobs, or with `jobs` in the site's settings",
            )
        for path in sorted(folder.glob("*.yaml")):
            yamlfile.check(path)
        with silent(), mistakes_named(folder):
            from jenkins_jobs.config import JJBConfig
            from jenkins_jobs.loader import load_files
            from jenkins_jobs.roots import Roots

            from imagecycle.jobs import faster_rendering

            # The jenkins_jobs.ini of a user or a machine must not decide over what is rendered.
            config = JJBConfig(config_filename=os.devnull, config_section="jenkins")
            config.validate()
            roots = Roots(config)
            load_files(config, roots, [folder])
            faster_rendering.speed_up(roots)
            registry = faster_rendering.Registry(config, [])
            registry.set_macros(roots.macros)
            return cls(folder, roots, registry)

    @functools.cached_property
    def instances(self) -> list[Any]:
        """Every job with its variables filled in, in Jenkins Job Builder's own form."""
        with silent(), mistakes_named(self.folder):
            jobs: list[Any] = self.roots.generate_jobs()
            return jobs

    def jobs(self) -> Mapping[str, str]:
        """XML by job name, sorted."""
        from imagecycle.jobs import faster_rendering

        jobs = self.instances
        with silent(), mistakes_named(self.folder):
            return _texts(faster_rendering.JobGenerator(self.registry).generateXML(jobs))

    def views(self) -> Mapping[str, str]:
        """XML by view name, sorted."""
        from imagecycle.jobs import faster_rendering

        with silent(), mistakes_named(self.folder):
            views = self.roots.generate_views()
            return _texts(faster_rendering.ViewGenerator(self.registry).generateXML(views))


def _texts(generated: list[Any]) -> Mapping[str, str]:
    texts = {}
    for item in generated:
        ElementTree.indent(item.xml)
        body = ElementTree.tostring(item.xml, encoding="unicode", short_empty_elements=True)
        texts[str(item.name)] = f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'
    return dict(sorted(texts.items()))


@contextlib.contextmanager
def includes_noted() -> Iterator[list[str]]:
    """Note the files that libraries include while this is open: ``!include``, or from jinja2."""
    import jinja2
    from jenkins_jobs.yaml_objects import BaseYamlObject

    noted: list[str] = []
    find, load = BaseYamlObject._find_file, jinja2.FileSystemLoader.get_source

    def noting_find(self: Any, path: Any, place: Any) -> Any:
        noted.append(str(path))
        return find(self, path, place)

    def noting_load(self: Any, environment: Any, template: str) -> Any:
        noted.append(template)
        return load(self, environment, template)

    BaseYamlObject._find_file = noting_find
    jinja2.FileSystemLoader.get_source = noting_load  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        BaseYamlObject._find_file = find
        jinja2.FileSystemLoader.get_source = load  # type: ignore[method-assign]


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without what Jenkins Job Builder and its libraries say to themselves."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


@contextlib.contextmanager
def mistakes_named(folder: Path) -> Iterator[None]:
    """Raise InvalidFile for what Jenkins Job Builder complains about, with its place."""
    from jenkins_jobs.errors import JenkinsJobsException

    try:
        yield
    except JenkinsJobsException as error:
        places = [error.pos, *(context.pos for context in reversed(error.ctx))]
        raise InvalidFile([problem(str(error.message), *places, folder=folder)]) from None


def problem(message: str, *places: Any, folder: Path) -> Problem:
    """A mistake at the first of these places that lies in a file."""
    for place in places:
        if place is None or str(place.path).startswith("<"):
            continue
        if place.line < place._mark.buffer.count("\n"):  # of templates in YAML it may be wrong
            return Problem(Path(place.path), place.line + 1, message)
    return Problem(folder, 1, message)
