"""The program: its commands together, exit codes, and how errors are shown.

Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 verification found defects,
130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import gc
import os
import pwd
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from imagecycle import __version__, log, site
from imagecycle.cli import (
    adopt,
    completion,
    defects,
    devcloud,
    evidence,
    jenkins,
    jobs,
    life,
    metadata,
    offering,
    overview,
    prove,
    stages,
    streams,
    tour,
    usage,
)
from imagecycle.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, ImagecycleError

_AGAIN_AFTER = 0.05
"""Seconds until an interrupt that was lost comes again"""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_ANOTHER_USER = "run it as root, or name another folder with `home` in the site's settings"
_MORE_ROOM = "make room, or name another folder with `home` in the site's settings"
WAYS_OUT = {
    errno.EACCES: _ANOTHER_USER,
    errno.EPERM: _ANOTHER_USER,
    errno.EROFS: "name a folder that can be written with `home` in the site's settings",
    errno.ENOSPC: _MORE_ROOM,
    errno.EDQUOT: _MORE_ROOM,
    errno.ENOTDIR: "a file is where a folder is needed: move it away, or name another folder",
    errno.EMFILE: "allow more open files with `ulimit -n`",
    errno.ENFILE: "the machine has too many open files: end what is not needed",
    errno.ENOMEM: "the machine has too little memory: end what is not needed",
    errno.EIO: "look at the disk and at the kernel's log",
}
"""What the machine may refuse anywhere; any other OSError is a defect of imagecycle."""


class _Escaped(Exception):
    """Holds an error that click would take for something else."""

    def __init__(self, error: OSError | EOFError) -> None:
        super().__init__(str(error))
        self.error = error


class _Program(click.Group):
    """click's group without its guesses: an EOFError is no interrupt, and a pipe that broke may be
    that of a program that we started."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*args, **more)  # prints help and version
        except (OSError, EOFError) as error:
            raise _Escaped(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (OSError, EOFError) as error:
            raise _Escaped(error) from error


@click.group(cls=_Program, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="imagecycle")
@click.option(
    "--site",
    "site_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The site's settings (default: IMAGECYCLE_SITE, then /etc/imagecycle/site.yaml).",
)
@click.pass_context
def imagecycle(context: click.Context, site_file: Path | None) -> None:
    """Keep the operating-system images of an OpenStack cloud up to date.

    FAMILY is one product, such as debian-12-x86_64-server; `imagecycle list` shows them.
    """
    run = context.find_object(defects.Run)
    context.obj = settings = site.load(site_file)
    if run is not None:
        run.home = settings.home


for _command in (
    *overview.COMMANDS,
    *stages.COMMANDS,
    *evidence.COMMANDS,
    *life.COMMANDS,
    *usage.COMMANDS,
    *metadata.COMMANDS,
    *offering.COMMANDS,
    *adopt.COMMANDS,
    *prove.COMMANDS,
    *tour.COMMANDS,
    *jenkins.COMMANDS,
    *jobs.COMMANDS,
    *devcloud.COMMANDS,
    *completion.COMMANDS,
):
    imagecycle.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    streams.prepare()
    _name_the_user()
    run = defects.Run(sys.argv[1:] if arguments is None else arguments)
    run.watch()
    signal.signal(signal.SIGTERM, _terminated)
    sys.unraisablehook = functools.partial(_unraisable, run)
    # a large listing is many small objects without cycles, and little of it stays: looking through
    # them as often as Python does by itself takes half of the time, and more the larger a cloud is
    gc.set_threshold(50_000)
    return streams.finish(run.exit_code(_run(run)))


def _run(run: defects.Run) -> int:
    """Run the command, say what went wrong, and return the exit code."""
    try:
        code = imagecycle.main(
            args=list(run.arguments), prog_name="imagecycle", standalone_mode=False, obj=run
        )
        return code if isinstance(code, int) else 0
    except ImagecycleError as error:
        log.fail(error.message, error.hint)
        return error.exit_code
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        log.fail("interrupted; what was begun has been cleaned up")
        return EXIT_INTERRUPTED
    except SystemExit as exit_:
        return _exited(exit_)
    except _Escaped as escaped:
        return _failed(run, escaped.error)
    except BaseException as error:
        return _failed(run, error)


def _exited(exit_: SystemExit) -> int:
    """The exit code of a command that ended by itself."""
    if isinstance(exit_.__context__, BrokenPipeError):  # rich ends the program when that happens
        return 0
    if isinstance(exit_.code, str):
        log.fail(exit_.code)
    return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)


def _failed(run: defects.Run, error: BaseException) -> int:
    """Tell what the machine lacks or refuses from a defect of imagecycle."""
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("imagecycle"):
        log.fail(f"the Python module {error.name} is not installed", "run scripts/setup")
        return EXIT_FAILED
    if not isinstance(error, OSError):
        return run.report(error)
    if error.filename == streams.OUTPUT:
        return streams.report(error)
    hint = WAYS_OUT.get(error.errno or 0)
    if hint is None:
        return run.report(error)
    log.fail(f"{error.filename or 'a file'}: {error.strerror}", hint)
    return EXIT_FAILED


def _name_the_user() -> None:
    """Give a user whom the machine does not know, as in a container, what libraries ask for."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("HOME", "/nonexistent")
        os.environ.setdefault("LOGNAME", str(os.getuid()))


def _terminated(_number: int, _frame: FrameType | None) -> None:
    # asyncio handles an interrupt in its own way while it runs, and knows no other signal
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _unraisable(run: defects.Run, unraisable: sys.UnraisableHookArgs) -> None:
    """Let an interrupt that came in a destructor, which passes nothing on, come again soon."""
    if unraisable.exc_type is KeyboardInterrupt:
        again = threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        run.unraisable(unraisable)
