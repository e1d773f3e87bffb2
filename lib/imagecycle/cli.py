"""The command line: arguments, exit codes and how errors are shown.

Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 verification found defects,
130 interrupted. A command only translates arguments; its stage does the work. Stages are imported
when they are called, so that ``imagecycle --help`` answers at once.
"""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from imagecycle import __version__, log, site
from imagecycle.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, ImagecycleError

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

_release = click.option(
    "--release", metavar="R", help="The release, such as 20261122; the newest by default."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


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


@imagecycle.command("list")
@_json
@click.pass_obj
def list_families(settings: site.Site, as_json: bool) -> None:
    """Show the families that the catalog declares."""
    from imagecycle import catalog, listing

    families = catalog.load(settings.catalog)
    click.echo(listing.as_json(families) if as_json else listing.as_table(families), nl=False)


@imagecycle.command()
@_json
@click.option("--fresh", is_flag=True, help="Probe again what is remembered (the accelerator).")
@click.pass_obj
def doctor(settings: site.Site, as_json: bool, fresh: bool) -> None:
    """Say what works on this machine, and what to do about the rest."""
    from imagecycle import doctor

    sys.exit(doctor.main(settings, as_json=as_json, fresh=fresh))


@imagecycle.command()
@click.argument("family")
@click.option("--release", metavar="R", help="Name the release; today's date by default.")
@click.option("--force", is_flag=True, help="Build even when nothing has changed.")
@_dry_run
@click.option("--keep", is_flag=True, help="Keep the working folder, for inspection.")
@click.pass_obj
def build(
    settings: site.Site, family: str, release: str | None, force: bool, dry_run: bool, keep: bool
) -> None:
    """Install FAMILY with Oz from its media and leave a release in the artifact folder."""
    from imagecycle import catalog
    from imagecycle.build import stage

    chosen = catalog.find(settings.catalog, family)
    result = stage.build(chosen, settings, release=release, force=force, dry_run=dry_run, keep=keep)
    if result is not None:
        click.echo(result.folder)


@imagecycle.command()
@click.argument("family")
@_release
@click.option("--force", is_flag=True, help="Verify again what has been verified.")
@click.option("--keep", is_flag=True, help="Keep the working folder, for inspection.")
@click.pass_obj
def verify(settings: site.Site, family: str, release: str | None, force: bool, keep: bool) -> None:
    """Boot a release of FAMILY and check what its users would meet; exit 3 on a defect."""
    from imagecycle import catalog
    from imagecycle.verify import stage

    chosen = catalog.find(settings.catalog, family)
    report = stage.verify(chosen, settings, release=release, force=force, keep=keep)
    click.echo(report)


@imagecycle.command()
@click.argument("family")
@click.option("--cloud", required=True, metavar="C", help="An entry of clouds.yaml.")
@_release
@_dry_run
@_json
@click.pass_obj
def publish(
    settings: site.Site,
    family: str,
    cloud: str,
    release: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a verified release of FAMILY the current one in a cloud."""
    from imagecycle import catalog
    from imagecycle.lifecycle import publish

    chosen = catalog.find(settings.catalog, family)
    image = publish.publish(chosen, settings, cloud=cloud, release=release, dry_run=dry_run)
    if image is not None:
        click.echo(image.as_json() if as_json else image.id)


@imagecycle.command()
@click.pass_obj
def quickstart(settings: site.Site) -> None:
    """Do the main job once: start the development cloud; build, verify and publish an image."""
    from imagecycle import quickstart

    quickstart.run(settings)


@imagecycle.group()
def devcloud() -> None:
    """An OpenStack in a box, for trying and for tests: Keystone and Glance on loopback."""


@devcloud.command("start")
@click.pass_obj
def devcloud_start(settings: site.Site) -> None:
    """Start the development cloud, installing it first if need be."""
    from imagecycle import devcloud

    devcloud.start(settings)


@devcloud.command("stop")
@click.option("--purge", is_flag=True, help="Remove its data as well: every image in it.")
@click.pass_obj
def devcloud_stop(settings: site.Site, purge: bool) -> None:
    """Stop the development cloud; its images stay for the next start."""
    from imagecycle import devcloud

    devcloud.stop(settings, purge=purge)


@devcloud.command("status")
@_json
@click.pass_obj
def devcloud_status(settings: site.Site, as_json: bool) -> None:
    """Say which services run; exit 1 unless all do."""
    from imagecycle import devcloud

    sys.exit(devcloud.print_status(settings, as_json=as_json))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
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
