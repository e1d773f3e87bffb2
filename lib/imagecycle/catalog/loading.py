"""The catalog: ``images/*.yaml`` in, families out.

A file declares one operating system; each of its architectures with each of its flavours is a
family. A flavour may extend another one of the same file. How files extend one another, see
:mod:`imagecycle.catalog.layers`. Every mistake is named with file and line, all of them at once,
before anything runs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagecycle import systems
from imagecycle.catalog import (
    additions,
    consistency,
    ends_of_support,
    unattended,
    validation,
    windows,
)
from imagecycle.catalog.declaration import Architecture, Declaration, Flavour
from imagecycle.catalog.explanation import Origin, origins
from imagecycle.catalog.layers import Layers
from imagecycle.errors import InvalidFile, Problem, UnknownName, UsageError, suggestion
from imagecycle.model import (
    AcceptedRule,
    Budgets,
    Explained,
    Family,
    FamilyRetirement,
    LeftOut,
    MaintenanceTerms,
    Matrix,
    Media,
    SecurityProfile,
)
from imagecycle.windows_facts import WindowsFacts
from imagecycle.yamlfile import Place, Spot, YamlFile

Folders = Path | Sequence[Path]
"""One folder, or several, each over those before it"""
WINDOWS_BOOT_SECONDS = 600.0
"""From power-on to the login, where the catalog says nothing: it restarts once meanwhile"""


def load(folders: Folders) -> tuple[Family, ...]:
    """All families of a catalog, sorted by slug.

    :raises InvalidFile: naming every mistake in every file.
    :raises UsageError: when there is no catalog.
    """
    families: dict[str, Family] = {}
    problems: list[Problem] = []
    for _, found, wrong in _files(folders):
        problems += wrong
        for family, spot in found:
            first = families.setdefault(family.slug, family)
            if first is not family:
                message = f"{family.slug} is declared a second time; first in {first.source}"
                problems.append(Problem(spot.path, spot.line, message))
    _refuse(problems)
    return tuple(families[slug] for slug in sorted(families))


def find(folders: Folders, slug: str) -> Family:
    """One family by its slug.

    :raises UnknownName: suggesting the nearest one, or the flavours of a known system.
    """
    families = load(folders)
    for family in families:
        if family.slug == slug:
            return family
    for system in {family.system for family in families}:
        flavour = slug.removeprefix(f"{system}-")
        if flavour != slug:
            known = [family.flavour for family in families if family.system == system]
            hint = f"there are {', '.join(known)}"
            raise UnknownName(f"flavour of {system}", flavour, known, hint=hint)
    hint = "`imagecycle list` shows the families"
    raise UnknownName("family", slug, [family.slug for family in families], hint=hint)


def explain(folders: Folders, slug: str) -> list[Origin]:
    """Where each value of a family comes from.

    :raises UnknownName: see :func:`find`.
    """
    family = find(folders, slug)
    file = Layers(_several(folders)).file(family.source.name)
    return origins(file, family.arch, family.flavour)


def _several(folders: Folders) -> Sequence[Path]:
    return [folders] if isinstance(folders, Path) else folders


def _files(
    folders: Folders,
) -> Iterator[tuple[str, list[tuple[Family, Spot]], list[Problem]]]:
    layers = Layers(_several(folders))
    misnamed = list(layers.misnamed())
    if not layers.names() and not misnamed:
        raise UsageError(
            f"no catalog in {layers}", hint="set `catalog` in the site's settings, or add a file"
        )
    yield "", [], misnamed
    for name in layers.names():
        yield (name, *_load_file(layers, name))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        unique = dict.fromkeys(problems)  # files that share a template or a parent share mistakes
        raise InvalidFile(sorted(unique, key=lambda problem: (problem.path, problem.line)))


def _load_file(layers: Layers, name: str) -> tuple[list[tuple[Family, Spot]], list[Problem]]:
    try:
        file = layers.file(name)
    except InvalidFile as invalid:
        return [], list(invalid.problems)
    declaration, problems = validation.parse(file)
    if declaration is None:
        return [], problems
    problems = [file.problem(place, text) for place, text in consistency.wrong(declaration)]
    template = layers.template(declaration.unattended)
    if template is None:
        message = f"unattended: there is no {declaration.unattended} beside this file"
        message += suggestion(declaration.unattended, layers.others("*.j2"))
        problems.append(file.problem(("unattended",), message))
    media = dict(_media(file, declaration, layers, problems))
    beside = additions.beside(file, declaration, layers, problems)
    if problems or template is None:
        return [], problems
    families = list(_families(file, declaration, template, media, beside))
    problems = [
        Problem(spot.path, spot.line, f"{family.slug}: {text}")
        for family, spot in families
        for text in systems.of(family).problems(family)
    ]
    if problems:
        return [], problems
    return families, [problem for family, _ in families for problem in unattended.problems(family)]


def _media(
    file: YamlFile, declaration: Declaration, layers: Layers, problems: list[Problem]
) -> Iterator[tuple[str, Media]]:
    """The media of each architecture; notes keys that are not there."""
    for arch, architecture in declaration.architectures.items():
        source = architecture.media
        place: Place = ("architectures", arch, "media")
        key = layers.template(source.key) if source.key else None
        if source.key and key is None:
            message = f"architectures.{arch}.media.key: there is no {source.key} beside this file"
            problems.append(file.problem((*place, "key"), message))
        spot = file.spot((*place, "url"))
        said = {**source.model_dump(), "key": key, "place": f"{spot.path}:{spot.line}"}
        yield arch, Media(**said)


def _families(
    file: YamlFile,
    declaration: Declaration,
    template: Path,
    media: Mapping[str, Media],
    beside: additions.Beside,
) -> Iterator[tuple[Family, Spot]]:
    for arch, architecture in declaration.architectures.items():
        for name in declaration.flavours:
            place: Place = ("flavours", name)
            yield (
                _family(file, declaration, arch, architecture, name, template, media[arch], beside),
                file.spot(place),
            )


def _family(
    file: YamlFile,
    declaration: Declaration,
    arch: str,
    architecture: Architecture,
    name: str,
    template: Path,
    media: Media,
    beside: additions.Beside,
) -> Family:
    flavour = declaration.flavours[name]
    line = [one for _, one in additions.ancestry(declaration, name)]
    checks = [*declaration.leave_out_checks, *(c for one in line for c in one.leave_out_checks)]
    explanations = [*declaration.explained, *(e for one in line for e in one.explained)]
    properties = dict(declaration.properties)
    for one in line:
        properties |= one.properties
    retirement: dict[str, Any] = {}
    for section in (declaration.retirement, *(one.retirement for one in line)):
        retirement |= section.model_dump(exclude_none=True)
    return Family(
        slug=f"{declaration.distro}-{declaration.version}-{arch}-{name}",
        title=f"{declaration.name} {flavour.title}",
        distro=declaration.distro,
        version=declaration.version,
        codename=declaration.codename,
        os_type=declaration.type,
        arch=arch,
        flavour=name,
        description=flavour.description,
        oz_name=declaration.oz.name,
        oz_version=declaration.oz.version,
        media=media,
        unattended=template,
        builder=declaration.builder,
        admin_user=declaration.admin_user,
        install_memory_mib=declaration.memory.install,
        firmware=tuple(architecture.firmware),
        properties=properties,
        leave_out_checks=tuple({c.check: LeftOut(c.check, c.reason) for c in checks}.values()),
        explained=tuple(Explained(e.check, e.what, e.reason) for e in explanations),
        end_of_support=_end_of_support(declaration),
        source=file.path,
        purpose=flavour.purpose,
        image_source=declaration.image_source,
        promises=MaintenanceTerms(**declaration.promises.model_dump()),
        retirement=FamilyRetirement(**retirement),
        windows=_windows_facts(declaration, line),
        budgets=_budgets(declaration),
        security_profile=_security_profile(declaration, line),
        matrix=Matrix(**{k: tuple(v) for k, v in declaration.matrix.model_dump().items()}),
        **additions.of(file, declaration, name, arch, beside),
    )


def _windows_facts(declaration: Declaration, line: list[Flavour]) -> WindowsFacts | None:
    said = (declaration.windows, *(one.windows for one in line))
    sections = [section for section in said if section is not None]
    return windows.facts(sections) if sections else None


def _budgets(declaration: Declaration) -> Budgets:
    said = declaration.budgets
    found = Budgets(**said.model_dump())
    if declaration.type == "windows" and "boot_seconds" not in said.model_fields_set:
        return replace(found, boot_seconds=WINDOWS_BOOT_SECONDS)
    return found


def _security_profile(declaration: Declaration, line: list[Flavour]) -> SecurityProfile | None:
    """The one of the flavour, else of what it extends, else of the whole file."""
    said = (declaration.security_profile, *(one.security_profile for one in line))
    found = [section for section in said if section is not None]
    if not found:
        return None
    words = found[-1].model_dump()
    accepted = tuple(AcceptedRule(**one) for one in words.pop("accepted"))
    return SecurityProfile(**words, accepted=accepted)


def _end_of_support(declaration: Declaration) -> datetime.date | None:
    if "end_of_support" in declaration.model_fields_set:
        return declaration.end_of_support
    return ends_of_support.find(declaration.distro, declaration.version)
