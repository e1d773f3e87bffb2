"""What is on drive C of a good Windows that was sealed: files, and hives of its registry."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path

import registry_hives
from registry_hives import Values

_STATE = r"Microsoft\Windows\CurrentVersion\Setup\State"
_WINDOWS = r"Microsoft\Windows NT\CurrentVersion"
_SYSTEM: dict[str, dict[str, str | int]] = {
    "Select": {"Current": 1},
    r"Setup\Status\SysprepStatus": {"GeneralizationState": 7, "CleanupState": 2},
    r"ControlSet001\Services\viostor": {"Start": 0, "ImagePath": r"System32\drivers\viostor.sys"},
    r"ControlSet001\Services\vioscsi": {"Start": 0, "ImagePath": r"System32\drivers\vioscsi.sys"},
    r"ControlSet001\Control\TimeZoneInformation": {"TimeZoneKeyName": "UTC"},
}
_SOFTWARE: dict[str, dict[str, str | int]] = {
    _STATE: {"ImageState": "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"},
    _WINDOWS: {
        "CurrentBuild": "20348",
        "EditionID": "ServerStandard",
        "ProductName": "Windows Server 2022 Standard",
        "CurrentVersion": "6.3",
        "InstallationType": "Server",
    },
    rf"{_WINDOWS}\Winlogon": {"AutoAdminLogon": "0"},
}
_CONF = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf"
_FILES = {
    "Windows/System32/drivers/viostor.sys": b"driver",
    "Windows/System32/drivers/vioscsi.sys": b"driver",
    "Windows/Setup/Scripts/SetupComplete.cmd": b"sc.exe start cloudbase-init",
    f"{_CONF}/cloudbase-init.conf": b"[DEFAULT]",
    f"{_CONF}/cloudbase-init-unattend.conf": b"[DEFAULT]",
    "ProgramData/imagecycle/Unattend.xml": b"<unattend/>",
}


@dataclass
class Drive:
    """A drive in memory; ``names`` and ``read`` are what checks ask for."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(_FILES))
    system: dict[str, dict[str, str | int]] = field(default_factory=lambda: copy.deepcopy(_SYSTEM))
    software: dict[str, dict[str, str | int]] = field(
        default_factory=lambda: copy.deepcopy(_SOFTWARE)
    )

    def names(self, folder: str) -> list[str]:
        found = (path[len(folder) :] for path in self.files if path.startswith(folder))
        return list(dict.fromkeys(path.partition("/")[0] for path in found))

    def read(self, path: str) -> bytes:
        return self.files[path]

    def with_registry(self, folder: Path) -> Drive:
        """The same with its hives as files."""
        for name, content in hives(self).items():
            path = folder / f"{name}.made"
            registry_hives.write(path, content)
            self.files[f"Windows/System32/config/{name}"] = path.read_bytes()
        return self

    def write(self, root: Path) -> None:
        """Put its files below a folder."""
        for name, content in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)


def hives(drive: Drive) -> dict[str, dict[str, Values]]:
    return {"SYSTEM": dict(drive.system), "SOFTWARE": dict(drive.software)}
