"""A Windows machine with a state: what imagecycle's scripts do to it, and what they then answer.

Each script of the package is known by its whole text; what it does on Windows is declared here. A
script that is changed must be looked at here again: its old text is not known any more.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imagecycle.systems import windows_script
from standin.windows.guest import Answer, Guest, assignments, failed, said

MISSING = "The system cannot find the file specified"


@dataclass(frozen=True)
class Installer:
    """How an installer of the medium behaves."""

    code: int = 0
    seconds: float = 0.0
    restarts: bool = False
    """Restarts the machine by itself, without a word"""
    asks: bool = False
    """Shows a question that nobody answers"""


@dataclass
class Machine:
    """One machine; ``guest`` is what WinRM shows of it."""

    guest: Guest = field(default_factory=Guest)
    drive: str = "E:"
    medium: dict[str, Installer] = field(default_factory=dict)
    """The files of the build's medium by their names"""
    registry: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    """Start types by name"""
    known_features: set[str] = field(default_factory=lambda: {"Web-Server", "Telnet-Client"})
    features: set[str] = field(default_factory=set)
    software: list[tuple[str, str]] = field(default_factory=list)
    """Files that were installed, with their arguments"""
    files: dict[str, bytes] = field(default_factory=dict)
    updates: list[list[str]] = field(default_factory=list)
    """What the server offers, round by round"""
    hotfixes: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """What waits for a restart; a restart ends it"""
    unmended: list[str] = field(default_factory=list)
    """Problems that would stop sysprep"""
    build: int = 20348
    revision: int = 2700
    done: list[str] = field(default_factory=list)
    """The scripts that ran, in their order"""
    sealing: bool = False

    def __post_init__(self) -> None:
        known = {name.removesuffix(".ps1"): name for name in windows_script.names(".ps1")}
        for word, name in known.items():
            action = getattr(self, f"_{word.replace('-', '_')}", None)
            if action is not None:
                self.guest.scripts[windows_script.text(name)] = self._noted(word, action)
        self.guest.on_restart.append(self.pending.clear)

    def answer(self, script: str, values: dict[str, str]) -> Answer:
        """What a script does and answers."""
        return self.guest.scripts[script](values)

    def _noted(self, word: str, action: Callable[..., Answer]) -> Callable[..., Answer]:
        def run(values: dict[str, str]) -> Answer:
            self.done.append(word)
            return action(**values)

        return run

    def _find_medium(self) -> Answer:
        if not self.medium:
            return failed("the medium of the build is not there")
        return _json(drive=self.drive)

    def _pending_restart(self) -> Answer:
        return _json(reasons=self.pending)

    def _install_software(self, path: str, arguments: str, codes: str) -> Answer:
        installer = self._on_medium(path)
        if installer is None:
            return failed(f"{MISSING}: {path}")
        if installer.asks:
            return Answer(((3600.0, "stdout", b""),))
        if installer.restarts:
            return Answer(((installer.seconds, "stdout", b""),), restarts=True)
        if str(installer.code) not in codes.split():
            return failed(f"the installer has ended with code {installer.code}: ")
        self.software.append((path, arguments))
        if path.endswith("cloudbase-init.msi"):
            self.services["cloudbase-init"] = "auto"
        return _json(restart=installer.code in (3010, 1641), said=f"code {installer.code}")

    def _install_package(self, path: str) -> Answer:
        installer = self._on_medium(path)
        if installer is None:
            return failed(f"{MISSING}: {path}")
        if installer.code == 2359303:
            return failed("the package is not meant for this system")
        if installer.code not in (0, 3010, 2359302):
            return failed(f"the package cannot be installed: code {installer.code}")
        self.hotfixes.append(path)
        return _json(restart=installer.code == 3010, said=f"code {installer.code}")

    def _install_updates(self, server: str) -> Answer:
        found = self.updates.pop(0) if self.updates else []
        self.hotfixes += found
        return _json(restart=bool(found), again=bool(found), said=f"{len(found)} updates")

    def _install_features(self, names: str, client: str) -> Answer:
        wanted = set(names.split())
        if unknown := sorted(wanted - self.known_features):
            return failed(f"this system knows no feature {', '.join(unknown)}")
        self.features |= wanted
        return _json(restart=False, said=f"{len(wanted)} features")

    def _set_registry(self, key: str, name: str, kind: str, value: str) -> Answer:
        self.registry.setdefault(key, {})[name] = (kind, value)
        return _json(restart=False, said="set")

    def _write_file(self, path: str, content: str) -> Answer:
        self.files[path] = base64.b64decode(content, validate=True)
        return _json(restart=False, said="written")

    def _import_policy(self, path: str, tool: str) -> Answer:
        if self._on_medium(path) is None:
            return failed(f"{MISSING}: {path}")
        if path.endswith(".zip") and self._on_medium(tool) is None:
            return failed(f"{MISSING}: {tool}")
        self.policies.append(path)
        return _json(restart=False, said="applied")

    def _set_up_contextualisation(self) -> Answer:
        if "cloudbase-init" not in self.services:
            return failed("Cannot find any service with service name 'cloudbase-init'.")
        self.services["cloudbase-init"] = "demand"
        return _json(restart=False, said="waits for Setup")

    def _clean(self) -> Answer:
        return _json(restart=False, said="cleaned")

    def _inventory(self) -> Answer:
        return _json(
            patchlevel=f"{self.build}.{self.revision}",
            edition="ServerStandard",
            hotfixes=self.hotfixes,
            programs=[{"name": path, "version": "1.0"} for path, _ in self.software],
        )

    def _before_sealing(self) -> Answer:
        return _json(problems=self.unmended, removed=[])

    def _start_sealing(self, drive: str) -> Answer:
        if drive != self.drive or "seal.ps1" not in self.medium:
            return failed(rf"{MISSING}: {drive}\seal.ps1")
        self.sealing = True
        return _json(restart=False, said="started")

    def _run_as_system(self, script: str, name: str, seconds: str) -> Answer:
        values, text = assignments(base64.b64decode(script, validate=True).decode())
        if text not in self.guest.scripts:
            self.guest.complaints.append(f"unknown script of the system: {text}")
            return failed("it has not ended")
        answer = self.answer(text, values)
        if answer.status:  # the task's own error is in its output, and it answers no JSON
            return Answer(tuple((delay, "stdout", data) for delay, _, data in answer.parts))
        return answer

    def _on_medium(self, path: str) -> Installer | None:
        start = f"{self.drive}\\"
        return self.medium.get(path.removeprefix(start)) if path.startswith(start) else None


def _json(**values: object) -> Answer:
    return said(json.dumps(values) + "\r\n")
