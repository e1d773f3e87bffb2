"""``python -m``: runs the ``imagefactory`` of a copy of its source, with guests that are watched.

Its last release is of 2020. Two calls of Python's standard library that it makes are gone since:
``json.load`` has no ``encoding`` any more (3.9), without which ImageFactory does not read its own
configuration and ends with a ``KeyError``, and ``configparser`` no ``SafeConfigParser`` (3.12).
Both are given back here, for this process alone. Guests that Oz's factory makes for it become
those of :mod:`imagecycle.build.oz_guest`.
"""

from __future__ import annotations

import configparser
import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLE = "IMAGECYCLE_IMAGEFACTORY"
"""Names the file that describes the guest"""


def main() -> None:
    """Run ``HOME/imagefactory`` with the arguments that follow."""
    home = Path(sys.argv[1])
    give_back_what_python_has_dropped()
    if described := os.environ.get(VARIABLE):
        watch_guests(Path(described))
    program = str(home / "imagefactory")
    sys.argv = [program, *sys.argv[2:]]
    sys.path.insert(0, str(home))
    runpy.run_path(program, run_name="__main__")


def give_back_what_python_has_dropped() -> None:
    """For ImageFactory, which was written for Python up to 3.8."""
    load = json.load

    def load_of_old(stream: Any, *, encoding: str = "", **options: Any) -> Any:
        return load(stream, **options)

    json.__dict__["load"] = load_of_old
    configparser.__dict__.setdefault("SafeConfigParser", configparser.ConfigParser)


def watch_guests(described: Path) -> None:
    """Let Oz's factory make guests that are watched from now on.

    :param described: a JSON file with what the guest's surroundings are.
    """
    import oz.GuestFactory

    from imagecycle import systems
    from imagecycle.build import domain, domain_xml, oz_guest
    from imagecycle.build.console import Console
    from imagecycle.machine.accelerator import Accelerator

    said = json.loads(described.read_text())
    system = systems.named(said["distro"])
    folder = Path(said["folder"])
    around = domain_xml.Surroundings(
        folder=folder,
        uri=said["uri"],
        accelerator=Accelerator(**said["accelerator"]),
        processors=said["processors"],
        memory_mib=said["memory_mib"],
        limits=domain.Limits(**said["limits"]),
        firmware=said["firmware"],
    )
    console = Console(folder / "console.log", system.console)
    make = oz.GuestFactory.guest_factory
    system.teach_oz()
    oz_guest.log_to(folder / "oz.log")

    def guest_factory(tdl: Any, *arguments: Any) -> Any:
        tdl.name = domain.name_of(folder)  # known to who clears up after a build that was killed
        domain.connect(around.uri).close()  # events are served from now on
        guest = oz_guest.watched(make(tdl, *arguments), system, around, console)
        guest.install = told(guest.install, described.with_name("failure.json"))
        return guest

    oz.GuestFactory.guest_factory = guest_factory


def told(install: Callable[..., Any], path: Path) -> Callable[..., Any]:
    """An installation whose failure is written down: ImageFactory keeps one line of it."""
    from imagecycle.errors import ImagecycleError

    def watched(*arguments: Any) -> Any:
        try:
            return install(*arguments)
        except ImagecycleError as error:
            said = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
            path.write_text(json.dumps(said))
            raise

    return watched


if __name__ == "__main__":
    main()
