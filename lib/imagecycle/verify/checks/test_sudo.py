"""Who may become root."""

import re
from collections.abc import Iterator

from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

ORDINARY = re.compile(
    r"(root|%(sudo|wheel|admin)) ALL ?= ?\(ALL(:ALL)?\) ALL"
    r"|Defaults (env_reset|mail_badpass|use_pty|!visiblepw|always_set_home|match_group_by_gid"
    r"|always_query_group_plugin|env_keep ?\+?= ?\"[A-Z_ ]*\"|secure_path ?= ?\"?[^\"]*\"?)"
    r"|[@#]include(dir)? /etc/sudoers\.d"
)
"""Lines that the sudo packages of systems have; see sudoers(5)"""
LIBRARIES = re.compile(r"\b(LD_|PYTHON|PERL|BASH_ENV|ENV\b|PATH\b)")
MAIN = "/etc/sudoers"
"""Not looked at where it is as the package of sudo has it"""
FILES = (MAIN, "/etc/sudoers.d/*", "/etc/doas.conf", "/usr/local/etc/doas.conf")


def test_gives_nobody_more_than_the_system_does(pristine: Pristine, defects: Defects) -> None:
    """Somebody whom the user does not know becomes root, often without a password."""
    assert defects(_rules(pristine)) == []


def _rules(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*FILES):
        name = path.rpartition("/")[2]
        if "sudoers.d" in path and ("." in name or name.endswith("~")):
            continue  # sudo does not read these
        if path == MAIN and path not in pristine.foreign:
            continue
        for line in _lines(pristine.text(path)):
            if not ORDINARY.fullmatch(line) or (
                line.startswith("Defaults env_keep") and LIBRARIES.search(line)
            ):
                yield Finding(path, f"says: {line}")


def _lines(text: str) -> Iterator[str]:
    """Its lines without comments, joined where one goes on in the next, spaces made one."""
    for line in text.replace("\\\n", " ").splitlines():
        bare = line if re.match(r"#include", line) else re.sub(r"(^|\s)#.*", "", line)
        if bare.strip():
            yield re.sub(r"\s+", " ", bare).strip()


def test_reads_the_rules_of_contextualisation(pristine: Pristine, defects: Defects) -> None:
    """The user of a new server cannot administrate it: sudo does not look where his rule is."""
    main = [path for path in ("/etc/sudoers", "/usr/etc/sudoers") if pristine.found(path)][:1]
    assert (
        defects(
            Finding(path, "does not include /etc/sudoers.d")
            for path in main
            if not re.search(r"(?m)^[@#]includedir\s+/etc/sudoers\.d", pristine.text(path))
        )
        == []
    )
