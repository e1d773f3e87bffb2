"""The exceptions of imagecycle.

Every error that a person can cause or must act on is an :class:`ImagecycleError`: it says what
went wrong and why in ``message``, and the way out in ``hint``. ``cli`` prints both and exits with
``exit_code``. Anything else that escapes is a defect of imagecycle: its trace goes to a file, and
one message names the defect and that file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle.shipped import SETUP

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_DEFECTS = 3
EXIT_INTERRUPTED = 130


class ImagecycleError(Exception):
    """Something failed while it was being done.

    :param message: what failed and why, one line.
    :param hint: what to do about it, one line.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ImagecycleError):
    """A wrong argument, or a configuration that cannot be used."""

    exit_code = EXIT_USAGE


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` to put after a message, or nothing when no known name is near."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


class UnknownName(UsageError):
    """A name that is not among the known ones; the nearest known one is suggested."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
        suggestion = f"did you mean {nearest[0]}?" if nearest else hint
        super().__init__(f"unknown {kind}: {name}", hint=suggestion or hint)


@dataclass(frozen=True)
class Problem:
    """One mistake in a file that an operator wrote; ``line`` counts from 1."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class InvalidFile(UsageError):
    """A file with mistakes, all of them named at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CommandFailed(ImagecycleError):
    """A program ended with a status other than 0, or ran into its time limit.

    :param argv: the command line.
    :param returncode: its exit status; None when it was stopped at its time limit.
    :param output: the end of what it printed.
    """

    def __init__(
        self, argv: Sequence[str], returncode: int | None, output: str, *, hint: str = ""
    ) -> None:
        self.argv = tuple(argv)
        self.returncode = returncode
        self.output = output
        last = output.strip().splitlines()[-1] if output.strip() else "it printed nothing"
        how = "ran into its time limit" if returncode is None else f"exited with {returncode}"
        super().__init__(f"{argv[0]} {how}: {last}", hint=hint)


class MissingProgram(ImagecycleError):
    """A program that must be installed first."""

    def __init__(self, program: str) -> None:
        super().__init__(
            f"{program} is not installed",
            hint=f"{SETUP}, or look at `imagecycle doctor`",
        )


class LockHeld(ImagecycleError):
    """Somebody else works on the same thing."""

    def __init__(self, what: str, holder: str) -> None:
        super().__init__(
            f"{what} is locked by {holder}", hint="wait until that ends, then run this again"
        )


class DefectsFound(ImagecycleError):
    """Verification found defects in an image."""

    exit_code = EXIT_DEFECTS


class Unreachable(ImagecycleError):
    """A service did not answer, or answered that it cannot serve."""
