"""The unattended-install file: the operator's template, filled in for one family.

A template knows the system and the site, and nothing of the flavour: all flavours of a system
share one installation.
"""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import jinja2
import jinja2.meta
from jinja2 import nodes

from imagecycle import systems
from imagecycle.errors import InvalidFile, Problem, suggestion
from imagecycle.model import Family
from imagecycle.systems.windows_answers import WindowsAnswers
from imagecycle.systems.windows_keys import ProductKey

_EXAMPLE_KEY = "-".join(("BBBBB",) * 5)
_XML = re.compile(r"\.unattend\.j2$")


@dataclass(frozen=True)
class Variables:
    """What a template may use; the field names are the names in the template."""

    distro: str
    version: str
    codename: str
    arch: str
    admin_user: str
    disk_gib: int
    firmware: tuple[str, ...]
    media_kind: str
    """``tree``, ``url`` or ``iso``"""
    media_url: str
    """The vendor's install tree, for media of the kind ``url``"""
    repositories: Mapping[str, str]
    """Package sources that the installer uses besides, by name"""
    mirror: str
    """The package mirror's address, such as http://mirror.example/debian"""
    security_mirror: str
    root_password: str
    """Of the installation alone; the finished image has none"""
    windows: WindowsAnswers | None
    """None where it is no Windows"""


def render(
    family: Family,
    *,
    mirror: str = "",
    security_mirror: str = "",
    root_password: str = "",
    product_key: str = "",
    image_index: str = "",
) -> str:
    """The unattended-install file of a family.

    :raises InvalidFile: when the template is wrong.
    """
    variables = Variables(
        distro=family.distro,
        version=family.version,
        codename=family.codename,
        arch=family.arch,
        admin_user=family.admin_user,
        disk_gib=family.installed_disk_gib,
        firmware=family.firmware,
        media_kind=family.media.kind,
        media_url=family.media.url,
        repositories=family.media.repositories,
        mirror=mirror,
        security_mirror=security_mirror,
        root_password=root_password,
        windows=WindowsAnswers(family, ProductKey(product_key), root_password, image_index)
        if family.windows
        else None,
    )
    template = _compiled(family.unattended)
    values = {field.name: getattr(variables, field.name) for field in fields(variables)}
    try:
        return template.render(values)
    except Exception as error:  # a template is the operator's program: any kind may come out of it
        line = _line_in(error, family.unattended)
        message = f"does not render: {error}"
        raise InvalidFile([Problem(family.unattended, line, message)]) from None


def problems(family: Family) -> list[Problem]:
    """What is wrong with a family's template; nothing when it renders."""
    try:
        text = render(
            family,
            mirror="http://mirror.example/debian",
            security_mirror="http://mirror.example/debian-security",
            root_password="secret",
            product_key=_EXAMPLE_KEY,
        )
    except InvalidFile as invalid:
        return list(invalid.problems)
    wrong = systems.of(family).wrong_answers(family, text)
    return [Problem(family.unattended, 1, f"{family.slug}: {one}") for one in wrong]


def _compiled(path: Path) -> jinja2.Template:
    try:
        state = path.stat()
    except OSError as error:
        raise InvalidFile([Problem(path, 1, f"cannot be read: {error.strerror}")]) from None
    return _compiled_once(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=256)
def _compiled_once(path: Path, _changed: int, _size: int) -> jinja2.Template:
    """Many families share a template, which takes longer to compile than to render."""
    known = [field.name for field in fields(Variables)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=_XML.search(path.name) is not None,
    )
    try:
        text = path.read_text(encoding="utf-8")
        tree = environment.parse(text, filename=str(path))
        template = environment.get_template(path.name)  # knows its file, for error messages
    except OSError as error:
        raise InvalidFile([Problem(path, 1, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise InvalidFile([Problem(path, 1, "expected text in UTF-8")]) from None
    except jinja2.TemplateSyntaxError as error:
        raise InvalidFile([Problem(path, error.lineno, f"not a template: {error}")]) from None
    unknown = jinja2.meta.find_undeclared_variables(tree) - set(known)
    problems = [
        Problem(path, node.lineno, f"unknown variable {node.name}{suggestion(node.name, known)}")
        for node in tree.find_all(nodes.Name)
        if node.name in unknown
    ]
    if problems:
        raise InvalidFile(problems)
    return template


def _line_in(error: Exception, path: Path) -> int:
    """The template's line that an error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == str(path)), 1)
