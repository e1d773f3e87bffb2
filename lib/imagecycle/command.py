"""The one door to other programs: every subprocess starts here.

A program that is started here never outlives imagecycle: it is ended at its time limit, when an
exception passes, and by the kernel when imagecycle itself is killed. The one exception is
:func:`detached`, for the services of the development cloud.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from imagecycle.errors import CommandFailed, MissingProgram

TAIL_CHARACTERS = 4000
_PR_SET_PDEATHSIG = 1  # prctl(2)
_prctl = ctypes.CDLL(None, use_errno=True).prctl  # bound here: a forked child must not load


@dataclass(frozen=True)
class Completed:
    """What a finished program left: its exit status, its output and how long it took."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    output: Path | None = None,
    hint: str = "",
) -> Completed:
    """Run a program to its end.

    :param timeout: seconds after which it is ended.
    :param check: raise when its exit status is not 0.
    :param env: variables added to those of this process.
    :param stdin: text given to its standard input; nothing by default.
    :param output: a file that receives standard output and error instead of the result.
    :param hint: the way out that an error carries.
    :raises CommandFailed: on a status other than 0 (with ``check``) or at the time limit.
    :raises MissingProgram: when the program does not exist.
    """
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        sink: IO[bytes] | int = subprocess.PIPE
        if output is not None:
            sink = stack.enter_context(output.open("ab"))
        process = stack.enter_context(
            _started(
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT if output is not None else subprocess.PIPE,
            )
        )
        try:
            out, err = process.communicate(
                stdin.encode() if stdin is not None else None, timeout=timeout
            )
        except subprocess.TimeoutExpired as expired:
            seen = (expired.stdout or b"") + (expired.stderr or b"")
            text = seen.decode(errors="replace") or _tail(output)
            raise CommandFailed(_words(argv), None, text[-TAIL_CHARACTERS:], hint=hint) from None
    stdout = (out or b"").decode(errors="replace")
    stderr = (err or b"").decode(errors="replace")
    if check and process.returncode != 0:
        text = _tail(output) or (stdout + stderr)
        raise CommandFailed(_words(argv), process.returncode, text[-TAIL_CHARACTERS:], hint=hint)
    return Completed(process.returncode, stdout, stderr, time.monotonic() - started)


@contextlib.contextmanager
def background(
    argv: Sequence[str | Path],
    *,
    output: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running for the length of a ``with`` block.

    :param output: the file that receives its standard output and error.
    :raises MissingProgram: when the program does not exist.
    """
    with (
        output.open("ab") as sink,
        _started(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield process


def finish(process: subprocess.Popen[bytes], *, timeout: float) -> None:
    """Wait until a program that runs in the :func:`background` has ended well.

    :param timeout: seconds that it may still take.
    :raises CommandFailed: on a status other than 0, or at the time limit; what it printed is in
        the file that was named when it was started.
    """
    try:
        returncode: int | None = process.wait(timeout)
    except subprocess.TimeoutExpired:
        returncode = None
    if returncode != 0:
        words = cast("list[str]", process.args)  # as _started gives them
        raise CommandFailed(words, returncode, "")


@contextlib.contextmanager
def conversation(
    argv: Sequence[str | Path],
    *,
    output: Path,
    cwd: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a program running whose standard input and output are pipes to talk through.

    :param output: the file that receives its standard error.
    :raises MissingProgram: when the program does not exist.
    """
    pipe = subprocess.PIPE
    with (
        output.open("ab") as sink,
        _started(argv, env=None, cwd=cwd, stdin=pipe, stdout=pipe, stderr=sink) as process,
    ):
        yield process


def detached(
    argv: Sequence[str | Path],
    *,
    output: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a service that outlives imagecycle; whoever starts it must know how to end it.

    :param output: the file that receives its standard output and error.
    :param pass_fds: descriptors that it inherits.
    :raises MissingProgram: when the program does not exist.
    """
    words = _words(argv)
    with output.open("ab") as sink:
        try:
            return subprocess.Popen(
                words,
                env={**os.environ, **env} if env else None,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except FileNotFoundError:
            raise MissingProgram(words[0]) from None


@contextlib.contextmanager
def _started(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None,
    cwd: Path | None,
    stdin: int,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
) -> Iterator[subprocess.Popen[bytes]]:
    words = _words(argv)
    try:
        process = _Program(
            words,
            env={**os.environ, **env} if env else None,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=functools.partial(_die_with_parent, os.getpid()),
        )
    except FileNotFoundError as error:
        if error.filename == (str(cwd) if cwd else None):
            raise
        raise MissingProgram(words[0]) from None
    try:
        yield process
    finally:
        _end(process)


class _Program(subprocess.Popen[bytes]):
    """Ends what it has begun to start when an interrupt comes in the middle; Popen does not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except BaseException:
            if hasattr(self, "pid") and self.returncode is None:
                self.kill()
                self.wait()
            raise


def _die_with_parent(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # killed since the fork: no signal will come any more
        os.kill(os.getpid(), signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], grace: float = 5.0) -> None:
    if process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            try:
                process.wait(grace)
                break
            except subprocess.TimeoutExpired:
                continue
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _words(argv: Sequence[str | Path]) -> list[str]:
    return [str(word) for word in argv]


def _tail(path: Path | None) -> str:
    if path is None or not path.exists():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - TAIL_CHARACTERS))
        return stream.read().decode(errors="replace")
