"""The folders and links that programs take for granted are there."""

from collections.abc import Iterator

from imagecycle.systems.files import FILE, FOLDER, LINK
from imagecycle.systems.unowned import merged
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FOLDERS = (
    *("/dev", "/home", "/proc", "/root", "/run", "/sys", "/tmp"),
    *("/var/cache", "/var/lib", "/var/log", "/var/spool", "/var/tmp"),
)
"""See the Filesystem Hierarchy Standard 3.0"""
PROGRAMS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")
NO_FILES = ("/dev/", "/proc/", "/run/", "/sys/")
"""Where something is mounted"""
MERGED = ("/bin", "/sbin", "/lib")
LINKS = {"/var/run": "/run", "/var/lock": "/run/lock"}
"""Where older programs look, and where it leads; see file-hierarchy(7)"""


def test_has_the_folders_of_a_system(pristine: Pristine, defects: Defects) -> None:
    """Services and programs fail that keep something in a folder which was cleaned away."""
    assert defects(_lost(pristine)) == []


def _lost(pristine: Pristine) -> Iterator[Finding]:
    for path in FOLDERS:
        entry = pristine.entries.get(pristine.resolved(path))
        if entry is None or entry.kind != FOLDER:
            yield Finding(path, "is missing" if entry is None else "is no folder")


def test_has_what_packages_bring(pristine: Pristine, defects: Defects) -> None:
    """A service cannot start, for a folder or link of its package was cleaned away."""
    assert defects(_gone(pristine)) == []


def _gone(pristine: Pristine) -> Iterator[Finding]:
    cleaned = {path for one in pristine.system.removed.values() for path in one}
    made = _made_at_boot(pristine) | set(pristine.system.packages.made_again)
    lost: set[str] = set()
    for path in sorted(pristine.brought - pristine.entries.keys() - made):
        is_cleaned = path.startswith(NO_FILES) or any(_like(path, one) for one in cleaned)
        if not is_cleaned and not _above(path) & lost:
            lost.add(path)
            yield Finding(path, "is missing")


def _made_at_boot(pristine: Pristine) -> set[str]:
    """The folders that every boot makes where they are missing; see tmpfiles.d(5)."""
    lines = (line.split() for _, line in pristine.lines("/usr/lib/tmpfiles.d/*.conf"))
    return {words[1].rstrip("/") for words in lines if len(words) > 1 and words[0][0] in "dDvqQ"}


def _above(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(2, len(parts))}


def _like(path: str, pattern: str) -> bool:
    """Whether cleaning, which removes what is like the pattern, removes a path."""
    start = pattern.removesuffix("*")
    return path == pattern or (start != pattern and start.endswith("/") and path.startswith(start))


def test_leads_to_what_runs(pristine: Pristine, defects: Defects) -> None:
    """Services do not find each other: where they look is not where the system keeps it."""
    assert defects(_astray(pristine)) == []


def _astray(pristine: Pristine) -> Iterator[Finding]:
    for path, target in LINKS.items():
        entry = pristine.entries.get(path)
        if entry is not None and (entry.kind != LINK or pristine.resolved(path) != target):
            yield Finding(path, f"does not lead to {target}")
    for path, entry in pristine.entries.items():
        if entry.kind != LINK or not path.startswith(PROGRAMS):
            continue
        target = pristine.resolved(path)
        if not _is_of_the_system(pristine, path):
            continue
        if target not in pristine.entries:
            yield Finding(path, f"leads to {entry.target}, which is not there")
        elif not _is_of_the_system(pristine, target):
            yield Finding(path, f"leads to {target}, which no package brings")
    for path in pristine.brought:
        entry = pristine.entries.get(path)
        if entry is not None and entry.kind == FILE:
            yield Finding(path, "is a file, and its package brings a link or a folder")
    for path in MERGED:
        entry = pristine.entries.get(path)
        if entry is not None and entry.kind == FOLDER and _is_merged(pristine):
            yield Finding(path, f"is a folder, and should lead to /usr{path}")
    release, own = pristine.entries.get("/etc/os-release"), pristine.text("/usr/lib/os-release")
    is_other = own and pristine.text("/etc/os-release") != own
    if release is not None and release.kind == FILE and is_other:
        yield Finding(release.path, "is not the system's own")


def _is_merged(pristine: Pristine) -> bool:
    """Whether the others are links into /usr, as on every newer system."""
    found = (pristine.entries.get(path) for path in MERGED)
    return any(entry is not None and entry.kind == LINK for entry in found)


def test_runs_scripts_with_the_shell_of_the_system(pristine: Pristine, defects: Defects) -> None:
    """Scripts of packages run with another shell than the one that their vendor tests them with."""
    target = pristine.resolved("/bin/sh")
    wanted = pristine.system.sh
    found = []
    if target not in pristine.entries:
        found = [Finding("/bin/sh", f"leads to {target}, which is not there")]
    elif target.rpartition("/")[2] not in wanted:
        found = [Finding("/bin/sh", f"leads to {target}, not to {wanted[0]}")]
    assert defects(found) == []


def _is_of_the_system(pristine: Pristine, path: str) -> bool:
    return path in pristine.owned or merged(path) in pristine.owned
