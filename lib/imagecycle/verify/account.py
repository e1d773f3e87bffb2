"""What a guest says of itself, in one go: the facts that checks compare between machines and lives.

One script, run as root over the connection that stands, costs a fraction of as many commands.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from imagecycle import command
from imagecycle.machine.config_drive import MARKER_FILE
from imagecycle.verify import guest

SEPARATOR = "\x1e"
SIZE_LIMIT = 4 * 2**20
"""Bytes of an account; a guest that says more says nothing"""
FINISH_LIMIT = 180
"""Seconds that contextualisation may take after the login"""

SECTIONS: Mapping[str, str] = {
    "finished": (
        f"i=0; until [ -e /run/cloud-init/result.json ] || [ $i -ge {FINISH_LIMIT * 5} ]; "
        "do sleep 0.2; i=$((i + 1)); done; [ -e /run/cloud-init/result.json ] && echo yes"
    ),
    "boot_id": "cat /proc/sys/kernel/random/boot_id",
    "name": "uname -n",
    "kernel": "uname -r",
    "machine_id": "cat /etc/machine-id",
    "host_keys": "cat /etc/ssh/ssh_host_*_key.pub | cut -d ' ' -f 2 | sort",
    "marker": f"cat {MARKER_FILE}",
    "status": "cat /run/cloud-init/status.json",
    "failed": "systemctl list-units --failed --plain --no-legend",
    "addresses": "ip -o address",
    "links": "ip -o link",
    "routes": "ip route",
    "root": "stat -f -c '%b %S' /",
    "memory": "grep -E '^(MemTotal|MemAvailable):' /proc/meminfo",
    "processors": "nproc",
    "times": (
        "systemctl show -p FirmwareTimestampMonotonic -p LoaderTimestampMonotonic "
        "-p KernelTimestampMonotonic -p InitRDTimestampMonotonic -p UserspaceTimestampMonotonic "
        "-p FinishTimestampMonotonic"
    ),
    "uptime": "cat /proc/uptime",
    "initiator": "cat /etc/iscsi/initiatorname.iscsi",
    "nvme": "cat /etc/nvme/hostnqn /etc/nvme/hostid",
    "used": "df -k --output=used / | tail -n 1",
}
"""Shell commands by the name of what they tell; one that fails tells nothing."""


class Asking:
    """A guest that is being asked, for the length of a ``with`` block; see :func:`asking`."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, limit: float) -> None:
        self._process = process
        self._output = output
        self._deadline = time.monotonic() + limit

    def answered(self) -> Mapping[str, str] | None:
        """The account, empty where none can be had; None while it is still coming."""
        if self._output.stat().st_size > SIZE_LIMIT:
            return {}
        if self._process.poll() is None:
            return None if time.monotonic() < self._deadline else {}
        return parse(self._output.read_text(errors="replace"))


@contextlib.contextmanager
def asking(folder: Path, name: str, limit: float) -> Iterator[Asking]:
    """Ask a machine whose connection stands.

    :param folder: the working folder, with the SSH configuration.
    :param limit: seconds after which nothing is expected any more.
    """
    output = folder / f"account-{name}.txt"
    output.unlink(missing_ok=True)
    argv = ["ssh", "-F", guest.config(name), name, f"sudo -n sh -c {shlex.quote(script())}"]
    with command.background(argv, output=output, cwd=folder) as process:
        yield Asking(process, output, limit)


def script() -> str:
    """The script that a guest runs."""
    asked = [
        f"printf '\\036%s\\n' {name}; {{ {words}; }} 2>/dev/null"
        for name, words in SECTIONS.items()
    ]
    return "\n".join([*asked, "sync"])


def parse(text: str) -> dict[str, str]:
    """What the script printed, by section."""
    found = {}
    for part in text.split(SEPARATOR)[1:]:
        name, _, said = part.partition("\n")
        if name in SECTIONS:
            found[name] = said.strip()
    return found


def memory_in_use(account: Mapping[str, str]) -> int | None:
    """MiB, where the account tells it."""
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", account.get("memory", ""), re.MULTILINE))
    if {"MemTotal", "MemAvailable"} <= found.keys():
        return (int(found["MemTotal"]) - int(found["MemAvailable"])) // 1024
    return None


def disk_in_use(account: Mapping[str, str]) -> int | None:
    """MiB of the root file system, where the account tells it."""
    used = account.get("used", "").strip()
    return int(used) // 1024 if used.isdecimal() else None
