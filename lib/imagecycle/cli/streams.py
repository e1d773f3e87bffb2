"""The standard streams as they may be found: closed, full, or without a reader."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator

from imagecycle import log
from imagecycle.errors import EXIT_FAILED

OUTPUT = "standard output"
"""Stands as the file's name in every error of writing there"""


class _Output(io.TextIOWrapper):
    """Standard output, whose errors say that they are its own; after the first, all is dropped."""

    _lost = False

    def write(self, text: str, /) -> int:
        if self._lost:
            return len(text)
        with self._named():
            return super().write(text)

    def flush(self) -> None:
        if not self._lost:
            with self._named():
                super().flush()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._lost = True
            raise OSError(error.errno, error.strerror, OUTPUT) from None


def prepare() -> None:
    """Open what was closed, and let no character be refused.

    A file that is opened takes the lowest number that is free: it would become the standard output
    of this program, and of those that it starts.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)
        mode = "r" if name == "stdin" else "w"
        setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 (it stays open)
    found = sys.stdout
    if found is sys.__stdout__ and isinstance(found, io.TextIOWrapper):
        sys.stdout = _Output(
            open(found.fileno(), "wb", closefd=False),  # noqa: SIM115 (it stays open)
            # click writes UTF-8 too where somebody forgot to set a locale
            encoding="utf-8" if codecs.lookup(found.encoding).name == "ascii" else found.encoding,
            errors="replace",
            line_buffering=found.line_buffering,
            write_through=found.write_through,
        )


def report(error: OSError) -> int:
    """Say that nothing can be written any more, unless nobody reads it; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        return 0
    log.fail(f"{OUTPUT}: {error.strerror}")
    return EXIT_FAILED


def finish(code: int) -> int:
    """Write out what is left; returns the exit code, 1 for 0 when that fails."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or report(error)
    except ValueError:  # closed
        pass
    _give_up_errors()
    return code


def _give_up_errors() -> None:
    """Drop what standard error does not take: from Python 3.13 on, it would end with code 120."""
    if sys.stderr is not sys.__stderr__ or sys.stderr is None:
        return
    try:
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
    except ValueError:  # closed
        pass
