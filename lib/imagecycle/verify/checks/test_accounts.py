"""The image has the system's own accounts and nobody else's: first boot makes the user's."""

import re
from collections import Counter
from collections.abc import Iterator

from imagecycle.verify.accounts import accounts, groups, homes, shadow_passwords
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

POWERFUL = {"adm", "admin", "disk", "docker", "incus-admin", "kmem", "libvirt", "lxd", "root"}
POWERFUL |= {"shadow", "staff", "sudo", "wheel"}
"""Groups whose members can become root, or read what only root should"""
DATABASES = {"/etc/passwd": 7, "/etc/shadow": 9, "/etc/group": 4, "/etc/gshadow": 4}
"""And the fields of a line; see passwd(5), shadow(5), group(5), gshadow(5)"""
SWITCHED_ON = (
    "/etc/systemd/system/*.{wants,requires}/*.service",
    "/usr/lib/systemd/system/*.{wants,requires}/*.service",
)
KEY_PLACES = ("authorized_keys", "authorized_keys2")


def test_none_is_a_persons(pristine: Pristine, defects: Defects) -> None:
    """An account of the builder can log in to every server, or gets the user's number."""
    found = (Finding(one.name, f"has the user id {one.uid}") for one in accounts(pristine))
    people = {one.name for one in accounts(pristine) if one.is_a_persons}
    assert defects(finding for finding in found if finding.what in people) == []


def test_root_alone_is_root(pristine: Pristine, defects: Defects) -> None:
    """Somebody else is root on every server, and no log tells them apart."""
    roots = [one.name for one in accounts(pristine) if one.uid == 0]
    assert defects(Finding(name, "is root, too") for name in roots if name != "root") == []


def test_are_there_once(pristine: Pristine, defects: Defects) -> None:
    """Two accounts are one for the kernel, or one of them never counts."""
    known = accounts(pristine)
    names, numbers = Counter(one.name for one in known), Counter(one.uid for one in known)
    found = [Finding(name, "is there twice") for name, count in names.items() if count > 1]
    found += [
        Finding(one.name, f"shares the user id {one.uid}") for one in known if numbers[one.uid] > 1
    ]
    assert defects(found) == []


def test_of_services_have_no_shell(pristine: Pristine, defects: Defects) -> None:
    """Whoever takes over a service, or hides behind its name, can work on the server."""
    allowed = ("root", *pristine.system.accounts_with_shell)
    assert (
        defects(
            Finding(one.name, f"has the shell {one.shell}")
            for one in accounts(pristine)
            if one.has_a_shell and not one.is_a_persons and one.name not in allowed
        )
        == []
    )


def test_have_no_passwords_outside_of_shadow(pristine: Pristine, defects: Defects) -> None:
    """Everybody on the server can read a password, or an account needs none."""
    assert defects(_readable_passwords(pristine)) == []


def _readable_passwords(pristine: Pristine) -> Iterator[Finding]:
    in_shadow = shadow_passwords(pristine)
    for one in accounts(pristine):
        if one.password != "x" and one.password[:1] not in ("*", "!"):
            yield Finding(
                one.name, "has its password in /etc/passwd" if one.password else "has none"
            )
        elif one.password == "x" and one.name not in in_shadow:
            yield Finding(one.name, "is not in /etc/shadow")
    yield from (
        Finding(name, "is in /etc/shadow alone")
        for name in in_shadow.keys() - {one.name for one in accounts(pristine)}
    )


def test_groups_have_no_passwords(pristine: Pristine, defects: Defects) -> None:
    """Whoever knows the password becomes a member of the group."""
    lines = (line.split(":") for line in pristine.text("/etc/gshadow").splitlines())
    known = {(fields[0], fields[1]) for fields in lines if len(fields) > 1}
    known |= {(group.name, group.password) for group in groups(pristine)}
    unusable = ("", "x", "*", "!", "!!", "!*")
    assert defects(Finding(name, "has one") for name, one in known if one not in unusable) == []


def test_powerful_groups_have_no_members(pristine: Pristine, defects: Defects) -> None:
    """An account that is not the user's can administrate the server."""
    assert (
        defects(
            Finding(member, f"is a member of {group.name}")
            for group in groups(pristine)
            if group.name in POWERFUL
            for member in group.members
            if (group.name, member) not in pristine.system.group_members
        )
        == []
    )


def test_nobody_has_keys(pristine: Pristine, defects: Defects) -> None:
    """Whoever has the builder's key can log in to every server."""
    places = [f"{home}/.ssh/{name}" for home in homes(pristine) for name in KEY_PLACES]
    places += [f"{home}/.{name}" for home in homes(pristine) for name in ("rhosts", "shosts")]
    places += ["/etc/ssh/authorized_keys**", "/etc/dropbear/authorized_keys"]
    places += ["/etc/{hosts,shosts,ssh/shosts}.equiv"]
    assert defects(Finding(path, "lets somebody in") for path in pristine.filled(*places)) == []


def test_numbers_for_containers_are_of_accounts(pristine: Pristine, defects: Defects) -> None:
    """The numbers of an account of the builder are taken when the user starts containers."""
    known = {one.name for one in accounts(pristine)}
    assert (
        defects(
            Finding(line.partition(":")[0], f"is in {path} and no account")
            for path in ("/etc/subuid", "/etc/subgid")
            for line in pristine.text(path).splitlines()
            if line.partition(":")[0] not in known
        )
        == []
    )


def test_root_is_as_the_system_makes_it(pristine: Pristine, defects: Defects) -> None:
    """Root's shell is a program of the builder, or there is no root where a rescue needs it."""
    sane = ("/bin/bash", "/bin/sh", "/usr/bin/bash", "/bin/zsh")
    roots = [one for one in accounts(pristine) if one.name == "root"]
    found = [] if roots else [Finding("root", "is missing")]
    for root in roots:
        if (root.uid, root.gid, root.home) != (0, 0, "/root") or root.shell not in sane:
            found.append(Finding("root", f"has {root.uid}:{root.gid}, {root.home}, {root.shell}"))
    assert defects(found) == []


def test_have_not_expired(pristine: Pristine, defects: Defects) -> None:
    """Root's jobs, sudo and logins fail until somebody sets a password that nobody has."""
    used = {one.name for one in accounts(pristine) if one.has_a_shell}
    fields = [line.split(":") for line in pristine.text("/etc/shadow").splitlines()]
    assert (
        defects(
            Finding(one[0], "must change its password" if one[2] == "0" else "has an end")
            for one in fields
            if len(one) > 7 and one[0] in used and (one[2] == "0" or one[7])
        )
        == []
    )


def test_can_all_be_read(pristine: Pristine, defects: Defects) -> None:
    """Programs that read the accounts stop at a broken line, or take it for one of a directory."""
    assert defects(_broken(pristine)) == []


def _broken(pristine: Pristine) -> Iterator[Finding]:
    for path, fields in DATABASES.items():
        for number, line in enumerate(pristine.text(path).splitlines(), start=1):
            parts = line.split(":")
            is_whole = len(parts) == fields and re.fullmatch(r"[\w.][\w.-]*\$?", parts[0])
            if not is_whole and not line.startswith("#"):
                yield Finding(path, f"has no account or group in line {number}")


def test_that_services_need_are_there(pristine: Pristine, defects: Defects) -> None:
    """A service that every server starts fails: its account was taken away."""
    assert defects(_needed(pristine)) == []


def _needed(pristine: Pristine) -> Iterator[Finding]:
    users = {one.name for one in accounts(pristine)} | {str(one.uid) for one in accounts(pristine)}
    known = {one.name for one in groups(pristine)} | {str(one.gid) for one in groups(pristine)}
    for name in ("root", "nobody"):
        if name not in users:
            yield Finding(name, "is missing")
    if pristine.found("/usr/sbin/sshd") and "sshd" not in users:
        yield Finding("sshd", "is missing: SSH does not start")
    for path in pristine.found(*SWITCHED_ON):
        text, unit = pristine.text(path), path.rpartition("/")[2]
        if re.search(r"(?m)^DynamicUser=(yes|true|1)", text):
            continue
        for kind, name in re.findall(r"(?m)^(User|Group)=([\w.-]+)\s*$", text):
            if name not in (users if kind == "User" else known):
                yield Finding(name, f"is missing: {unit} does not start")


def test_have_shells_that_are_known(pristine: Pristine, defects: Defects) -> None:
    """Users cannot change their shell, and services that look at it let nobody in."""
    lines = {line for _, line in pristine.lines("/etc/shells")}
    used = {one.shell for one in accounts(pristine) if one.name == "root"} | {"/bin/sh"}
    found = [Finding("/etc/shells", f"leaves out {shell}") for shell in sorted(used - lines)]
    assert defects(found if pristine.found("/etc/shells") else ()) == []
