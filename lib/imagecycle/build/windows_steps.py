"""What is done to an installation of Windows before it is sealed, step by step.

Each step is one script in the guest with its variables. What a step installs lies on the medium of
the build, which :func:`gather` fills: a guest needs no network but the way to this machine.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from imagecycle.build import media, windows_medium
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import windows_contextualisation as context
from imagecycle.systems import windows_drivers, windows_releases, windows_script
from imagecycle.windows_facts import Software

DRIVE = "{drive}"
"""Stands in a variable for the drive of the build's medium, which only the guest knows"""
AGENT = "qemu-ga.msi"
CLOUDBASE_INIT = "cloudbase-init.msi"
LGPO = "lgpo.exe"
_SHORT, _LONG, _UPDATES = 300.0, 3600.0, 14400.0


@dataclass(frozen=True)
class Step:
    """One piece of work in the guest."""

    name: str
    """For people: ``software: 7-Zip``"""
    script: str
    """The name of a script, see :mod:`imagecycle.systems.windows_script`, or its text"""
    variables: Mapping[str, str] = field(default_factory=dict)
    limit: float = _SHORT
    """Seconds for one run of the script"""
    as_system: bool = False
    """Windows Update refuses whoever comes over the network"""

    @property
    def text(self) -> str:
        """What the guest runs."""
        return windows_script.text(self.script) if self.script.endswith(".ps1") else self.script


def steps(family: Family, site: Site) -> Iterator[Step]:
    """All steps of a family in their order."""
    assert family.windows is not None
    changes = family.windows.changes
    yield _software("guest agent", AGENT)
    if changes.wsus:
        yield Step(
            "updates", "install-updates.ps1", {"server": changes.wsus}, _UPDATES, as_system=True
        )
    for one in changes.updates:
        path = rf"{DRIVE}\{_file(one)}"
        yield Step(
            f"update: {one.name}", "install-package.ps1", {"path": path}, one.limit, as_system=True
        )
    if changes.features:
        client = str(windows_releases.release(family.version).client).lower()
        names = {"names": " ".join(changes.features), "client": client}
        yield Step("features", "install-features.ps1", names, _LONG)
    for one in changes.software:
        codes = " ".join(map(str, one.exit_codes))
        yield _software(one.name, _file(one), one.arguments, codes, one.limit)
    for value in changes.registry:
        said = {"key": _whole(value.key), "name": value.name}
        said |= {"kind": value.kind, "value": value.value}
        yield Step(rf"registry: {value.key}\{value.name}", "set-registry.ps1", said)
    for one in changes.policies:
        said = {"path": rf"{DRIVE}\{_file(one)}", "tool": rf"{DRIVE}\{LGPO}"}
        yield Step(f"policy: {one.name}", "import-policy.ps1", said, 900.0)
    for file in family.files:
        yield _written(f"file: {file.path}", file.path, file.data().decode())
    for number, text in enumerate(family.commands, start=1):
        yield Step(f"command {number}", _DONE.format(text=text), {}, _LONG)
    yield from _contextualisation(family, site)
    yield Step("clean-up", "clean.ps1", {}, _UPDATES)


def gather(family: Family, site: Site, folder: Path) -> None:
    """Put what the steps install on the build's medium.

    :raises ImagecycleError: when something cannot be had or has the wrong checksum.
    """
    assert family.windows is not None
    changes = family.windows.changes
    settings = site.windows
    drivers = windows_medium.fetched(
        site, settings.drivers, "drivers", "the virtio-win project's ISO"
    )
    windows_drivers.copy_agent(drivers, folder / AGENT)
    installer = windows_medium.fetched(
        site, settings.cloudbase_init, "cloudbase_init", "the MSI of cloudbase-init"
    )
    shutil.copyfile(installer, folder / CLOUDBASE_INIT)
    for one in (*changes.updates, *changes.software, *changes.policies):
        shutil.copyfile(media.fetched(site, one.url, one.sha256), folder / _file(one))
    if any(one.url.endswith(".zip") for one in changes.policies):
        tool = windows_medium.fetched(site, settings.lgpo, "lgpo", "Microsoft's LGPO.exe")
        shutil.copyfile(tool, folder / LGPO)
    windows_script.copy("seal.ps1", folder / "seal.ps1")


_DONE = """\
{text}
ConvertTo-Json -InputObject @{{ restart = $false; said = 'done' }} -Compress
"""
"""A command of the catalog, whose end is that of the script's."""


def _contextualisation(family: Family, site: Site) -> Iterator[Step]:
    assert family.windows is not None
    yield _software("cloudbase-init", CLOUDBASE_INIT)
    for file in context.files(family, site.windows.kms_host):
        yield _written(
            f"contextualisation: {PureWindowsPath(file.path).name}", file.path, file.content
        )
    runner = rf"{context.LOCAL_SCRIPTS}\10-tasks.cmd"
    yield _written("contextualisation: tasks", runner, windows_script.text("run-tasks.cmd"))
    for task in family.windows.changes.tasks:
        yield _written(f"task: {task.name}", rf"{context.TASKS}\{task.name}", task.content)
    yield Step("contextualisation: service", "set-up-contextualisation.ps1")


def _software(
    name: str, file: str, arguments: str = "", codes: str = "0 3010", limit: float = _LONG
) -> Step:
    said = {"path": rf"{DRIVE}\{file}", "arguments": arguments, "codes": codes}
    return Step(f"software: {name}", "install-software.ps1", said, limit)


def _written(name: str, path: str, content: str) -> Step:
    lines = "\r\n".join(content.splitlines()) + "\r\n"
    encoded = base64.b64encode(lines.encode()).decode()
    return Step(name, "write-file.ps1", {"path": path, "content": encoded})


def _file(software: Software) -> str:
    """Its name on the medium; two files may bear one name at their vendors."""
    name = software.url.rsplit("/", 1)[-1]
    return f"{software.sha256[:8]}-{name}"


def _whole(key: str) -> str:
    """A key with its root in full, as PowerShell's provider wants it."""
    root, _, rest = key.partition("\\")
    return "\\".join(({"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS"}[root], rest))
