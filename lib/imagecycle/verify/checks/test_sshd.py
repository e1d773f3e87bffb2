"""The SSH server lets in who has the user's key, and nobody else, as soon as a server is up."""

import fnmatch
import re
from collections.abc import Iterator, Mapping

from imagecycle.verify import sshd_words
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine
from imagecycle.verify.sshd_settings import FILE, Setting, effective, settings

DEFAULTS = {"passwordauthentication": "yes", "kbdinteractiveauthentication": "yes"}
"""Of the server itself, where they matter"""
SAME = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
}
OPEN: Mapping[str, str] = {
    "permitrootlogin": r"yes",
    "passwordauthentication": r"yes",
    "kbdinteractiveauthentication": r"yes",
    "permitemptypasswords": r"yes",
    "hostbasedauthentication": r"yes",
    "ignorerhosts": r"no|shosts-only",
    "permituserenvironment": r"(?!no).+",
    "strictmodes": r"no",
    "gssapiauthentication": r"yes",
    "kerberosauthentication": r"yes",
    "gatewayports": r"yes|clientspecified",
    "permittunnel": r"(?!no).+",
    "authorizedkeyscommand": r"(?!none).+",
    "authorizedprincipalscommand": r"(?!none).+",
    "authorizedprincipalsfile": r"(?!none).+",
    "trustedusercakeys": r"(?!none).+",
    "authorizedkeysfile": r"(?!(((%h/)?\.ssh/authorized_keys2?)\s*)+$).+",
    "acceptenv": r"(.*\s)?(LD_\S*|PATH|PYTHON\S*|PERL\S*|BASH_ENV|\*)(\s.*)?",
    "protocol": r".*1.*",
    "loglevel": r"QUIET|FATAL",
}
"""Settings by which somebody else gets in, or nobody notices"""
CLOSED: Mapping[str, str] = {
    "pubkeyauthentication": r"no",
    "usepam": r"no",
    "port": r"(?!22$).+",
    "listenaddress": r"(?!(0\.0\.0\.0|::|\[::\])(:22)?$).+",
    "addressfamily": r"(?!any).+",
    "allowusers": r".+",
    "denyusers": r".+",
    "allowgroups": r".+",
    "denygroups": r".+",
    "forcecommand": r"(?!none).+",
    "chrootdirectory": r"(?!none).+",
    "authenticationmethods": r"(?!any|publickey$).+",
    "hostkey": r"(?!/etc/ssh/ssh_host_\w+_key$).+",
    "usedns": r"yes",
    "maxsessions": r"0",
    "maxauthtries": r"[12]",
    "maxstartups": r"[1-4](:.*)?",
    "logingracetime": r"([1-9]|1\d)s?",
}
"""Settings by which the user does not get in, or waits"""
WEAK = re.compile(
    r"(?i)(^|[,+])(?:[\w-]*cbc[\w@.-]*|arcfour\d*|3des\S*|blowfish\S*|hmac-md5\S*|hmac-sha1\b[^,]*|none"
    r"|diffie-hellman-group1-sha1|diffie-hellman-group14-sha1|diffie-hellman-group-exchange-sha1"
    r"|ssh-dss|ssh-rsa)(,|$)"
)
USUAL_KEYS = ("ssh-ed25519", "rsa-sha2-512")
OPTIONS = {"/etc/default/ssh": "SSHD_OPTS", "/etc/sysconfig/sshd": "OPTIONS"}
"""Files with arguments of the server, and their variable"""
ALGORITHMS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms")


def test_lets_in_nobody_else(pristine: Pristine, defects: Defects) -> None:
    """Servers are open to guessed passwords, to root, or to keys that the builder chooses."""
    assert defects(_said(pristine, OPEN)) == []


def test_lets_the_user_in(pristine: Pristine, defects: Defects) -> None:
    """The user's key is refused, or the server listens where nobody looks for it."""
    found = [*_said(pristine, CLOSED), *_started_with(pristine), *_refused(pristine)]
    assert defects(found) == []


def _refused(pristine: Pristine) -> Iterator[Finding]:
    """The usual kinds of keys that the server does not take."""
    held = effective(settings(pristine))
    for keyword in ("pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"):
        if one := held.get(keyword):
            names = one.value.lstrip("-+^").split(",")
            for kind in USUAL_KEYS:
                is_named = any(fnmatch.fnmatchcase(kind, name.strip()) for name in names)
                if is_named == one.value.startswith("-") and one.value[:1] not in "+^":
                    yield Finding(keyword, f"refuses keys for {kind} in {one.path}")


def _started_with(pristine: Pristine) -> Iterator[Finding]:
    for path, variable in OPTIONS.items():
        for _, line in pristine.lines(path):
            name, _, value = line.partition("=")
            if name == variable and re.search(r"-[pofh46]", value) and path in pristine.foreign:
                yield Finding(path, f"says {line}")


def _said(pristine: Pristine, table: Mapping[str, str]) -> Iterator[Finding]:
    if not pristine.found(FILE):
        return
    held = {SAME.get(name, name): one for name, one in effective(settings(pristine)).items()}
    for keyword, pattern in table.items():
        one = held.get(keyword)
        value = one.value if one is not None else DEFAULTS.get(keyword, "")
        if value and re.fullmatch(pattern, value, re.IGNORECASE):
            yield Finding(keyword, f"is {value}" + (f" in {one.path}" if one else " by default"))


def test_makes_no_exceptions(pristine: Pristine, defects: Defects) -> None:
    """For some users or addresses other rules hold, which nobody expects."""
    found = [one for one in settings(pristine) if one.match and one.path in pristine.foreign]
    assert (
        defects(
            Finding(one.path, f"says {one.keyword} {one.value} for {one.match}") for one in found
        )
        == []
    )


def test_uses_no_broken_algorithms(pristine: Pristine, defects: Defects) -> None:
    """Whoever listens can read or change what goes over the wire, and audits complain."""
    held = effective(settings(pristine))
    assert (
        defects(
            Finding(name, f"is {held[name].value} in {held[name].path}")
            for name in ALGORITHMS
            if name in held
            and not held[name].value.startswith("-")
            and WEAK.search(held[name].value)
        )
        == []
    )


def test_understands_its_settings(pristine: Pristine, defects: Defects) -> None:
    """The SSH server does not start, for it does not know a word of its settings: nobody gets
    in."""
    found = (
        Finding(one.path, f"says {one.keyword} {one.value}".strip() + f": {what}")
        for one in settings(pristine)
        if one.path in pristine.foreign and (what := _misunderstood(one))
    )
    assert defects(found) == []


def _misunderstood(one: Setting) -> str:
    value = re.sub(r"\s+#.*", "", one.value)
    if one.keyword not in sshd_words.KEYWORDS:
        return "there is no such setting"
    if not value:
        return "there is no value"
    if one.keyword in sshd_words.YES_OR_NO and value.lower() not in ("yes", "no"):
        return "it is neither yes nor no"
    if one.keyword == "permitrootlogin" and value.lower() not in sshd_words.ROOT:
        return "there is no such value"
    if one.keyword == "allowtcpforwarding" and value.lower() not in sshd_words.FORWARDING:
        return "there is no such value"
    known = sshd_words.ALGORITHMS.get(one.keyword)
    if known is not None and not value.startswith("-"):
        for name in value.lstrip("+^").split(","):
            if name.strip() not in known and "*" not in name and not name.startswith("gss-"):
                return f"there is no {name.strip() or 'algorithm without a name'}"
    return ""


def test_transfers_files(pristine: Pristine, defects: Defects) -> None:
    """Copies by scp and sftp fail, and with them what manages servers."""
    assert defects(_without_transfer(pristine)) == []


def _without_transfer(pristine: Pristine) -> Iterator[Finding]:
    if not pristine.found(FILE):
        return
    said = [one for one in settings(pristine) if one.keyword == "subsystem" and not one.match]
    transfers = [one for one in said if one.value.split()[:1] == ["sftp"]]
    if not transfers:
        yield Finding(FILE, "names no program for sftp")
    for one in transfers:
        program = one.value.split()[1] if len(one.value.split()) > 1 else ""
        if program.startswith("/") and pristine.resolved(program) not in pristine.entries:
            yield Finding(one.path, f"names {program} for sftp, which is not there")
