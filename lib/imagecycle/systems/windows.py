"""Windows: servers from 2012 R2 to 2025, and the clients 10 and 11."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from imagecycle.errors import UsageError, suggestion
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems import windows_keys, windows_media, windows_releases, windows_settings
from imagecycle.systems.system import InstallerConsole, System
from imagecycle.systems.windows_answers import PHASES, WindowsAnswers
from imagecycle.systems.windows_media import Edition
from imagecycle.systems.windows_releases import WindowsRelease
from imagecycle.windows_facts import WindowsFacts

LEAST_WITH_DESKTOP_MIB = 2048


class Windows(System):
    """Windows, installed by Setup from the operator's own medium."""

    name = "Windows"
    distros = ("windows",)
    os_type = "windows"
    unattended = ("unattend",)
    console = InstallerConsole(
        phases=len(PHASES),
        phase=re.compile(rb"^installer: (\d+)/\d+ ([^\r\n]+)\r*\n", re.MULTILINE),
        failure=re.compile(rb"^installer: FAILED: ([^\r\n]+)\r*\n", re.MULTILINE),
    )

    def teach_oz(self) -> None:
        """Oz 0.17 ends at Server 2016 and Windows 10, and makes no medium on Python 3."""
        from imagecycle.systems import windows_oz

        windows_oz.register()

    def answers(self, family: Family, site: Site) -> Mapping[str, str]:
        facts = _facts(family)
        answers = {"root_password": password()}
        if facts.key in windows_keys.SECRET:
            answers["product_key"] = windows_keys.secret(key_name(family)).text
        return answers

    def problems(self, family: Family) -> tuple[str, ...]:
        if family.windows is None:
            return ("windows is missing: expected a section with edition",)
        if unknown := windows_releases.unknown(family.version):
            return (unknown,)
        release = windows_releases.release(family.version)
        return (
            *_wrong_image(family.windows, release),
            *_wrong_machine(family, release),
            *_wrong_properties(family, release),
            *_wrong_changes(family),
        )

    def wrong_answers(self, family: Family, text: str) -> tuple[str, ...]:
        release = windows_releases.release(family.version)
        return tuple(windows_settings.problems(text, release, _facts(family).installation_type))


def image(family: Family, medium: Path) -> Edition:
    """The image on a medium that a family is installed from.

    :raises UsageError: when the medium does not offer it; the message lists what it offers.
    """
    facts, release = _facts(family), windows_releases.release(family.version)
    found = windows_media.chosen(
        medium,
        windows_media.offered(medium),
        edition=facts.edition,
        language=facts.language,
        arch=family.arch,
        installation=facts.installation_type,
    )
    if not release.has_build(found.build):
        raise UsageError(
            f"{medium} is no medium of {release.title}: its image is of build {found.build}",
            hint=f"name a medium of {release.title} in {family.source.name}, with its checksum",
        )
    if reason := windows_keys.unfit(found.edition_id, facts.key):
        raise UsageError(f"{medium}: {reason}", hint="look at windows.key in the catalog")
    return found


def account(family: Family) -> str:
    """Who the build logs in as."""
    return WindowsAnswers(family).account


def key_name(family: Family) -> str:
    """What a family's product key is called in the site's file."""
    facts = _facts(family)
    return f"{family.distro}-{family.version}-{facts.edition}-{facts.key}"


def password() -> str:
    """A random password that satisfies the policy of every release."""
    return f"Aa1-{secrets.token_urlsafe(18)}"


def _facts(family: Family) -> WindowsFacts:
    assert family.windows is not None  # the catalog has seen to that
    return family.windows


def _wrong_image(facts: WindowsFacts, release: WindowsRelease) -> Iterator[str]:
    if facts.edition not in release.editions and " " not in facts.edition:
        yield (
            f"edition: {release.title} has no edition {facts.edition}"
            f"{suggestion(facts.edition, release.editions)}"
        )
    if facts.installation_type not in release.installation_types:
        known = " or ".join(release.installation_types)
        yield f"installation: expected {known}, found {facts.installation_type}"
    if reason := windows_keys.unfit(facts.edition, facts.key):
        yield f"key: {reason}"
    if facts.key == "kms" and not windows_keys.is_key(facts.kms_client_key):
        yield f"kms_client_keys: there is none for {facts.edition}"


def _wrong_machine(family: Family, release: WindowsRelease) -> Iterator[str]:
    facts = _facts(family)
    if len(family.firmware) != 1:
        yield "firmware: Windows is installed for one firmware; expected one of bios and uefi"
    for firmware in family.firmware:
        if firmware not in release.firmware:
            yield f"firmware: {release.title} does not boot from {firmware}"
    if facts.bypass_requirements and not release.demands_security:
        yield f"bypass_requirements: {release.title} demands nothing that could be bypassed"
    least = release.least_memory_mib
    if facts.installation_type == windows_releases.SERVER:
        least = max(least, LEAST_WITH_DESKTOP_MIB)
    for name, memory in (("minimum", family.min_ram_mib), ("install", family.install_memory_mib)):
        if memory < least and not facts.bypass_requirements:
            yield f"memory.{name}: {release.title} needs {least} MiB at least"
    if family.disk_gib < release.least_disk_gib:
        yield f"disk: {release.title} needs {release.least_disk_gib} GiB at least"


def _wrong_properties(family: Family, release: WindowsRelease) -> Iterator[str]:
    """Hardware that Nova would give its instances, and that they cannot do with."""
    said = family.properties
    secure_boot = said.get("os_secure_boot", "disabled")
    q35 = "q35" in said.get("hw_machine_type", "pc")
    if release.demands_security and not _facts(family).bypass_requirements:
        if secure_boot != "required":
            yield f"properties.os_secure_boot: {release.title} needs required"
        if said.get("hw_tpm_version") != "2.0":
            yield f'properties.hw_tpm_version: {release.title} needs "2.0"'
    if secure_boot == "required" and not release.signed_drivers_only:
        yield f"properties.os_secure_boot: the virtio drivers for {release.title} are not signed"
    if secure_boot == "required" and (family.firmware != ("uefi",) or not q35):
        yield "properties.os_secure_boot: it needs firmware uefi and hw_machine_type q35"
    if "hw_tpm_model" in said and "hw_tpm_version" not in said:
        yield "properties.hw_tpm_model: hw_tpm_version is missing"
    if said.get("hw_tpm_model") == "tpm-crb" and said.get("hw_tpm_version") != "2.0":
        yield 'properties.hw_tpm_model: tpm-crb is of hw_tpm_version "2.0"'


_KINDS = {
    "updates": (".msu", ".cab"),
    "software": (".msi", ".exe"),
    "policies": (".inf", ".zip"),
}
"""How the files end that a list of the catalog may name."""


def _wrong_changes(family: Family) -> Iterator[str]:
    if family.packages:
        yield "packages: Windows has none; see windows.changes for features and software"
    if family.services:
        yield "services: expected none; a command can set how a service of Windows starts"
    if family.smaller_disk_gib:
        yield "disk: flavours of Windows have the disk of their system"
    for file in family.files:
        if (file.owner, file.group) != ("root", "root"):
            yield f"files: {file.path} has an owner or a group; Windows knows neither"
        if not file.path[1:].startswith(":\\"):
            yield f"files: {file.path} is no path of Windows, such as C:\\Data\\motd.txt"
    changes = _facts(family).changes
    for key, endings in _KINDS.items():
        for one in getattr(changes, key):
            if not one.url.lower().endswith(endings):
                yield f"changes.{key}: {one.name} must end with {' or '.join(endings)}"
