"""Defects of imagecycle: what was not expected goes to a file, and a message names that file.

Nobody is shown a trace. The file is for its owner alone, below ``defects`` in the home, or in the
folder for temporary files where the home cannot be written; secrets are masked in it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import re
import shlex
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from imagecycle import __version__, log
from imagecycle.cli import secrets_masked
from imagecycle.errors import EXIT_FAILED
from imagecycle.site import DEFAULT_HOME

FOLDER = "defects"
KEPT = 20
"""The newest files that stay in the folder"""
HINT = "report it to whoever maintains imagecycle, with that file; read it before you hand it on"
_NO_FILE = "name a folder that can be written with IMAGECYCLE_HOME, and run it again"
_NAME = re.compile(r"\d{8}T\d{6}Z-\d+(\.\d+)?\.txt")
_MOST_WORDS = 300
"""Characters of an exception's own words that the message repeats"""


class Run:
    """One run of the program, and the defects that it met.

    :param arguments: the words of the command line.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = tuple(arguments)
        self.home = Path(os.environ.get("IMAGECYCLE_HOME") or DEFAULT_HOME)
        """Where to write; the settings may name another folder"""
        self.reported: list[BaseException] = []

    def watch(self) -> None:
        """Report also what ends a thread, escapes outside of :func:`main`, or is only logged."""
        logging.raiseExceptions = False
        logging.lastResort = _Logged(self)
        sys.excepthook = lambda _kind, error, _trace: self._escaped(error)
        threading.excepthook = lambda raised: self._escaped(raised.exc_value)
        sys.unraisablehook = self.unraisable

    def report(self, error: BaseException) -> int:
        """Write the trace to a file and say so, once for each error; returns the exit code."""
        if not any(error is known for known in self.reported):
            self.reported.append(error)
            log.fail(*self._written(error))
        return EXIT_FAILED

    def unraisable(self, raised: sys.UnraisableHookArgs) -> None:
        """Report what a destructor raised: Python goes on, and so does the work."""
        if raised.exc_value is not None and not isinstance(raised.exc_value, SystemExit):
            self.mention(raised.exc_value, f"in {raised.object!r}")

    def mention(self, error: BaseException, where: str) -> None:
        """Write the trace of what does not end the work, and say so."""
        log.warn("; ".join(self._written(error, where)))

    def exit_code(self, code: int) -> int:
        """The exit code of a run, which has failed when one of its threads met a defect."""
        return code or (EXIT_FAILED if self.reported else 0)

    def _escaped(self, error: BaseException | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            log.fail("interrupted")
        elif error is not None and not isinstance(error, SystemExit):
            self.report(error)

    def _written(self, error: BaseException, where: str = "") -> tuple[str, str]:
        """Write the trace; returns the message and the hint."""
        secrets = secrets_masked.known(os.environ, self.arguments, self.home)
        message = secrets_masked.masked(self._message(error), secrets)
        head = self._head(where)
        trace = "".join(traceback.format_exception(error))
        try:
            path = _write(self.home, secrets_masked.masked(f"{head}{trace}", secrets))
        except OSError as refused:
            return (
                f"{message}\nthis is a defect of imagecycle; "
                f"its trace could not be written: {refused.strerror or refused}",
                _NO_FILE,
            )
        return f"{message}\nthis is a defect of imagecycle; the trace is in {path}", HINT

    def _message(self, error: BaseException) -> str:
        command = shlex.join(["imagecycle", *self.arguments])
        steps = ": ".join(log.steps_of(error))
        when = f", while {steps}, " if steps else " "
        met = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
        return f"`{command}`{when}met what it did not expect: {met}"

    def _head(self, where: str) -> str:
        lines = [
            f"imagecycle {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"at {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC",
            shlex.join(["imagecycle", *self.arguments]),
            f"thread {threading.current_thread().name} {where}".rstrip(),
        ]
        return "\n".join([*lines, "", ""])


class _Logged(logging.Handler):
    """What libraries log and nobody else handles: without the trace that belongs to it."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.WARNING)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            log.warn(message)
        else:
            self._run.mention(error, f"logged by {record.name}: {message}")


def _words(error: BaseException) -> str:
    """What an error says, on one line."""
    try:
        words = " ".join(str(error).split())
    except Exception:  # a broken error must not hide that there was one
        return ""
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}..."


def _write(home: Path, text: str) -> Path:
    """Write a file below the home, or else among the temporary files.

    :raises OSError: when neither can be written.
    """
    content = text.encode(errors="backslashreplace")
    try:
        folder = home / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _write_in(folder, content)
    except (OSError, ValueError):
        descriptor, name = tempfile.mkstemp(prefix="imagecycle-defect-", suffix=".txt")
        with open(descriptor, "wb") as file:
            file.write(content)
        return Path(name)
    _forget_old(folder)
    return path


def _write_in(folder: Path, content: bytes) -> Path:
    stamp = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    number = 1
    while True:
        path = folder / (f"{stamp}.txt" if number == 1 else f"{stamp}.{number}.txt")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path


def _forget_old(folder: Path) -> None:
    with contextlib.suppress(OSError):
        files = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        files.sort(key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-KEPT]:
            path.unlink(missing_ok=True)
