"""Runs the checks: pytest in a process of its own, beside the machines."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagecycle
from imagecycle import command
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.verify import checks, verdict, windows_checks
from imagecycle.verify.verdict import CheckResult

JUNIT = "checks.xml"
OUTPUT = "checks.log"
SETTINGS = "checks.ini"
_SETTINGS = """\
[pytest]
junit_duration_report = call
truncation_limit_lines = 0
truncation_limit_chars = 0
"""
_ALL_PASSED, _SOME_FAILED = 0, 1
_REFUSED, _BROKEN = "ERROR: ", "INTERNALERROR> "
_COLLECTING = re.compile(r"_+ ERROR collecting (.+?) _+$")


@dataclass(frozen=True)
class Checks:
    """Checks under way; ``process`` ends when all are done."""

    folder: Path
    process: subprocess.Popen[bytes]
    own: Path | None = None
    """The folder of the site's own checks"""

    def done(self) -> bool:
        return self.process.poll() is not None

    def results(self) -> list[CheckResult]:
        """What they found.

        :raises ImagecycleError: when they could not be carried out, which says nothing of the
            image.
        :raises RuntimeError: when they are broken, which is a defect of imagecycle.
        """
        if self.process.returncode not in (_ALL_PASSED, _SOME_FAILED):
            raise self._not_run()
        return verdict.read(self.folder / JUNIT)

    def _not_run(self) -> Exception:
        """Why they could not be carried out: pytest says what is wrong with its arguments."""
        said = (self.folder / OUTPUT).read_text(errors="replace").strip()
        lines = said.splitlines() or ["nothing was said"]
        if broken_file := _broken_file(lines, self.own):
            return ImagecycleError(
                f"the site's own checks could not be run: {broken_file}",
                hint=f"correct it; `checks` in the site's settings names {self.own}",
            )
        refused = [line.removeprefix(_REFUSED) for line in lines if line.startswith(_REFUSED)]
        if refused or self.process.returncode < 0:  # or ended by a signal
            return ImagecycleError(
                f"the checks could not be run: {(refused or lines[-1:])[0]}",
                hint="correct leave_out_checks in the catalog if it is named, or run with --keep",
            )
        broken = [line.removeprefix(_BROKEN) for line in lines if line.startswith(_BROKEN)]
        error = RuntimeError(f"the checks could not be run: {(broken or lines)[-1]}")
        error.add_note(said)
        return error


def _broken_file(lines: Sequence[str], own: Path | None) -> str | None:
    """The file of the site's own checks that cannot be read, and why; None where none is."""
    for line in lines:
        name = _COLLECTING.match(line)
        if own is not None and name is not None and Path(name[1]).name in _names(own):
            why = [line[1:].strip() for line in lines if line.startswith("E  ")]
            return f"{own / Path(name[1]).name}: {why[-1] if why else 'it cannot be read'}"
    return None


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.py")}


@contextlib.contextmanager
def running(
    folder: Path, session: Path, own: Path | None = None, os_type: str = "linux"
) -> Iterator[Checks]:
    """The checks of a session, running for the length of a ``with`` block.

    :param own: a folder with checks of the site's own.
    :param os_type: Glance's, which says whose checks they are.
    :raises UsageError: when it is none.
    """
    if own is not None and not own.is_dir():
        raise UsageError(
            f"there is no folder {own} with checks of the site",
            hint="correct `checks` in the site's settings",
        )
    (folder / SETTINGS).write_text(_SETTINGS)
    argv = [
        *(sys.executable, "-m", "pytest", "-c", SETTINGS, "--rootdir", str(folder)),
        *(
            "-p",
            "no:cacheprovider",
            "-p",
            "imagecycle.verify.fixtures",
            "-p",
            "imagecycle.verify.windows_fixtures",
            "--tb=short",
            "--no-header",
            "-q",
            "--durations=20",
            f"--junitxml={JUNIT}",
        ),
        (windows_checks if os_type == "windows" else checks).__path__[0],
        *([str(own.resolve())] if own is not None else []),
    ]
    # Nothing that a developer has set for tests of his own may change what is checked.
    environment = {
        "IMAGECYCLE_VERIFY_SESSION": str(session),
        "PYTHONPATH": str(Path(imagecycle.__file__).parents[1]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        "PYTEST_PLUGINS": "",
    }
    output = folder / OUTPUT
    with command.background(argv, output=output, env=environment, cwd=folder) as process:
        yield Checks(folder, process, own)
