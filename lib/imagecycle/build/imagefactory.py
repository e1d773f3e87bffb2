"""ImageFactory in place of Oz alone: its ``base_image`` installs a system, and drives Oz for it.

It gets the same template and the same unattended file, and gives the same disk. It runs as the
command line of the copy that ``IMAGEFACTORY_HOME`` names, in a process of its own (see
:mod:`imagecycle.build.imagefactory_process`), with a configuration and a store of images that are
gone afterwards. Read from ImageFactory 1.1.16: ``imagefactory``,
``imgfac.ApplicationConfiguration``, ``imgfac.PluginManager``, ``imagefactory_plugins.TinMan``.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imagecycle import command
from imagecycle.artifacts import write_json
from imagecycle.build import builder, oz_guest
from imagecycle.build.console import Console
from imagecycle.build.domain import InstallationFailed, MachineCrashed
from imagecycle.build.domain_xml import Surroundings
from imagecycle.errors import UsageError
from imagecycle.model import Family

OZ_SETTINGS = Path("/etc/oz/oz.cfg")
"""ImageFactory refuses to work without it"""
_SPARE = 300.0
"""Seconds beside the installation: ImageFactory's start, the media, the disk"""
_PAUSE = 0.5
_FAILED = re.compile(r"^Image build FAILED with error: (.*)", re.MULTILINE)
_DISK = re.compile(r"^Image filename: (.+)$", re.MULTILINE)
_KINDS: dict[str, type[InstallationFailed]] = {"MachineCrashed": MachineCrashed}


def install(
    family: Family, template: Path, answers: Path, raw: Path, around: Surroundings, console: Console
) -> None:
    """Install a system, as Oz would, onto the disk ``raw``.

    :raises InstallationFailed: naming the console, or ImageFactory's log.
    :raises UsageError: when there is no ImageFactory.
    """
    home = builder.find()
    if not OZ_SETTINGS.is_file():
        raise UsageError(
            f"ImageFactory reads {OZ_SETTINGS}, and it is not there", hint="install Debian's oz"
        )
    work = around.folder / builder.NAME
    try:
        argv = _prepared(family, template, answers, around, work)
        printed = _run(home, argv, family, around, console)
        disk = _DISK.search(printed)
        if disk is None:
            raise InstallationFailed("ImageFactory does not say where its disk is", hint=_log(work))
        Path(disk[1]).replace(raw)
    finally:
        _keep_log(work, around.folder)


def _prepared(
    family: Family, template: Path, answers: Path, around: Surroundings, work: Path
) -> list[str]:
    """The arguments of ``imagefactory``, and the files that they name."""
    plugins = work / "plugins"
    plugins.mkdir(parents=True)
    write_json(
        plugins / "TinMan.info",
        {
            "type": "os",
            # its own list ends with Red Hat 7 and has no Debian; the plugin can do what Oz can
            "targets": [[family.oz_name, None, None]],
            "description": "Oz",
            "maintainer": {},
            "version": "1.0",
            "license": "",
        },
    )
    write_json(
        work / "imagefactory.conf",
        {
            "debug": False,
            "image_manager": "file",
            "image_manager_args": {"storage_path": str(work / "storage")},
            "jeos_config": [],
            "oz_data_dir": str(around.folder / "oz"),
            "oz_screenshot_dir": str(around.folder),
            "tdl_require_root_pw": False,
        },
    )
    settings = oz_guest.configuration(around)
    overrides = {name: dict(settings[name]) for name in settings.sections()}
    parameters = {"generate_icicle": False, "oz_overrides": json.dumps(overrides)}
    write_json(work / "parameters.json", parameters)
    write_json(work / "process.json", _described(family, around))
    return [
        *("--config", str(work / "imagefactory.conf")),
        *("--imgdir", str(work / "storage")),
        *("--tmpdir", str(work)),
        *("--plugins", str(plugins)),
        *("--timeout", str(int(around.limits.total))),
        *("base_image", str(template)),
        *("--parameters", str(work / "parameters.json")),
        *("--file-parameter", "install_script", str(answers)),
    ]


def _described(family: Family, around: Surroundings) -> dict[str, Any]:
    """What the process is told beside ImageFactory's arguments."""
    return {
        "distro": family.distro,
        "folder": str(around.folder),
        "uri": around.uri,
        "accelerator": asdict(around.accelerator),
        "processors": around.processors,
        "memory_mib": around.memory_mib,
        "limits": asdict(around.limits),
        "firmware": around.firmware,
    }


def _run(
    home: Path, argv: list[str], family: Family, around: Surroundings, console: Console
) -> str:
    """Run it to its end, and follow the guest's console meanwhile; returns what it printed."""
    work = around.folder / builder.NAME
    log = work / "log"
    env = {**builder.OURS, "IMAGECYCLE_IMAGEFACTORY": str(work / "process.json")}
    words = [sys.executable, "-m", builder.PROCESS, str(home), *argv]
    with command.background(words, output=log, env=env) as process:
        deadline = time.monotonic() + around.limits.total + _SPARE
        while _runs(process):
            with contextlib.suppress(InstallationFailed):  # the process sees it, and says more
                console.look()
            if time.monotonic() > deadline:
                raise InstallationFailed(
                    f"ImageFactory was not done after {around.limits.total + _SPARE:.0f} s",
                    hint=_log(work),
                )
    printed = log.read_text(errors="replace")
    if process.returncode != 0:
        raise failure(work, printed)
    return printed


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_PAUSE)
    except subprocess.TimeoutExpired:
        return True
    return False


def failure(work: Path, printed: str) -> InstallationFailed:
    """What the guest's watcher said, else what ImageFactory did."""
    told = work / "failure.json"
    if told.exists():
        said = json.loads(told.read_text())
        return _KINDS.get(said["kind"], InstallationFailed)(said["message"], hint=said["hint"])
    found = _FAILED.search(printed)
    last = printed.strip().splitlines()[-1:] or ["it printed nothing"]
    return InstallationFailed(
        f"ImageFactory gave up: {found[1] if found else last[0]}", hint=_log(work)
    )


def _log(work: Path) -> str:
    return f"ImageFactory's log: {work.with_suffix('.log')}; Oz's log: {work.parent / 'oz.log'}"


def _keep_log(work: Path, folder: Path) -> None:
    """Leave nothing but the log: what ImageFactory stores holds the answers."""
    if (work / "log").exists():
        (work / "log").replace(work.with_suffix(".log"))
    shutil.rmtree(work, ignore_errors=True)
