"""What a good Windows tells of itself when it is asked by ``account.ps1``."""

from __future__ import annotations

import secrets
import time
from typing import Any

GIB = 2**30


def filetime(seconds: float) -> int:
    """A moment in Windows' words."""
    return int((seconds + 11_644_473_600) * 10_000_000)


def good(
    name: str, *, marker: str, key: str, mac: str, user: str = "Administrator", disk: int = 42 * GIB
) -> dict[str, Any]:
    """A server of 2022 as the catalog declares it, contextualised and activated.

    :param user: the account that Setup made, where it is not the built-in administrator, which
        clients have switched off.
    """
    sid = "S-1-5-21-" + "-".join(str(secrets.randbelow(2**32)) for _ in range(3))
    now = time.time()
    thumbprints = [secrets.token_hex(20).upper() for _ in range(2)]
    partition = disk - 1300 * 2**20
    built_in = user == "Administrator"
    own = [] if built_in else [_account(user, f"{sid}-1001", disabled=False)]
    return {
        "name": name[:15].upper(),
        "marker": marker,
        "runs": 1,
        "tasks": {},
        "release": {"build": "20348", "edition": "ServerStandard", "kind": "Server"},
        "setup": {
            "image_state": "IMAGE_STATE_COMPLETE",
            "in_progress": 0,
            "clone_tag": "Sat Nov 28 10:00:00 2026",
        },
        "firmware": {"secure_boot": 1, "tpm": "2.0"},
        "accounts": [
            _account("Administrator", f"{sid}-500", disabled=not built_in),
            _account("Guest", f"{sid}-501", required=False),
            _account("DefaultAccount", f"{sid}-503", required=False),
            _account("WDAGUtilityAccount", f"{sid}-504"),
            *own,
        ],
        "administrators": [user],
        "keys": [key],
        "winlogon": {"auto": "0", "password": False},
        "answer_files": [],
        "leftovers": [],
        "volumes": {
            "disk": disk,
            "partition": partition,
            "taken": disk - 2**20,
            "is_last": True,
            "file_system": "NTFS",
            "size": partition - 4096,
            "free": partition - 14 * GIB,
            "health": "Healthy",
        },
        "disks": [{"size": size, "offline": False, "read_only": False} for size in (disk, GIB)],
        "devices": [],
        "drivers": dict.fromkeys(("viostor", "vioscsi"), 0)
        | dict.fromkeys(("netkvm", "balloon", "vioser", "viorng"), 3),
        "network": [
            {"mac": mac.upper(), "dhcp": True, "address": ["10.0.2.15", "fe80::5054:ff:fe12:3456"]}
        ],
        "mtu": 1450,
        "activation": {
            "status": 1,
            "reason": 1074066433,
            "grace_minutes": 259200,
            "description": "Windows(R) Operating System, VOLUME_KMSCLIENT channel",
            "kms_host": "",
        },
        "remote_desktop": {
            "denied": 0,
            "network_level": 1,
            "certificate": thumbprints[0],
            "listening": True,
        },
        "winrm": {
            "listeners": ["Address=* Transport=HTTPS"],
            "basic": "false",
            "unencrypted": "false",
        },
        "certificates": [
            {"subject": f"CN={name}", "thumbprint": one, "from": filetime(now - 600)}
            for one in thumbprints
        ],
        "firewall": {"Domain": "True", "Private": "True", "Public": "True"},
        "clock": {
            "now": filetime(now),
            "zone": "UTC",
            "universal": None,
            "service": "Running",
            "source": "NTP",
        },
        "services": {
            "cloudbase-init": "Auto Stopped 0",
            "QEMU-GA": "Auto Running 0",
            "W32Time": "Manual Running 0",
            "Dnscache": "Auto Running 0",
            "LanmanServer": "Auto Running 0",
            "TermService": "Manual Running 0",
            "WinRM": "Auto Running 0",
            "MapsBroker": "Auto Stopped 0",
            "sppsvc": "Auto Stopped 0",
            "CDPUserSvc_2f3a1": "Auto Running 0",
            "gpsvc": "Auto Running 0",
            "ShellHWDetection": "Auto Stopped 0",
        },
        "triggered": ["W32Time", "gpsvc", "ShellHWDetection"],
        "events": [
            "Microsoft-Windows-DistributedCOM 10016: The application-specific permission settings",
            "Service Control Manager 7023: The service terminated with the following error",
        ],
        "restarts": 2,
        "pending": [],
        "power": {
            "plan": "Microsoft:PowerPlan\\{381b4222-f694-41f0-9685-ff5bb260df2e}",
            "hibernation": 0,
        },
        "page_file": True,
        "memory": {"total": 2_096_000, "free": 1_100_000},
        "processors": 2,
        "identity": {"sid": sid, "guid": secrets.token_hex(16), "updates": ""},
        "encryption": [],
        "context": {"errors": [], "source": "ConfigDriveService"},
        "region": {"locale": "en-US", "keyboard": "en-US"},
        "booted": filetime(now - 300),
    }


def _account(
    name: str, sid: str, *, disabled: bool = True, required: bool = True
) -> dict[str, object]:
    return {
        "name": name,
        "sid": sid,
        "disabled": disabled,
        "expired": False,
        "password_required": required,
    }
