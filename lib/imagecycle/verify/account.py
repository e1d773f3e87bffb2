"""What a guest says of itself, in one go: the facts that checks judge and compare.

One script over the connection that stands costs a fraction of as many commands, most of all under
software emulation. It is asked when contextualisation has come to its end, or, in brief, at once.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from imagecycle import command
from imagecycle.machine.config_drive import MARKER_FILE, VENDOR_MARKER_FILE
from imagecycle.systems.linux import Linux
from imagecycle.verify import guest

SEPARATOR = "\x1e"
_UP = re.compile(r"\d{1,12}\.\d{1,6}")
SIZE_LIMIT = 4 * 2**20
"""Bytes of an account; a guest that says more says nothing"""
FINISH_LIMIT = 180
"""Seconds that contextualisation may take after the login"""
SETTLE_LIMIT, SETTLE_MOST = 20, 120
"""Seconds for what starts beside and after contextualisation: the first, or half of what a slow
machine took until then, but no more than the second"""
TIME_SERVICES = ("systemd-timesyncd", "chrony", "chronyd", "ntp", "ntpd", "ntpsec", "openntpd")

OUTER: Mapping[str, str] = {
    "user": "id -un",
    "locale": "locale 2>&1 >/dev/null",
}
"""Shell commands of the admin user, by the name of what they tell."""

BRIEF: Mapping[str, str] = {
    "boot_id": "text /proc/sys/kernel/random/boot_id",
    "name": "text /proc/sys/kernel/hostname",
    "kernel": "text /proc/sys/kernel/osrelease",
    "machine_id": "text /etc/machine-id",
    "host_keys": "cat /etc/ssh/ssh_host_*_key.pub | cut -d ' ' -f 2 | sort",
    "addresses": "ip -o address",
    "links": "ip -o link",
    "root": "stat -f -c '%b %S' /",
    "memory": "grep -E '^(MemTotal|MemAvailable):' /proc/meminfo",
    "processors": "nproc",
    "initiator": "text /etc/iscsi/initiatorname.iscsi",
    "nvme": "text /etc/nvme/hostnqn; text /etc/nvme/hostid",
}
"""Shell commands of root. One that fails tells nothing."""

THOROUGH: Mapping[str, str] = {
    "finished": (
        f"i=0; until [ -e /run/cloud-init/result.json ] || [ $i -ge {FINISH_LIMIT * 2} ]; "
        "do sleep 0.5; i=$((i + 1)); done; [ -e /run/cloud-init/result.json ] && echo yes"
    ),
    "marker": f"text {MARKER_FILE}",
    "vendor_marker": f"text {VENDOR_MARKER_FILE}",
    "status": "cat /run/cloud-init/status.json",
    "warnings": r"grep -E '\[(WARNING|ERROR|CRITICAL)\]' /var/log/cloud-init.log",
    "attempts": r"grep -E 'Calling .* failed|Giving up on' /var/log/cloud-init.log",
    "keys": 'cat "$(getent passwd "$SUDO_USER" | cut -d : -f 6)/.ssh/authorized_keys"',
    "state": (
        f"read -r up _ </proc/uptime; most=$((${{up%%.*}} * 5 / 2)); i=0; "
        f"[ $most -ge {SETTLE_LIMIT * 5} ] || most={SETTLE_LIMIT * 5}; "
        f"[ $most -le {SETTLE_MOST * 5} ] || most={SETTLE_MOST * 5}; "
        'while state=$(systemctl is-system-running); [ "$state" = starting ] '
        '&& [ $i -lt $most ]; do sleep 0.2; i=$((i + 1)); done; echo "$state"'
    ),
    "jobs": "systemctl list-jobs --no-legend --plain",
    "display": "systemctl is-active display-manager",
    "failed": "systemctl list-units --failed --plain --no-legend",
    "time_service": f"systemctl is-active {' '.join(TIME_SERVICES)}",
    "journal": "journalctl -b -p err -q --no-pager -o short-monotonic --no-hostname | tail -n 60",
    "kernel_trouble": "dmesg --level=emerg,alert,crit",
    "kernels": "ls /boot | sed -n 's/^vmlinuz-//p' | sort -V",
    "modules": 'ls "/lib/modules/$(uname -r)/modules.dep"',
    "cmdline": "text /proc/cmdline",
    "lsm": "text /sys/kernel/security/lsm",
    "apparmor": "text /sys/module/apparmor/parameters/enabled",
    "selinux": "getenforce",
    "listening": "ss -Hltun",
    "routes": "ip route",
    "resolvers": (
        "cat /etc/resolv.conf /run/systemd/resolve/resolv.conf /run/NetworkManager/resolv.conf"
    ),
    "own_name": 'getent hosts "$(uname -n)"',
    "loopback": "getent ahosts localhost",
    "fstab": "findmnt --verify 2>&1",
    "mounts": "findmnt -rno TARGET,SOURCE,FSTYPE,OPTIONS -t ext4,xfs,btrfs,vfat,ext3,ext2",
    "swap": "tail -n +2 /proc/swaps",
    "trim": "fstrim -v / 2>&1",
    "trim_timer": "systemctl is-enabled fstrim.timer",
    "zone": "date +%Z",
    "sshd": '"$(command -v sshd || echo /usr/sbin/sshd)" -T',
    "passwords": "awk -F : '{ print $1 \":\" substr($2, 1, 1) }' /etc/shadow",
    "used": "df -k --output=used / | tail -n 1",
    "times": "systemctl show -p UserspaceTimestampMonotonic -p FinishTimestampMonotonic",
    "clock": "date +%s",
}
"""More of root's."""

OF_THE_SYSTEM = ("audit", "ram_disk", "trial")
SUDO = "sudo"
"""What sudo complained of"""
AGENT = "agent"
"""What the guest agent answered, which is asked from outside"""
HEARD = "heard"
"""Seconds since 1970 at which the answer had come, by this machine's clock"""
TOOK = "took"
"""The seconds of the guest's clock that each section took, one a line, and all together: some are
answered beside others"""
_WAITS = ("finished", "state")
"""The sections that wait for the guest, in this order: all others are of a machine at rest"""
_TEXT = (
    'text() { while IFS= read -r line || [ -n "$line" ]; do printf "%s\\n" "$line"; done <"$1"; }'
)
"""For short files, a small part of what a program costs under software emulation"""
_END, _ALL = "end", "all"


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
        said = parse(self._output.read_text(errors="replace"))
        return {**said, HEARD: str(time.time())} if said else {}


@contextlib.contextmanager
def asking(folder: Path, name: str, words: str, limit: float) -> Iterator[Asking]:
    """Ask a machine whose connection stands.

    :param folder: the working folder, with the SSH configuration.
    :param words: see :func:`script`.
    :param limit: seconds after which nothing is expected any more.
    """
    output = folder / f"account-{name}.txt"
    output.unlink(missing_ok=True)
    argv = ["ssh", "-F", guest.config(name), name, words]
    with command.background(argv, output=output, cwd=folder) as process:
        yield Asking(process, output, limit)


def script(system: Linux, *, brief: bool) -> str:
    """What a guest is asked, in the words of its shell.

    :param brief: without waiting for contextualisation, and little.
    """
    lines = [_TEXT]
    if not brief:
        waits = {name: THOROUGH[name] for name in _WAITS}
        rest = {name: words for name, words in THOROUGH.items() if name not in waits}
        lines += [*_sections(waits), *_beside(system, _sections(rest))]
    inner = "\n".join([*lines, *_sections(BRIEF), "sync"])
    return "\n".join(
        [
            *_sections(OUTER),
            f"exec 3>&1; complaint=$(sudo -n sh -c {shlex.quote(inner)} 2>&1 >&3)",
            _section(SUDO, 'printf %s "$complaint"'),
            _section(_END, ":"),
        ]
    )


def _beside(system: Linux, others: Sequence[str]) -> list[str]:
    """What takes longest, while another processor of the guest goes through other sections."""
    packages, ram_disk = system.packages, system.initial_ram_disk
    sections = {
        "audit": f"{{ {packages.audit}; }} 2>&1",
        "trial": packages.trial or ":",
        "ram_disk": f"ls {ram_disk.format(release='$(uname -r)')}",
    }
    return [
        "beside=$(mktemp -p /run imagecycle.XXXXXX 2>/dev/null || mktemp); {",
        *(*_sections(sections), _section(_END, ":")),
        '} >"$beside" 2>/dev/null </dev/null &',
        *(*others, _section(_END, ":")),
        'wait; { cat "$beside"; rm -f "$beside"; } 2>/dev/null',
    ]


def _sections(named: Mapping[str, str]) -> list[str]:
    return [_section(name, words) for name, words in named.items()]


def _section(name: str, words: str) -> str:
    # the shell reads the clock by itself, which costs no process
    head = f"read -r up _ </proc/uptime; printf '\\036%s %s\\n' {name} \"$up\""
    return f"{head}; {{ {words}; }} 2>/dev/null"


def parse(text: str) -> dict[str, str]:
    """What the script printed, by section."""
    known = {*OUTER, *BRIEF, *THOROUGH, *OF_THE_SYSTEM, SUDO}
    found = {}
    clock: list[tuple[str, float]] = []
    for part in text.split(SEPARATOR)[1:]:
        head, _, said = part.partition("\n")
        name, _, up = head.partition(" ")
        if name in known:
            found[name] = said.strip()
        if name in {*known, _END} and _UP.fullmatch(up):
            clock.append((name, float(up)))
    if clock and clock[-1][0] == _END:
        took = [(a, then - at) for (a, at), (_, then) in pairwise(clock) if a != _END]
        took.append((_ALL, clock[-1][1] - clock[0][1]))
        found[TOOK] = "\n".join(f"{section} {seconds:.2f}" for section, seconds in took)
    return found


def seconds_asked(account: Mapping[str, str]) -> float | None:
    """The seconds that the questions took in the guest, without waiting for it."""
    took = {name: float(s) for name, s in map(str.split, account.get(TOOK, "").splitlines())}
    return round(took[_ALL] - sum(took.get(name, 0.0) for name in _WAITS), 2) if took else None


def memory_in_use(account: Mapping[str, str]) -> int | None:
    """MiB, where the account tells it."""
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", account.get("memory", ""), re.MULTILINE))
    if {"MemTotal", "MemAvailable"} <= found.keys():
        return (int(found["MemTotal"]) - int(found["MemAvailable"])) // 1024
    return None


def disk_in_use(account: Mapping[str, str]) -> int | None:
    """MiB of the root file system, where the account tells it."""
    used = account.get("used", "").split()
    return int(used[0]) // 1024 if used and used[0].isdecimal() else None
