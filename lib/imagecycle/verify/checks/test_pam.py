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
    for path in pristine.found("/etc/pam.d/common-auth"):
        text = pristine.text(path)
        if not re.search(r"(?m)^auth\s+requisite\s+pam_deny\.so", text):
            yield Finding(path, "never denies")
