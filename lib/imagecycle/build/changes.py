"""What a flavour changes in a running guest, as shell commands of root in their order.

Package sources with their keys, package lists, packages, files, commands, services. Files come
after packages, so that they stay as the catalog has them; commands after files, so that they can
use them; services last, whatever a command has made of them.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from imagecycle.model import Family, GuestFile, Repository
from imagecycle.site import Site
from imagecycle.systems.linux import Linux

_SHOWN = 60
"""Characters of a command, or of the names of packages, in a title"""
_LINE = 76


@dataclass(frozen=True)
class Step:
    """One change."""

    title: str
    """For people: ``file /etc/motd``"""
    text: str
    place: str = ""
    """Where the catalog says it"""


@dataclass(frozen=True)
class Changes:
    """All that is done in a guest, in this order."""

    before: tuple[Step, ...]
    packages: Step
    after: tuple[Step, ...]


def needed(family: Family) -> bool:
    """Whether a flavour changes what only a running system can change."""
    return bool(family.packages or family.commands or family.services or family.repositories)


def of(family: Family, system: Linux, site: Site) -> Changes:
    """:raises ImagecycleError: when the builder's package sources are needed and not known."""
    manager = system.packages
    prepare = manager.prepare(system.build_sources(family, site))
    title = f"packages {_short(', '.join(family.packages))}"
    return Changes(
        before=(
            *(_repository(one, system) for one in family.repositories),
            Step("package lists", prepare),
        ),
        packages=Step(title, manager.install(family.packages), first_place(family, "packages")),
        after=(
            *(_file(one, system, first_place(family, f"files.{one.path}")) for one in family.files),
            *_commands(family),
            *(
                Step(
                    f"service {one.unit} {'on' if one.on else 'off'}",
                    system.switched(one),
                    first_place(family, f"services.{one.unit}"),
                )
                for one in family.services
            ),
            Step("the builder's package sources off", _forget(family, system)),
        ),
    )


def _repository(repository: Repository, system: Linux) -> Step:
    files = system.packages.source_files(repository)
    parts = [_written(path, content, system) for path, content in files.items()]
    text = "\n".join(["set -e", *parts, system.packages.trust(repository)])
    return Step(f"package source {repository.name}", text, repository.place)


def _file(file: GuestFile, system: Linux, place: str) -> Step:
    how = f"-o {shlex.quote(file.owner)} -g {shlex.quote(file.group)} -m {file.mode:04o}"
    text = "\n".join(["set -e", _written(file.path, file.data(), system, how)])
    return Step(f"file {file.path}", text, place)


def _written(path: str, content: bytes, system: Linux, how: str = "-m 0644") -> str:
    encoded = base64.b64encode(content).decode()
    lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
    name, parent = shlex.quote(path), shlex.quote(str(PurePosixPath(path).parent))
    return "\n".join(
        [
            f"[ -d {parent} ] || mkdir -p {parent}",
            "base64 -d >/run/imagecycle-file <<'END'",
            *lines,
            "END",
            f"install {how} /run/imagecycle-file {name}",
            "rm /run/imagecycle-file",
            *([f"! command -v restorecon >/dev/null || restorecon -F {name}"] * system.has_labels),
        ]
    )


def _commands(family: Family) -> Iterator[Step]:
    for number, text in enumerate(family.commands, start=1):
        place = first_place(family, f"commands.{text}")
        yield Step(f"command {number} of {len(family.commands)}: {_short(text)}", text, place)


def _forget(family: Family, system: Linux) -> str:
    manager = system.packages
    gone = [one for one in family.repositories if not one.keep]
    paths = [path for one in gone for path in manager.source_files(one)]
    removed = [f"rm {shlex.join(paths)}"] if paths else []
    distrusted = [words for one in gone if (words := manager.distrust(one))]
    return "\n".join(["set -e", *distrusted, *removed, manager.finish()])


def first_place(family: Family, key: str) -> str:
    """Where the catalog says something, or the first of several."""
    return next(
        (at for name, at in family.places.items() if name.startswith(key)), str(family.source)
    )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
