"""Packages come from where the vendor or the catalog says, signed."""

import re
from collections.abc import Iterator

from imagecycle.systems.unowned import matches
from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

_HOST = re.compile(r"(?:https?|ftp)://(?:[^/@\s]*@)?\[?([\w.:-]+?)\]?(?::\d+)?(?:/|$)")
_ADDRESS = re.compile(r"\b(?:https?|ftp)://[^\s\"',\]}]+")
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
    assert defects(Finding(name, "is held back") for name in held) == []


def test_of_languages_are_the_vendors(pristine: Pristine, defects: Defects) -> None:
    """pip, npm and the like fetch from the builder's index, which users cannot reach."""
    assert defects(_of_languages(pristine)) == []


def _of_languages(pristine: Pristine) -> Iterator[Finding]:
    for home in homes(pristine):
        for pattern, said in LANGUAGES.items():
            for path in pristine.filled(pattern.replace("{home}", home)):
                if path in pristine.foreign and re.search(said, pristine.text(path)):
                    yield Finding(path, "names another place to fetch from")
