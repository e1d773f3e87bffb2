"""Who logs in is asked by the system's own modules."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

RULES = ("/etc/pam.d/*", "/etc/pam.conf")
_RULE = re.compile(
    r"-?(?P<kind>auth|account|password|session)\s+(?P<control>\[[^\]]*\]|\S+)\s+(?P<module>\S+)(?P<rest>.*)"
)
PROGRAMS = ("pam_exec.so", "pam_script.so", "pam_python.so", "pam_perl.so")
AUTOMATIC = {
    "/etc/{gdm3/**,gdm/**}": r"(Automatic|Timed)LoginEnable\s*=\s*true",
    "/etc/lightdm/**": r"autologin-user\s*=\s*\S",
    "/etc/{sddm.conf,sddm.conf.d/*}": r"User\s*=\s*\S",
    "/etc/inittab": r".*getty.*(-a|--autologin)\b",
}
"""Where a console or display manager is told to log somebody in"""
_LIMIT = re.compile(
    r"(?:\*|@\S+|[a-z]\S*)\s+(?:hard|soft|-)\s+(nproc|nofile|maxlogins|as|fsize)\s+(\d+)"
)
FEW = {"nproc": 256, "nofile": 1024, "maxlogins": 2, "as": 2**20, "fsize": 2**20}
"""What somebody needs who works on a server, in the units of limits.conf(5)"""
FOLDERS = ("/usr/lib/security", "/usr/lib64/security", "/lib/security", "/lib64/security")


def test_lets_nobody_in_unasked(pristine: Pristine, defects: Defects) -> None:
    """A login succeeds whatever the password, or a program of the builder decides."""
    assert defects(_unasked(pristine)) == []


def _unasked(pristine: Pristine) -> Iterator[Finding]:
    brought = {path.rpartition("/")[2] for path in pristine.owned if "/security/pam_" in path}
    for path in pristine.found(*RULES):
        if path not in pristine.foreign:
            continue
        first = True
        for _, line in pristine.lines(path):
            match = _RULE.match(line)
            if match is None:
                continue
            module = match["module"].rpartition("/")[2]
            permits = module == "pam_permit.so" and match["kind"] == "auth"
            if permits and (first or match["control"] in ("sufficient", "binding")):
                yield Finding(path, f"says {line}")
            if module in PROGRAMS or (brought and module not in brought):
                yield Finding(path, f"says {line}")
            first = first and match["kind"] != "auth"
    for pattern, said in AUTOMATIC.items():
        for path, line in pristine.lines(pattern):
            if path in pristine.foreign and re.match(said, line, re.IGNORECASE):
                yield Finding(path, f"says {line}")
    for path in pristine.found("/etc/pam.d/common-auth"):
        text = pristine.text(path)
        if not re.search(r"(?m)^auth\s+requisite\s+pam_deny\.so", text):
            yield Finding(path, "never denies")


def test_keeps_nobody_out(pristine: Pristine, defects: Defects) -> None:
    """The user has the right key, and is logged out at once or never let in."""
    assert defects(_kept_out(pristine)) == []


def _kept_out(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found("/etc/nologin", "/var/run/nologin"):
        yield Finding(path, "lets nobody but root in")
    for path, line in pristine.lines("/etc/security/{access.conf,access.d/*}"):
        if path in pristine.foreign and re.match(r"-\s*:", line):
            yield Finding(path, f"says {line}")
    for path, line in pristine.lines("/etc/security/{limits.conf,limits.d/*}"):
        match = _LIMIT.match(line)
        if path in pristine.foreign and match and int(match[2]) < FEW[match[1]]:
            yield Finding(path, f"says {line}")
    for path, line in pristine.lines("/etc/security/{time.conf,faillock.conf}"):
        if path in pristine.foreign and re.match(
            r"even_deny_root|deny\s*=\s*[12]$|unlock_time\s*=\s*(0|never)$|\S+;\S+;\S+;\S+", line
        ):
            yield Finding(path, f"says {line}")
    for path in pristine.found("/etc/pam.d/*"):
        before = ""
        for _, line in pristine.lines(path):
            match = _RULE.match(line)
            if path in pristine.foreign and match and _denies(match, before):
                yield Finding(path, f"says {line}")
            before = match["kind"] if match and "success=" in match["control"] else ""


def _denies(rule: re.Match[str], jumped: str) -> bool:
    """Whether it refuses without being jumped over by a rule of its kind before it."""
    binds = rule["control"] in ("required", "requisite")
    is_passed = jumped == rule["kind"] or rule["kind"] in ("auth", "session")
    return rule["module"].endswith("pam_deny.so") and binds and not is_passed


def test_makes_sessions_of_the_system(pristine: Pristine, defects: Defects) -> None:
    """Services of a user do not start, and what he runs is not told from the system's."""
    brought = pristine.found("/usr/lib{,64}/{,*/}security/pam_systemd.so")
    files = pristine.found("/etc/pam.d/{common-session,system-auth,password-auth}")
    said = any("pam_systemd.so" in line for _, line in pristine.lines(*files))
    lacks = bool(files and brought) and not said
    assert defects([Finding(files[0] if files else "", "leaves out pam_systemd.so")] * lacks) == []
