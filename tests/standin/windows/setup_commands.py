"""The command lines that answer files hold, carried out as far as imagecycle's go.

Each form is read strictly: what nobody has declared is an error, as Setup stops at a command that
cannot be started.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_ECHO = re.compile(r"cmd\.exe /d /c echo ([^>&|<]*)>COM1", re.I)
_EVERY = re.compile(r"cmd\.exe /d /c for %d in \(([A-Z ]+)\) do @if exist (\S+) (.+)", re.I)
_REG = re.compile(
    r"reg\.exe add (HKLM\\\S+|HKLM\\[^/]+?)(?: /v (\S+) /t (REG_DWORD|REG_SZ) /d (\S+))? /f", re.I
)
_POWERSHELL = re.compile(
    r"powershell\.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File (\S+)", re.I
)
_CALL = re.compile(r"call (\S+\.cmd)", re.I)
_CONTEXT = re.compile(
    r'cmd\.exe /d /c ""([^"]+cloudbase-init\.exe)" --config-file "([^"]+)" '
    r'&& exit 1 \|\| exit 0"'
)


class UnknownCommand(Exception):
    """A command line that is of none of the forms that are known."""


@dataclass
class Commands:
    """Carries out command lines on a machine."""

    drives: dict[str, Path]
    """Where each letter's files are"""
    console: Callable[[str], None]
    """Writes a line to the first serial port"""
    scripts: Callable[[Path], None]
    """Runs a PowerShell script"""
    context: Callable[[], bool] = bool
    """Runs cloudbase-init in the pass *specialize*; whether it asks for a restart"""
    restart: bool = False
    """Whether a command has asked for one"""
    registry: dict[str, dict[str, str]] = field(default_factory=dict)
    loaded: set[str] = field(default_factory=set)
    """Drivers that ``drvload`` has loaded"""

    def run(self, line: str) -> None:
        """:raises UnknownCommand: when it is of no known form."""
        if said := _ECHO.fullmatch(line):
            self.console(said[1])
        elif every := _EVERY.fullmatch(line):
            for letter in every[1].split():
                if self.path(every[2].replace("%d", letter)) is not None:
                    self.run(every[3].replace("%d", letter))
        elif added := _REG.fullmatch(line):
            values = self.registry.setdefault(added[1], {})
            if added[2]:
                values[added[2]] = added[4]
        elif script := _POWERSHELL.fullmatch(line):
            path = self.path(script[1])
            if path is None:
                raise UnknownCommand(f"there is no {script[1]}")
            self.scripts(path)
        elif _CONTEXT.fullmatch(line):
            self.restart = self.context() or self.restart
        elif called := _CALL.fullmatch(line):
            self._batch(called[1])
        else:
            raise UnknownCommand(line)

    def _batch(self, name: str) -> None:
        """The one batch file of the medium: it loads storage drivers."""
        path = self.path(name)
        if path is None or "drvload.exe" not in path.read_text():
            raise UnknownCommand(name)
        for driver in ("viostor", "vioscsi"):
            if (path.parent / "drivers" / driver / f"{driver}.inf").is_file():
                self.loaded.add(driver)

    def path(self, name: str) -> Path | None:
        """Where a file of Windows' words is; None where it is not."""
        letter, _, rest = name.partition(":")
        place = self.drives.get(letter.upper())
        if place is None:
            return None
        found = place / rest.strip("\\").replace("\\", "/")
        return found if found.exists() else None
