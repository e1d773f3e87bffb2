"""The matrix: which families are built where, and how often.

It stands in the projects of the job library that have ``systems``; each of them is one kind of
system. What a family is, the catalog says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagecycle.errors import InvalidFile, Problem, UnknownName, suggestion
from imagecycle.jobs import rendering
from imagecycle.jobs.due import RHYTHMS
from imagecycle.model import Family


@dataclass(frozen=True)
class Cell:
    """One family of the matrix."""

    family: str
    every: str
    """One of RHYTHMS"""
    place: Problem
    """Where it stands; the message is empty"""


@dataclass(frozen=True)
class Matrix:
    """One kind of system."""

    kind: str
    """The name of its project: ``linux``"""
    place: Problem
    cells: tuple[Cell, ...]
    left_out: Mapping[str, Problem]
    """Families that are not built, each with the reason as its message"""


def load(folder: Path) -> tuple[Matrix, ...]:
    """The matrices of a job library.

    :raises InvalidFile: naming every mistake in them.
    """
    return read(rendering.Library.load(folder))


def find(folder: Path, kind: str) -> Matrix:
    """One matrix by its kind.

    :raises UnknownName: when there is no such kind.
    """
    matrices = load(folder)
    for matrix in matrices:
        if matrix.kind == kind:
            return matrix
    raise UnknownName("kind of system", kind, [matrix.kind for matrix in matrices])


def read(library: rendering.Library) -> tuple[Matrix, ...]:
    """The matrices of a library; see :func:`load`."""
    problems: list[Problem] = []
    found = []
    for project in library.roots.projects.values():
        if "systems" in project.params:
            reader = _Reader(library, project)
            found.append(reader.matrix())
            problems += reader.problems
    if problems:
        raise InvalidFile(problems)
    return tuple(found)


def compare(matrices: Iterable[Matrix], families: Iterable[Family]) -> Iterator[Problem]:
    """What is in the matrix or left out and not in the catalog, and the other way round."""
    matrices = tuple(matrices)
    known = {family.slug: family for family in families}
    cells = {cell.family for matrix in matrices for cell in matrix.cells}
    left_out = {slug for matrix in matrices for slug in matrix.left_out}
    for matrix in matrices:
        for cell in matrix.cells:
            if cell.family not in known:
                message = f"{cell.family} is not in the catalog"
                yield _at(cell.place, message + suggestion(cell.family, known))
        for slug, place in matrix.left_out.items():
            if slug not in known:
                message = f"left-out: {slug} is not in the catalog" + suggestion(slug, known)
                yield _at(place, message)
            elif slug in cells:
                yield _at(place, f"left-out: {slug} is in the matrix")
    for slug, family in known.items():
        if slug not in cells | left_out:
            nearest = next((m for m in matrices if m.kind == family.os_type), None)
            message = (
                f"{slug} of {family.source.name} is not in the matrix: "
                f"add it to systems, or to left-out with the reason"
            )
            near = nearest or (matrices[0] if matrices else None)
            yield _at(near.place, message) if near else Problem(family.source, 1, message)


def _at(place: Problem, message: str) -> Problem:
    return Problem(place.path, place.line, message)


class _Reader:
    """Reads one project, and notes what is wrong with it."""

    def __init__(self, library: rendering.Library, project: Any) -> None:
        self._folder = library.folder
        self._project = project
        self._settings = project.params
        self.problems: list[Problem] = []

    def matrix(self) -> Matrix:
        place = self._place(self._settings, "systems")
        rhythm = self._mapping(self._settings, "rhythm")
        for family, every in rhythm.items():
            self._check_rhythm(rhythm, family, every, f"rhythm.{family}")
        every = self._settings.get("every", "quarter")
        self._check_rhythm(self._settings, "every", every, "every")
        if not isinstance(self._settings.get("schedule"), str):
            self._note(place, "schedule is missing: expected a line of cron such as H H(0-5) * * *")
        cells = tuple(self._cells(every, rhythm))
        families = {cell.family for cell in cells}
        for family in rhythm:
            if family not in families:
                message = f"rhythm: {family} is not in this matrix{suggestion(family, families)}"
                self._note(self._place(rhythm, family), message)
        return Matrix(str(self._project.name), place, cells, dict(self._left_out()))

    def _cells(self, every: str, rhythm: Mapping[str, str]) -> Iterator[Cell]:
        systems = self._mapping(self._settings, "systems")
        for system in systems:
            machines = self._mapping(systems, system, "architectures and their flavours")
            for arch in machines:
                place = self._place(machines, arch)
                flavours = machines[arch]
                if not isinstance(flavours, list) or not flavours:
                    message = f"systems.{system}.{arch}: expected flavours such as [base, server]"
                    self._note(place, message)
                    continue
                for flavour in flavours:
                    family = f"{system}-{arch}-{flavour}"
                    if flavours.count(flavour) > 1:
                        self._note(place, f"{family} stands here more than once")
                    yield Cell(family, rhythm.get(family, every), place)

    def _left_out(self) -> Iterator[tuple[str, Problem]]:
        left_out = self._mapping(self._settings, "left-out")
        for family, reason in left_out.items():
            place = self._place(left_out, family)
            if not isinstance(reason, str) or not reason.strip():
                self._note(place, f"left-out.{family}: expected the reason in words")
            yield family, _at(place, str(reason))

    def _check_rhythm(self, section: Any, key: str, every: object, where: str) -> None:
        if every not in RHYTHMS:
            message = f"{where}: expected {', '.join(RHYTHMS)}, found {every}"
            self._note(self._place(section, key), message + suggestion(str(every), RHYTHMS))

    def _mapping(self, section: Any, key: str, what: str = "a section, or {} for none") -> Any:
        value = section.get(key, {})
        if isinstance(value, dict):
            return value
        self._note(self._place(section, key), f"{key}: expected {what}, found {value}")
        return {}

    def _place(self, section: Any, key: str) -> Problem:
        places = (getattr(section, "key_pos", {}).get(key), self._project.pos)
        return rendering.problem("", *places, folder=self._folder)

    def _note(self, place: Problem, message: str) -> None:
        self.problems.append(_at(place, message))
