"""What systemd and its logins are told for all that they run."""

import re
from collections.abc import Iterator, Mapping

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILES = (
    "/etc/systemd/{system,user,logind}.conf",
    "/{etc,usr/lib,usr/local/lib}/systemd/{system,user,logind}.conf.d/*.conf",
)
HARMFUL: Mapping[str, tuple[str, str]] = {
    "DefaultLimitNOFILE": (r"\d{1,3}(:.*)?", "services run out of files"),
    "DefaultLimitNPROC": (r"\d{1,2}(:.*)?", "services run out of processes"),
    "DefaultLimit(AS|DATA|RSS)": (r"\d{1,3}M?(:.*)?", "services run out of memory"),
    "DefaultLimitCORE": (r"infinity", "the memory of programs fills the disk"),
    "DefaultTasksMax|UserTasksMax": (r"\d{1,2}|[0-4]%", "services run out of processes"),
    "DefaultTimeoutStartSec": (r"(\d|1\d)(s|sec)?", "services are given up while they start"),
    "DefaultTimeoutStopSec": (r"\d{4,}(s|sec)?|\d+ ?(min|m|h)\w*|infinity", "stops take minutes"),
    "DefaultRestartSec": (r"[1-9]\d+(s|sec)?|\d+ ?min", "services that fail are gone for long"),
    "DefaultStartLimitBurst": (r"0|1", "services are not started again"),
    "LogLevel": (r"debug", "the log is flooded"),
    "LogTarget": (r"console|null", "the log keeps nothing of it"),
    "ShowStatus": (r"no|false|0|off", "the console shows nothing of a boot"),
    "RuntimeWatchdogSec|RebootWatchdogSec": (r"[1-9].*", "a pause of the host restarts servers"),
    "CrashShell|CrashReboot": (r"yes|true|1", "a fault opens a shell, or restarts for ever"),
    "KillUserProcesses": (r"yes|true|1", "what users leave running ends with their session"),
    "IdleAction": (r"(?!ignore).+", "servers stop when nobody types"),
    "Handle(LidSwitch|SuspendKey|RebootKey)": (r"(poweroff|suspend|hibernate)", "servers sleep"),
    "NAutoVTs": (r"0", "the console offers no login"),
    "SessionsMax": (r"\d{1,2}", "nobody can log in any more"),
    "RuntimeDirectorySize": (r"[0-4]%|\d{1,7}K?", "logins have no room for what they keep"),
}
"""Settings, their values, and what comes of them; see systemd-system.conf(5), logind.conf(5)"""


def test_leaves_services_and_logins_alone(pristine: Pristine, defects: Defects) -> None:
    """Services or logins end early, or find no room: systemd was told to limit them."""
    assert defects(_harmful(pristine)) == []


def _harmful(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(*FILES):
        name, _, value = (part.strip() for part in line.partition("="))
        for pattern, (values, what) in HARMFUL.items():
            if (
                path in pristine.foreign
                and re.fullmatch(pattern, name)
                and re.fullmatch(values, value, re.IGNORECASE)
            ):
                yield Finding(path, f"says {line}: {what}")
