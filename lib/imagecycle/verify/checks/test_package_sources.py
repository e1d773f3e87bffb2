"""Packages come from where the vendor or the catalog says, signed."""

import re
from collections.abc import Iterator

from imagecycle.systems.files import FILE
from imagecycle.systems.package_manager import Source
from imagecycle.systems.unowned import matches
from imagecycle.verify import cloud_settings
from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

_HOST = re.compile(r"(?:https?|ftp)://(?:[^/@\s]*@)?\[?([\w.:-]+?)\]?(?::\d+)?(?:/|$)")
_ADDRESS = re.compile(r"\b(?:https?|ftp)://[^\s\"',\]}]+")
_KEPT = "preserve_sources_list"
TRUSTED = ("/etc/apt/trusted.gpg.d/*.{gpg,asc}", "/etc/apt/trusted.gpg")
"""Where apt keeps the keys by which any source may be signed"""
OTHERS_READ = 0o004
SUBSCRIBED = ("/usr/sbin/subscription-manager", "/usr/bin/{SUSEConnect,suseconnect}")
"""Programs that give a system its sources when its user registers it"""
LANGUAGES = {
    "/etc/pip.conf": r"(?i)index-url|find-links",
    "/etc/{npmrc,gemrc}": r"(?i)registry|:sources:|http",
    "{home}/.{pip/pip.conf,config/pip/pip.conf}": r"(?i)index-url|find-links",
    "{home}/.{npmrc,yarnrc,yarnrc.yml,gemrc,condarc}": r"(?i)registry|http",
    "{home}/.{cargo/config**,m2/settings.xml,config/go/env,bundle/config}": r"(?i)http|GOPROXY",
    "/etc/docker/daemon.json": r"(?i)mirrors|insecure-registries",
    "/etc/containers/registries.conf**": r"(?i)insecure\s*=\s*true|mirror",
}
"""Where programs of languages are told where to fetch from, and what says so"""


def test_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """Users get packages from the builder's mirror: it is out of reach, outdated or not theirs."""
    assert (
        defects(
            Finding(source.path, f"fetches from {source.address}")
            for source in pristine.system.packages.sources(pristine.files)
            if not _is_vendors(source.address, pristine)
        )
        == []
    )


def _is_vendors(address: str, pristine: Pristine) -> bool:
    found = _HOST.match(address)
    hosts = pristine.system.vendor_hosts
    return found is not None and any(matches(host, found[1].lower()) for host in hosts)


def test_are_there(pristine: Pristine, defects: Defects) -> None:
    """Nothing can be installed or updated: servers know no place to fetch packages from."""
    known = pristine.system.packages.sources(pristine.files)
    made = _by_contextualisation(pristine) or bool(pristine.found(*SUBSCRIBED))
    assert defects([Finding("package sources", "are missing")] * (not (known or made))) == []


def _by_contextualisation(pristine: Pristine) -> bool:
    """Whether the first boot writes them. cloud-init has two names for what says so, of which the
    last file counts; where they contradict each other, it gives up."""
    kept: dict[str, bool] = {}
    for _, said in cloud_settings.all_of(pristine):
        apt = said.get("apt")
        if isinstance(apt, dict) and _KEPT in apt:
            kept[_KEPT] = bool(apt[_KEPT])
        if (old := said.get(f"apt_{_KEPT}")) is not None:
            kept[f"apt_{_KEPT}"] = bool(old)
    return pristine.system.packages.sources_by_contextualisation and not any(kept.values())


def test_are_of_this_release(pristine: Pristine, defects: Defects) -> None:
    """Servers get packages of another release: the next update breaks them, or is none."""
    assert defects(_of_another(pristine)) == []


def _of_another(pristine: Pristine) -> Iterator[Finding]:
    codename = _codename(pristine)
    for source in _of_suites(pristine):
        if codename and not re.fullmatch(rf"{codename}([-/].*)?", source.suite):
            yield Finding(source.path, f"fetches {source.suite}, and this is {codename}")


def test_have_security_updates(pristine: Pristine, defects: Defects) -> None:
    """Servers never get a security update, whatever their user does."""
    assert defects(_without_security(pristine)) == []


def _without_security(pristine: Pristine) -> Iterator[Finding]:
    codename, suites = _codename(pristine), {one.suite: one.path for one in _of_suites(pristine)}
    wanted = {one.format(codename=codename) for one in pristine.system.packages.security_suites}
    rolls = "sid" in pristine.text("/etc/debian_version")
    if codename in suites and wanted and not wanted & suites.keys() and not rolls:
        yield Finding(suites[codename], f"leaves out {codename}-security")


def _of_suites(pristine: Pristine) -> list[Source]:
    """The vendor's sources that name a release."""
    known = pristine.system.packages.sources(pristine.files)
    return [one for one in known if one.suite and _is_vendors(one.address, pristine)]


def _codename(pristine: Pristine) -> str:
    said = re.search(r"(?m)^VERSION_CODENAME=\"?(\w+)", pristine.text("/etc/os-release"))
    return said[1] if said else ""


def test_of_contextualisation_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """The first boot points every server to the builder's mirror."""
    assert defects(_told_at_first_boot(pristine)) == []


def _told_at_first_boot(pristine: Pristine) -> Iterator[Finding]:
    for path, line in pristine.lines("/etc/cloud/**"):
        if path in pristine.foreign:
            for address in _ADDRESS.findall(line):
                if not _is_vendors(address, pristine):
                    yield Finding(path, f"names {address}")


def test_are_signed(pristine: Pristine, defects: Defects) -> None:
    """Whoever stands between a server and its mirror installs what they like on it."""
    manager = pristine.system.packages
    found = [
        Finding(source.path, f"trusts {source.address} without a signature")
        for source in manager.sources(pristine.files)
        if source.unsigned
    ]
    for path in pristine.found(*manager.settings):
        if path in pristine.foreign and (said := manager.unsafe.search(pristine.text(path))):
            found.append(Finding(path, f"says {said[0].strip()}"))
    assert defects(found) == []


def test_keys_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """Whoever has the key's other half signs packages that every server installs."""
    keys = pristine.filled(*pristine.system.packages.keys)
    assert (
        defects(Finding(path, "comes from no package") for path in keys if path in pristine.foreign)
        == []
    )


def test_packages_are_not_held_back(pristine: Pristine, defects: Defects) -> None:
    """Updates leave a package out, security updates too, and say nothing."""
    held = pristine.system.packages.held(pristine.files)
    found = [Finding(name, "is held back") for name in held]
    for path, words in pristine.system.packages.pinned(pristine.files):
        if path in pristine.foreign and not pristine.explained(path):
            found.append(Finding(path, f"says {words}"))
    assert defects(found) == []


def test_of_languages_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """pip, npm and the like fetch from the builder's index, which users cannot reach."""
    assert defects(_of_languages(pristine)) == []


def _of_languages(pristine: Pristine) -> Iterator[Finding]:
    for home in homes(pristine):
        for pattern, said in LANGUAGES.items():
            for path in pristine.filled(pattern.replace("{home}", home)):
                if path in pristine.foreign and re.search(said, pristine.text(path)):
                    yield Finding(path, "names another place to fetch from")


def test_can_be_read(pristine: Pristine, defects: Defects) -> None:
    """Nothing can be installed or updated: the package manager stops at a broken line."""
    broken = pristine.system.packages.unreadable(pristine.files)
    assert defects(Finding(path, what) for path, what in broken) == []


def test_have_their_keys(pristine: Pristine, defects: Defects) -> None:
    """Every update ends with an error: the key that has signed the source is not there, or only
    root may read it."""
    assert defects(_without_key(pristine)) == []


def _without_key(pristine: Pristine) -> Iterator[Finding]:
    manager = pristine.system.packages
    known = manager.sources(pristine.files)
    for source in known:
        for key in source.keys:
            if pristine.resolved(key) not in pristine.entries:
                yield Finding(source.path, f"wants {key}, which is not there")
    if any(not source.keys and source.suite for source in known) and not pristine.filled(*TRUSTED):
        yield Finding(TRUSTED[0].rpartition("/")[0], "holds no key")
    for path in pristine.found(*TRUSTED, *manager.keys):
        entry = pristine.entries[path]
        if entry.kind == FILE and entry.size and not entry.mode & OTHERS_READ:
            yield Finding(path, f"has mode {entry.mode:04o}: apt's own account cannot read it")
