"""The program: its commands together, exit codes, and how errors are shown.

Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 verification found defects,
130 interrupted.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from imagecycle import __version__, log, site
from imagecycle.cli import (
    adopt,
    devcloud,
    jenkins,
    jobs,
    life,
    metadata,
    overview,
    prove,
    stages,
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
}
"""What the machine may refuse anywhere; any other OSError is a defect of imagecycle."""


@click.group(context_settings=SETTINGS)
@click.version_option(__version__, prog_name="imagecycle")
@click.option(
    "--site",
    "site_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The site's settings (default: IMAGECYCLE_SITE, then /etc/imagecycle/site.yaml).",
)
@click.pass_context
def imagecycle(context: click.Context, site_file: Path | None) -> None:
    """Keep the operating-system images of an OpenStack cloud fresh.

    FAMILY is one product, such as debian-12-x86_64-server; `imagecycle list` shows them.
    """
    context.obj = site.load(site_file)


for _command in (
    *overview.COMMANDS,
    *stages.COMMANDS,
    *life.COMMANDS,
    *usage.COMMANDS,
    *metadata.COMMANDS,
    *adopt.COMMANDS,
    *prove.COMMANDS,
    *tour.COMMANDS,
    *jenkins.COMMANDS,
    *jobs.COMMANDS,
    *devcloud.COMMANDS,
):
    imagecycle.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.unraisablehook = _unraisable
    # a large listing is many small objects without cycles, and little of it stays: looking through
    # them as often as Python does by itself takes half of the time, and more the larger a cloud is
    gc.set_threshold(50_000)
    try:
        code = imagecycle.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="imagecycle",
            standalone_mode=False,
        )
        return code if isinstance(code, int) else 0
    except ImagecycleError as error:
        log.fail(error.message, error.hint)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (KeyboardInterrupt, click.Abort):
        log.fail("interrupted; what was begun has been cleaned up")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return 0
    except OSError as error:
        hint = WAYS_OUT.get(error.errno or 0)
        if hint is None:
            raise
        log.fail(f"{error.filename or 'a file'}: {error.strerror}", hint)
        return EXIT_FAILED
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1


def _terminated(_number: int, _frame: FrameType | None) -> None:
    # asyncio handles an interrupt in its own way while it runs, and knows no other signal
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Let an interrupt that came in a destructor, which passes nothing on, come again soon."""
    if unraisable.exc_type is KeyboardInterrupt:
        again = threading.Timer(_AGAIN_AFTER, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(unraisable)
