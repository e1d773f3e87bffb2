"""``imagecycle jobs check``: is the job library right, and what would it change?"""

from __future__ import annotations

import contextlib
import difflib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command
from imagecycle.artifacts import write_text
from imagecycle.errors import InvalidFile, Problem, UsageError
from imagecycle.jobs import keys, matrix, names, rendering
from imagecycle.model import Family

SHOWN = 3
"""So many of the jobs that change alike are named"""


@dataclass(frozen=True)
class Checked:
    """A library without mistakes, rendered."""

    matrices: tuple[matrix.Matrix, ...]
    rendered: rendering.Rendered

    @property
    def families(self) -> int:
        return sum(len(one.cells) for one in self.matrices)


def check(folder: Path, families: tuple[Family, ...]) -> Checked:
    """Compare a job library with the catalog and with what Jenkins Job Builder knows.

    :raises InvalidFile: naming every mistake.
    """
    library = rendering.Library.load(folder)
    matrices = matrix.read(library)
    problems = list(matrix.compare(matrices, families))
    try:
        problems += keys.unknown(library)
        problems += _impossible_names(library)
        rendered = rendering.Rendered(library.jobs(), library.views())
    except InvalidFile as invalid:
        problems += invalid.problems
    if problems:
        unique: dict[Problem, None] = dict.fromkeys(problems)
        raise InvalidFile(sorted(unique, key=lambda problem: (problem.path, problem.line)))
    return Checked(matrices, rendered)


def _impossible_names(library: rendering.Library) -> Iterator[Problem]:
    for job in library.instances:
        if found := names.REFUSED & set(job.name):
            places = (*(context.pos for context in job.context), job.data.pos)
            message = f"Jenkins takes no {' '.join(sorted(found))} in a name: {job.name}"
            yield rendering.problem(message, *places, folder=library.folder)


def write(rendered: rendering.Rendered, out: Path) -> int:
    """Write ``jobs/NAME.xml`` and ``views/NAME.xml`` below a folder; returns how many.

    Files of jobs that are no more are removed; nothing else is touched.
    """
    for kind, texts in (("jobs", rendered.jobs), ("views", rendered.views)):
        folder = out / kind
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.xml"):
            if path.stem not in texts:
                path.unlink()
        for name, text in texts.items():
            write_text(folder / f"{name}.xml", text)
    return len(rendered.jobs) + len(rendered.views)


def changes(rendered: rendering.Rendered, baseline: Path) -> Iterator[str]:
    """What would change against an earlier rendering, in lines for people.

    Jobs that change alike are told once.

    :raises UsageError: when the baseline is none.
    """
    if not (baseline / "jobs").is_dir():
        raise UsageError(
            f"{baseline} holds no rendered jobs", hint="make it with `imagecycle jobs render`"
        )
    for kind, texts in (("jobs", rendered.jobs), ("views", rendered.views)):
        before = {path.stem: path.read_text() for path in (baseline / kind).glob("*.xml")}
        yield from _changes(kind.removesuffix("s"), before, texts)


@contextlib.contextmanager
def rendered_at(folder: Path, commit: str) -> Iterator[Path]:
    """A folder with the library rendered as it was at a commit of its repository.

    :raises CommandFailed: when there is no such commit.
    """
    with tempfile.TemporaryDirectory() as scratch:
        archive, then, out = (Path(scratch) / name for name in ("jobs.tar", "jobs", "rendered"))
        command.run(
            ["git", "-C", folder, "archive", f"--output={archive}", commit, "."],
            timeout=60,
            hint="name a commit that has the job library, such as origin/main",
        )
        then.mkdir()
        command.run(["tar", "--extract", "--file", archive, "--directory", then], timeout=60)
        write(rendering.render_all(then), out)
        yield out


def _changes(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for what, found in (("new", after.keys() - before), ("gone", before.keys() - after)):
        for name in sorted(found):
            yield f"{what} {kind}: {name}"
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(before.keys() & after):
        if before[name] != after[name]:
            alike.setdefault(tuple(_difference(name, before[name], after[name])), []).append(name)
    for lines, changed in alike.items():
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        yield f"changed {kind}{'s' if len(changed) > 1 else ''}: {', '.join(changed[:SHOWN])}{more}"
        yield from lines


def _difference(name: str, before: str, after: str) -> Iterator[str]:
    """The lines that differ, with the family's name left open."""
    known = names.family_and_stage(name)
    family = known[0] if known else name
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    for line in list(lines)[2:]:
        if not line.startswith("@@"):
            yield f"  {line.replace(family, 'FAMILY') if known else line}"
