"""What a flavour adds to the system that it shares with others, out of the catalog's files.

A flavour comes after those that it extends: of two files of one path, two package sources of one
name, and two words about one service, the later counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagecycle.catalog.declaration import AddedRepository, Declaration, Flavour
from imagecycle.catalog.layers import Layers
from imagecycle.errors import Problem, suggestion
from imagecycle.model import TEXT, GuestFile, Repository, Service
from imagecycle.systems import openpgp
from imagecycle.yamlfile import Place, YamlFile

Beside = Mapping[str, Path]
"""The files beside catalog files that flavours name"""
_SUFFIXES = (".service", ".timer", ".socket", ".target", ".path", ".mount")


def ancestry(declaration: Declaration, name: str) -> list[tuple[str, Flavour]]:
    """A flavour after those that it extends, the farthest first."""
    flavour = declaration.flavours[name]
    before = ancestry(declaration, flavour.extends) if flavour.extends is not None else []
    return [*before, (name, flavour)]


def beside(
    file: YamlFile, declaration: Declaration, layers: Layers, problems: list[Problem]
) -> Beside:
    """The files that flavours name; notes those that are not there, and keys that are none."""
    found: dict[str, Path] = {}
    for place, name in _named(declaration):
        path = layers.template(name)
        where = ".".join(str(part) for part in place)
        if path is None:
            message = f"{where}: there is no {name} beside this file"
            near = suggestion(name, layers.others(f"*{Path(name).suffix}"))
            problems.append(file.problem(place, message + near))
        else:
            found[name] = path
    for flavour, section in declaration.flavours.items():
        for number, one in enumerate(section.repositories):
            place = ("flavours", flavour, "repositories", number)
            if (path := found.get(one.key)) and (why := _unfit(path, one)):
                key, message = why
                where = ".".join(map(str, (*place, key)))
                problems.append(file.problem((*place, key), f"{where}: {message}"))
    return found


def _named(declaration: Declaration) -> Iterator[tuple[Place, str]]:
    for name, flavour in declaration.flavours.items():
        place: Place = ("flavours", name)
        for number, repository in enumerate(flavour.repositories):
            yield (*place, "repositories", number, "key"), repository.key
        for number, added in enumerate(flavour.files):
            if added.source:
                yield (*place, "files", number, "source"), added.source


def _unfit(key: Path, repository: AddedRepository) -> tuple[str, str] | None:
    """What is wrong with a key, and which word of the catalog says so."""
    try:
        found = openpgp.fingerprints(key.read_bytes())
    except (OSError, ValueError) as error:
        return "key", f"{key.name} is no public key: {error}"
    wanted = repository.fingerprint.replace(" ", "").upper()
    if wanted and found != (wanted,):
        return "fingerprint", f"{key.name} is of the key {', '.join(found)}"
    return None


def of(
    file: YamlFile, declaration: Declaration, name: str, arch: str, files: Beside
) -> dict[str, Any]:
    """What a family carries of its flavour and those that this one extends."""
    line = ancestry(declaration, name)
    flavours = [flavour for _, flavour in line]
    sizes = [declaration.disk, *(one.disk for one in flavours if one.disk is not None)]
    screens = [one.screen for one in flavours if one.screen is not None]
    added = {one.path: one for flavour in flavours for one in flavour.files}
    memory = [one.memory for one in flavours if one.memory is not None]
    return {
        "disk_gib": sizes[-1],
        "smaller_disk_gib": declaration.disk if sizes[-1] != declaration.disk else 0,
        "min_ram_mib": [declaration.memory.minimum, *memory][-1],
        "screen": [TEXT, *screens][-1],
        "repositories": _repositories(file, line, files),
        "packages": tuple(
            dict.fromkeys(
                _bare(one) for flavour in flavours for one in flavour.packages if _is_for(one, arch)
            )
        ),
        "files": tuple(
            GuestFile(
                one.path,
                one.content,
                int(one.mode, 8),
                one.owner,
                one.group,
                files[one.source] if one.source else None,
            )
            for one in added.values()
        ),
        "commands": tuple(text for flavour in flavours for text in flavour.commands),
        "services": _services(flavours),
        "places": dict(_places(file, line)),
    }


def _is_for(package: str, arch: str) -> bool:
    """Whether an architecture gets a package, which may name its own: ``NAME [aarch64]``."""
    _, _, own = package.partition(" ")
    return own in ("", f"[{arch}]")


def _bare(package: str) -> str:
    return package.partition(" ")[0]


def _repositories(
    file: YamlFile, line: Sequence[tuple[str, Flavour]], files: Beside
) -> tuple[Repository, ...]:
    found = {}
    for name, flavour in line:
        for number, one in enumerate(flavour.repositories):
            spot = file.spot(("flavours", name, "repositories", number, "name"))
            found[one.name] = Repository(
                name=one.name,
                url=one.url.rstrip("/"),
                key=files[one.key],
                suite=one.suite,
                components=tuple(one.components),
                keep=one.keep,
                place=f"{spot.path}:{spot.line}",
            )
    return tuple(found.values())


def _services(flavours: Sequence[Flavour]) -> tuple[Service, ...]:
    found: dict[str, bool] = {}
    for flavour in flavours:
        said = flavour.services
        found |= dict.fromkeys(map(unit, said.enabled), True)
        found |= dict.fromkeys(map(unit, said.disabled), False)
    return tuple(Service(name, on) for name, on in found.items())


def unit(name: str) -> str:
    """The whole name of a unit of systemd."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def _places(file: YamlFile, line: Sequence[tuple[str, Flavour]]) -> Iterator[tuple[str, str]]:
    """Where it is said what only the build can find to be wrong."""
    spot = file.spot(("disk",))
    yield "disk", f"{spot.path}:{spot.line}"
    for name, flavour in line:
        for key in ("packages", "commands"):
            for number, one in enumerate(getattr(flavour, key)):
                spot = file.spot(("flavours", name, key, number))
                named = _bare(one) if key == "packages" else one
                yield f"{key}.{named}", f"{spot.path}:{spot.line}"
        for number, added in enumerate(flavour.files):
            spot = file.spot(("flavours", name, "files", number))
            yield f"files.{added.path}", f"{spot.path}:{spot.line}"
        for key in ("enabled", "disabled"):
            for number, one in enumerate(getattr(flavour.services, key)):
                spot = file.spot(("flavours", name, "services", key, number))
                yield f"services.{unit(one)}", f"{spot.path}:{spot.line}"
        if flavour.disk is not None:
            spot = file.spot(("flavours", name, "disk"))
            yield "disk", f"{spot.path}:{spot.line}"
