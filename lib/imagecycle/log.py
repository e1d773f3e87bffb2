"""What a person sees while imagecycle works: timed steps and progress, on standard error.

A terminal gets progress bars; anything else, such as a Jenkins console, gets plain lines with
the seconds since the start. Results (tables, JSON, paths) go to standard output, not here. A line
that cannot be written is dropped: work does not fail because nobody can read of it.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TextIO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

STEP_NOTE = "while "
PLAIN_INTERVAL = 5.0
"""Seconds between two progress lines where there is no terminal."""


class _StandardError:
    """Standard error as it is at the moment; takes everything, whatever becomes of it."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            if stream := self._stream():
                stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if stream := self._stream():
                stream.flush()

    def isatty(self) -> bool:
        with contextlib.suppress(ValueError):
            return (stream := self._stream()) is not None and stream.isatty()
        return False

    def fileno(self) -> int:
        if stream := self._stream():
            return stream.fileno()
        raise io.UnsupportedOperation("fileno")

    @property
    def encoding(self) -> str:
        return getattr(self._stream(), "encoding", None) or "utf-8"

    def _stream(self) -> TextIO | None:
        # while there is a progress bar, rich stands in for the stream, and would write to itself
        stream: TextIO | None = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        return stream


_console = Console(file=cast(TextIO, _StandardError()), stderr=True, highlight=False)
_started = time.monotonic()
_depth: ContextVar[int] = ContextVar("depth", default=0)
_label: ContextVar[str] = ContextVar("label", default="")


def say(text: str) -> None:
    """Print one line, indented below the running step."""
    _line(text)


def warn(text: str) -> None:
    """Print one line that deserves attention."""
    _line(f"warning: {text}", style="yellow")


def fail(message: str, hint: str = "") -> None:
    """Print an error and the way out."""
    _console.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    if hint:
        _console.print(f"[bold]hint:[/] {escape(hint)}", soft_wrap=True)


class Timer:
    """The duration of a step, in seconds; final once the step has ended."""

    def __init__(self) -> None:
        self._from = time.monotonic()
        self._to: float | None = None

    @property
    def seconds(self) -> float:
        return round((self._to or time.monotonic()) - self._from, 3)

    def stop(self) -> None:
        self._to = time.monotonic()


@contextlib.contextmanager
def labelled(label: str) -> Iterator[None]:
    """Put a word before every line, where several pieces of work go on at the same time."""
    token = _label.set(f"{label}: ")
    try:
        yield
    finally:
        _label.reset(token)


@contextlib.contextmanager
def step(title: str) -> Iterator[Timer]:
    """Name a piece of work, and say how long it took when it has ended.

    An exception that passes gets a note of the step; see :func:`steps_of`.
    """
    timer = Timer()
    _line(f"{title} ...")
    token = _depth.set(_depth.get() + 1)
    try:
        yield timer
    except BaseException as error:
        timer.stop()
        _depth.reset(token)
        error.add_note(f"{STEP_NOTE}{title}")
        _line(f"{title}: failed after {timer.seconds:.1f} s", style="red")
        raise
    timer.stop()
    _depth.reset(token)
    _line(f"{title}: {timer.seconds:.1f} s", style="green")


def steps_of(error: BaseException) -> list[str]:
    """The titles of the steps that an exception has passed through, the outermost first."""
    notes = [str(note) for note in getattr(error, "__notes__", None) or []]
    return [note.removeprefix(STEP_NOTE) for note in reversed(notes) if note.startswith(STEP_NOTE)]


@contextlib.contextmanager
def transfer(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Follow a transfer of ``total`` bytes; the yielded function takes the bytes done so far."""
    if not _console.is_terminal or _label.get():  # there can be one bar at a time
        yield _plain(title, total)
        return
    columns = (
        TextColumn("  " * _depth.get() + "{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextlib.contextmanager
def phases(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Follow work of ``total`` phases; the yielded function takes the phase's number and name."""
    if not _console.is_terminal:
        yield lambda done, name: _line(f"{title}: {done}/{total} {name}")
        return
    columns = (
        TextColumn("  " * _depth.get() + "{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[phase]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(title, total=total, phase="")
        yield lambda done, name: progress.update(task, completed=done, phase=name)


def _plain(title: str, total: int) -> Callable[[int], None]:
    last = time.monotonic()

    def report(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PLAIN_INTERVAL:
            last = now
            percent = 100 * done // total if total else 100
            _line(f"{title}: {percent} % of {total / 2**20:.0f} MiB")

    return report


def _line(text: str, style: str = "") -> None:
    seconds = time.monotonic() - _started
    stamp = "" if _console.is_terminal else f"[{seconds:7.1f}] "
    _console.print(
        f"{stamp}{_label.get()}{'  ' * _depth.get()}{text}",
        style=style,
        markup=False,
        soft_wrap=True,
    )
