"""A security profile of a published guide, held against a release by OpenSCAP.

The scan looks at a copy of the disk as it was before any boot. ``oscap`` is given the mounted root,
so that owners and modes are the image's own; settings that only a running kernel has are judged by
the files that make them.

``oscap`` follows links as this machine has them: one to ``/etc/passwd`` leads to the host's file,
and a rule would pass or fail by what the host is like. So all links of the copy that could lead out
of it are first made to lead to the place inside that a server would find.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command, log, systems
from imagecycle.artifacts import write_json
from imagecycle.build import mounting, offline
from imagecycle.build.disk import unpack
from imagecycle.errors import CommandFailed, ImagecycleError, UsageError, suggestion
from imagecycle.model import Family, SecurityProfile
from imagecycle.shipped import setup
from imagecycle.site import Site
from imagecycle.verify import security_results
from imagecycle.verify.security_results import ProfileResult, short

SCANNER = "oscap"
SCANNER_PACKAGE = "openscap-scanner"
SETUP = setup("--security")
RESULT = "security-profile.json"
"""What the checks are told, in the folder of their session"""
_APT = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
"""
"""Instead of this machine's settings, with which the scanner may not find the disk's packages"""
_BROKEN = re.compile(r"^E: oscap: +(\w+ has failed)", re.MULTILINE)
INFO_LIMIT = 60.0
SCAN_LIMIT = 600.0
_PLAIN = {"LC_ALL": "C.UTF-8"}
_ROOT = "OSCAP_PROBE_ROOT"
_MET, _UNMET = 0, 2
"""The exit statuses of oscap where it has judged all rules"""


@dataclass(frozen=True)
class Request:
    """A profile that is asked for, and the guide that has it."""

    asked: SecurityProfile
    guide: Path
    offered: Sequence[str]
    """The names of the guide's profiles, in its order"""
    system: str
    """What is scanned, for people"""


def asked_of(family: Family, site: Site) -> SecurityProfile | None:
    """The profile that the catalog asks of a family, else the site; None where neither does."""
    return family.security_profile or site.security_profile_of(family.slug)


def prepare(family: Family, site: Site) -> Request | None:
    """See that the profile can be scanned for, before anything else is done.

    :returns: None where none is asked for.
    :raises ImagecycleError: when scanner or guide is missing.
    :raises UsageError: when the guide cannot be read, or has no such profile.
    """
    asked = asked_of(family, site)
    if asked is None:
        return None
    if family.windows is not None:
        raise UsageError(
            f"{family.slug} cannot be scanned for {asked.profile}: only disks of Linux can be",
            hint="leave it out of `families` in the site's `security_profiles`",
        )
    system = systems.linux(family.distro)
    if shutil.which(SCANNER) is None:
        raise ImagecycleError(
            f"{family.slug} asks for the security profile {asked.profile}, and {SCANNER} is not "
            "installed",
            hint=f"install the package {SCANNER_PACKAGE}: {SETUP}",
        )
    guide = site.security_guides / asked.guide
    if not guide.is_file():
        known = sorted(path.name for path in site.security_guides.glob("*-ds.xml"))
        there = f"there are {', '.join(known)}" if known else "there is none at all"
        near = suggestion(asked.guide, known)
        raise ImagecycleError(
            f"there is no guide {asked.guide} in {site.security_guides}; {there}{near}",
            hint=f"install the package {system.guides_package}: {SETUP}",
        )
    offered = _profiles(guide)
    if asked.profile not in offered:
        raise UsageError(
            f"{guide.name} has no profile {asked.profile}; it offers {', '.join(offered)}"
            f"{suggestion(asked.profile, offered)}",
            hint="correct `security_profile.profile`",
        )
    return Request(asked, guide, offered, f"{family.distro} {family.version}")


def _profiles(guide: Path) -> list[str]:
    """The names of a guide's profiles."""
    said = command.run(
        [SCANNER, "info", "--profiles", guide], timeout=INFO_LIMIT, check=False, env=_PLAIN
    )
    names = [short(line.partition(":")[0]) for line in said.stdout.splitlines() if ":" in line]
    if said.returncode != 0 or not names:
        raise UsageError(
            f"{guide} is no guide that {SCANNER} can read: {_last(said.stderr)}",
            hint="`security_profile.guide` names a SCAP data stream, such as ssg-...-ds.xml",
        )
    return names


def scan(request: Request, disk: Path, folder: Path) -> ProfileResult:
    """Hold a release's qcow2 disk against its profile, and tell the checks.

    :param folder: of the checks' session, with room for the unpacked disk.
    :raises UsageError: when the guide is for another system, or what is accepted is not in it.
    :raises ImagecycleError: when the disk cannot be scanned.
    """
    raw = folder / "scanned.raw"
    with log.step(f"scanning for {request.asked.profile} of {request.guide.name}"):
        try:
            unpack(disk, raw)
            with offline.mounted(raw, folder, read_only=False) as system:
                found = scan_root(request, system.root, folder)
        except (CommandFailed, mounting.NotForThisKernel) as error:
            raise ImagecycleError(
                f"the disk cannot be scanned for {request.asked.profile}: {error.message}",
                hint="run as root, on a machine with loop devices whose kernel knows the disk's "
                "file systems",
            ) from None
        finally:
            raw.unlink(missing_ok=True)
    write_json(folder / RESULT, found.as_record())
    unmet, accepted = len(found.unmet), len(found.accepted)
    log.say(f"{found.title}: score {found.score:g}, {unmet} rules not met, {accepted} accepted")
    return found


def scan_root(request: Request, root: Path, folder: Path) -> ProfileResult:
    """The same, of a system whose root is a folder, which is prepared for the scanner.

    :param folder: for the results.
    """
    try:
        _confine_links(root.resolve())
        _tell_mounts(root.resolve())
    except OSError as error:
        raise ImagecycleError(
            f"the copy of the disk cannot be prepared for {SCANNER}: {error.strerror}",
            hint="make room in the home of imagecycle, and look at the disk",
        ) from None
    results, output = folder / "security-profile.xml", folder / "oscap.log"
    results.unlink(missing_ok=True)
    apt = folder / "oscap-apt.conf"
    apt.write_text(_APT)
    argv: list[str | Path] = [
        SCANNER,
        "xccdf",
        "eval",
        "--profile",
        request.asked.profile,
        "--results",
        results,
    ]
    done = command.run(
        [*argv, request.guide],
        timeout=SCAN_LIMIT,
        check=False,
        env={**_PLAIN, _ROOT: str(root.resolve()), "APT_CONFIG": str(apt.resolve())},
        cwd=folder,
        output=output,
    )
    said = output.read_text(errors="replace")
    broken = _BROKEN.search(said)  # oscap takes the rules for not applicable then
    if done.returncode not in (_MET, _UNMET) or broken:
        raise ImagecycleError(
            f"{SCANNER} could not hold the disk against {request.asked.profile}: "
            f"{broken[1] if broken else _last(said)}",
            hint="run verify again with --keep and look at oscap.log",
        )
    return security_results.read(results, request.asked, request.offered, request.system)


def _confine_links(root: Path) -> None:
    """Let no link lead out of a root."""
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            place = Path(folder, name)
            if not place.is_symlink():
                continue
            target = str(place.readlink())
            if not target.startswith("/") and ".." not in target.split("/"):
                continue  # it leads out only by other links
            owner = place.lstat()
            inner = _leads_to(root, place)
            if inner is not None and inner.is_relative_to(root / "dev"):
                continue  # such as /dev/null, which is the same everywhere
            place.unlink()
            if inner is not None:
                place.symlink_to(os.path.relpath(inner, folder))
                os.chown(place, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _tell_mounts(root: Path) -> None:
    """Say what is mounted where on a server, as its kernel would.

    Without it the scanner knows of no file system, and rules about all files find none and pass.
    """
    fstab = mounting.inside(root, mounting.FSTAB)
    lines = fstab.read_text(errors="replace").splitlines() if fstab.is_file() else []
    named = [line.split() for line in lines if not line.strip().startswith("#")]
    mounts = {fields[1]: fields[2:4] for fields in named if len(fields) > 3 and fields[1][0] == "/"}
    mounts.setdefault("/", ["ext4", "rw"])
    folder = mounting.inside(root, "/proc")
    folder.mkdir(exist_ok=True)
    place = folder / "mounts"
    place.unlink(missing_ok=True)
    place.write_text(
        "".join(
            f"/dev/vda{number} {point} {kind} {options} 0 0\n"
            for number, (point, (kind, options)) in enumerate(mounts.items(), start=1)
        )
    )


def _leads_to(root: Path, link: Path) -> Path | None:
    """The place inside the root that a link leads to; None where it leads in circles."""
    try:
        return mounting.inside(root, str(link.relative_to(root)))
    except ImagecycleError:
        return None


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it printed nothing"])[-1]
