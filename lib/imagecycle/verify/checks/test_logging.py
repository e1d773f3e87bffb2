"""What happens on a server can be read there, and nowhere else."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FOLDER = "/var/log/journal"
WRITES = ("/{usr/,}lib/systemd/systemd-journald",)
WRITERS = ("/usr/sbin/{rsyslogd,syslog-ng,syslogd,metalog}",)
JOURNAL = ("/etc/systemd/{journald.conf,journald.conf.d/*}", "/usr/lib/systemd/journald.conf.d/*")
SYSLOG = ("/etc/{rsyslog.conf,rsyslog.d/*,syslog.conf,syslog-ng/**}",)
_NOTHING_KEPT = re.compile(
    r"(?i)Storage\s*=\s*(none|volatile)|MaxLevelStore\s*=\s*(emerg|alert|crit|err|[0-3])\b|ReadKMsg\s*=\s*no"
    r"|(System|Runtime)MaxUse\s*=\s*[0-9]{1,6}K?$|RateLimitBurst\s*=\s*[1-9]\d?$"
    r"|MaxRetentionSec\s*=\s*\d{1,3}s?$"
)
_IN_THE_WAY = re.compile(
    r"(?i)SystemMaxUse\s*=\s*([5-9]|\d{2,})[GT]|SystemKeepFree\s*=\s*0|RateLimitBurst\s*=\s*0"
    r"|Forward\w*To(Console|Wall)\s*=\s*(?!no|false|0)\S+|MaxLevelConsole\s*=\s*(debug|7)"
    r"|SyncIntervalSec\s*=\s*[0-9]s?$|Compress\s*=\s*(no|false|0)$"
)
_ELSEWHERE = re.compile(
    r"[^#]*\s@@?[\w\[(].*|.*\bomfwd\b.*|.*\bomrelp\b.*|\s*(destination|network|udp|tcp)\b.*\bport\(.*"
)
_UPLOADED = (
    "/etc/systemd/{journal-upload.conf,journal-upload.conf.d/*}",
    "/etc/{filebeat,vector,td-agent,fluent-bit,promtail}/**",
)
_ADDRESS = re.compile(r"(?i)(url|hosts?|endpoint|uri)\s*[=:]\s*\S")


def test_is_kept(pristine: Pristine, defects: Defects) -> None:
    """Nobody finds out what went wrong on a server: its log keeps nothing."""
    found = [
        Finding(path, f"says {line}")
        for path, line in pristine.lines(*JOURNAL)
        if path in pristine.foreign and _NOTHING_KEPT.match(line)
    ]
    is_asked = any(line == "Storage=persistent" for _, line in pristine.lines(*JOURNAL))
    is_kept = is_asked or FOLDER in pristine.entries or pristine.found(*WRITERS)
    if pristine.found(*WRITES) and not is_kept:
        found.append(Finding(FOLDER, "is missing: each restart takes the log away"))
    assert defects(found) == []


def test_is_in_nobodys_way(pristine: Pristine, defects: Defects) -> None:
    """The log fills the disk, or buries what else is on the console."""
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines(*JOURNAL)
            if path in pristine.foreign and _IN_THE_WAY.match(line)
        )
        == []
    )


def test_goes_to_nobody_else(pristine: Pristine, defects: Defects) -> None:
    """Logs of users' servers go to a machine of the builder, or wait for one."""
    assert defects(_sent(pristine)) == []


def _sent(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(*SYSLOG):
        if path in pristine.foreign and _ELSEWHERE.fullmatch(line):
            yield Finding(path, f"says {line}")
    for path, line in pristine.lines(*_UPLOADED):
        if path in pristine.foreign and _ADDRESS.match(line):
            yield Finding(path, f"says {line}")


def test_is_rotated(pristine: Pristine, defects: Defects) -> None:
    """Logs fill the disk, or are thrown away: what cuts them stops at a broken file."""
    found = []
    for path in pristine.found("/etc/{logrotate.conf,logrotate.d/*}"):
        if path in pristine.foreign:
            lines = [line for _, line in pristine.lines(path)]
            opened, closed = (sum(line.count(brace) for line in lines) for brace in "{}")
            if opened != closed:
                found.append(Finding(path, "has a brace too many or too few"))
            if any(line.split() == ["rotate", "0"] for line in lines):
                found.append(Finding(path, "says rotate 0: nothing is kept"))
    assert defects(found) == []
