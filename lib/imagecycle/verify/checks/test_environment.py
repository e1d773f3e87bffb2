"""The environment in which programs run is the system's."""

import re
from collections.abc import Iterator

from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

FILES = (
    "/etc/{environment,profile,bash.bashrc,bashrc,login.defs,locale.conf}",
    "/etc/{profile.d,environment.d,default,security,systemd/system.conf.d}/**",
    "/root/.{profile,bashrc,bash_profile,bash_login}",
)
_SETS = re.compile(
    r"^(?:export\s+|DefaultEnvironment=[\"']?)?(?P<name>[A-Z_]+)\s*[= ]\s*[\"']?(?P<value>[^\"']*)"
)
LIBRARIES = (
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "PYTHONPATH",
    "PERL5LIB",
    "BASH_ENV",
    "ENV",
)
NEEDED_PATHS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
GLOBAL = ("/etc/environment",)
HINDRANCES = (
    "DEBIAN_FRONTEND",
    "TMOUT",
    "HISTFILE",
    "HISTSIZE",
    "LC_ALL",
    "LANGUAGE",
    "TZ",
    "TERM",
)
OWN_PROGRAMS = ("/usr/local/{bin,sbin}/*",)
OWN_LIBRARIES = ("/usr/local/lib{,64}/{,*-linux-gnu*/}*.so*",)
OWN_MODULES = ("/usr/local/lib/python3*/{dist,site}-packages/**",)
LIBRARY_FILES = ("/usr/lib{,64}/{,*-linux-gnu*/}*.so.*",)
LOGIN = ("/etc/{profile,bash.bashrc,bashrc}", "/etc/profile.d/*.sh")
OF_LOGIN = (".{bashrc,profile,bash_profile,bash_login}",)
_LEAVES = re.compile(r"(set\s+-[a-z]*e[a-z]*\b|exit\b|exec\s+(?!\d*[<>])|read\s|logout\b|sleep\s)")
_PRINTS = re.compile(
    r"(echo|printf|cat|figlet|neofetch|fastfetch|screenfetch|fortune|w|who|date)\b"
)
_OPENS = re.compile(r"(?:^|[;&|]\s*)(?:if|case|for|while|until)\b|\{\s*$|\(\)\s*\{")
_CLOSES = re.compile(r"(?:^|;\s*)(?:fi|esac|done|\})(?:\s|;|$)")
DEBCONF = "/var/cache/debconf/config.dat"
LOCALES = ("/etc/default/locale", "/etc/locale.conf", "/etc/environment")
BUILT_IN = re.compile(r"(?i)(C|POSIX)(\.UTF-?8)?")


def test_loads_nothing_of_the_builders(pristine: Pristine, defects: Defects) -> None:
    """Every program loads a library of the builder, or runs one that lies in its way."""
    assert defects(_loaded(pristine)) == []


def _loaded(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(*FILES):
        match = _SETS.match(line)
        if match is None or path not in pristine.foreign:
            continue
        if match["name"] in LIBRARIES:
            yield Finding(path, f"says {line}")
        if match["name"] == "PATH":
            parts = match["value"].strip().split(":")
            if any(
                not part.startswith(("/", "$", "~")) or part.startswith("/tmp") for part in parts
            ):
                yield Finding(path, f"says {line}")
    for path in pristine.filled("/etc/ld.so.preload"):
        yield Finding(path, "loads a library into every program")


def test_lets_programs_work(pristine: Pristine, defects: Defects) -> None:
    """Programs are not found, ask nothing, log users out, or write another language than theirs."""
    assert defects(_hindered(pristine)) == []


def _hindered(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines(*FILES):
        match = _SETS.match(line)
        if match is None or path not in pristine.foreign:
            continue
        value = match["value"].strip()
        lacks = [one for one in NEEDED_PATHS if one not in value.split(":")]
        if match["name"] == "PATH" and lacks and "$PATH" not in value and path in GLOBAL:
            yield Finding(path, f"says {line}, without {', '.join(lacks)}")
        if match["name"] in HINDRANCES:
            yield Finding(path, f"says {line}")
    frontend = re.search(
        r"(?m)^Name: debconf/frontend\n(?:[A-Z].*\n)*?Value: Noninteractive",
        pristine.text(DEBCONF),
    )
    if frontend:
        yield Finding(DEBCONF, "answers every question of packages for the user")


def test_makes_files_for_their_owner(pristine: Pristine, defects: Defects) -> None:
    """Whatever users and services write, all others can change."""
    umask = re.compile(r"^(umask|UMASK)\s*[= ]?\s*0*([0-7]{1,3})\b")
    lines = ((path, line, umask.match(line)) for path, line in pristine.lines(*FILES))
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line, match in lines
            if match and not int(match[2], 8) & 0o002
        )
        == []
    )


def test_has_the_locale_that_it_names(pristine: Pristine, defects: Defects) -> None:
    """Every login and every program written in Perl complains that the locale is missing."""
    assert defects(_without_locale(pristine)) == []


def _without_locale(pristine: Pristine) -> Iterator[Finding]:
    archive = pristine.read("/usr/lib/locale/locale-archive")
    for path, line in pristine.lines(*LOCALES):
        match = re.match(r"(?:export )?(?:LANG|LC_\w+)=[\"']?([^\"'\s]+)", line)
        if match and not BUILT_IN.fullmatch(match[1]):
            plain = re.sub(r"(?i)\.utf-?8", ".utf8", match[1])
            folders = (f"/usr/lib/locale/{name}/LC_CTYPE" for name in (plain, match[1]))
            made = plain.encode() + b"\0" in archive
            if not made and not any(pristine.resolved(one) in pristine.entries for one in folders):
                yield Finding(path, f"says {line}, and there is no such locale")


def test_nothing_stands_before_the_systems_programs(pristine: Pristine, defects: Defects) -> None:
    """Users and services run a program or library of the builder that no update reaches: it is
    found before the system's own."""
    assert defects(_before(pristine)) == []


def _before(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*OWN_PROGRAMS):
        name = path.rpartition("/")[2]
        places = (f"/usr/bin/{name}", f"/usr/sbin/{name}")
        hidden = next((one for one in places if one in pristine.owned), "")
        if hidden and path not in pristine.owned:
            yield Finding(path, f"is run in place of {hidden}")
    libraries = {_bare(path): path for path in pristine.found(*LIBRARY_FILES)}
    for path in pristine.found(*OWN_LIBRARIES):
        hidden = libraries.get(_bare(path), "")
        if hidden and path not in pristine.owned:
            yield Finding(path, f"is loaded in place of {hidden}")
    modules = {}
    for path in pristine.found(*OWN_MODULES):
        folder, _, rest = path.partition("-packages/")
        modules[f"{folder}-packages/{rest.partition('/')[0]}"] = rest.partition("/")[0]
    for path, name in modules.items():
        hidden = f"/usr/lib/python3/dist-packages/{name}"
        if hidden in pristine.owned and path not in pristine.owned:
            yield Finding(path, f"is imported in place of {hidden}")


def _bare(path: str) -> str:
    """A library's name without its version."""
    return path.rpartition("/")[2].partition(".so")[0]


def test_lets_users_and_programs_log_in(pristine: Pristine, defects: Defects) -> None:
    """Logins end at once, wait for an answer, or copies by scp and Ansible fail: a script of the
    shell prints, asks or leaves."""
    assert defects(_interrupted(pristine)) == []


def _interrupted(pristine: Pristine) -> Iterator[Finding]:
    homes_ = homes(pristine)
    for path in pristine.found(*LOGIN, *(f"{home}/{name}" for home in homes_ for name in OF_LOGIN)):
        if path not in pristine.foreign:
            continue
        depth, guarded = 0, not path.endswith("bashrc")
        for _, line in pristine.lines(path):
            depth += len(_OPENS.findall(line)) - len(_CLOSES.findall(line))
            guarded = guarded or bool(re.search(r"\breturn\b|\$-|PS1", line))
            if depth <= 0 and _LEAVES.match(line):
                yield Finding(path, f"says {line}: logins end or wait")
            if not guarded and _PRINTS.match(line):
                yield Finding(path, f"says {line}: programs that log in read it")
