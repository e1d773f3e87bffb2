"""What a package manager is asked for: install into a guest, list, verify, leave nothing behind."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle.model import Repository
from imagecycle.systems.files import SystemFiles


@dataclass(frozen=True, order=True)
class Package:
    """An installed package, in its own package manager's words."""

    name: str
    version: str
    architecture: str


@dataclass(frozen=True)
class Source:
    """Where packages come from."""

    path: str
    """The file that says so"""
    address: str
    unsigned: bool
    """Whether what it gives is installed without a signature"""
    suite: str = ""
    """Of apt: the release that it gives; empty for others"""
    keys: tuple[str, ...] = ()
    """Of apt: the files of the keys by which alone it may be signed; empty for all of them"""


@dataclass(frozen=True)
class Digests:
    """The sums that packages say their files have, by path."""

    algorithm: str
    """In hashlib's words"""
    by_path: Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """What a flavour wants to be installed, for :meth:`PackageManager.outlook`."""

    arch: str
    packages: Sequence[str]
    repositories: Sequence[Repository]
    sources: Sequence[str]
    """The builder's, in the manager's own notation; empty where the image's own are not known"""
    installed: bytes
    """The manager's list of what is installed already; empty before there is a disk"""


@dataclass(frozen=True)
class Outlook:
    """What can be known of an installation before it is begun."""

    unknown: Sequence[str] = ()
    """The packages that no source has"""
    reason: str = ""
    """Why they cannot be installed together; empty where they can, or where it is not known"""
    needed: int = 0
    """Bytes that they need on the disk, with all that they depend on; 0 where it is not known"""


class PackageManager(abc.ABC):
    """The package manager of a system; what runs in a guest is given as shell commands for root."""

    settings: tuple[str, ...]
    """Wildcards of the files that tell it how to work"""
    unsafe: re.Pattern[str]
    """What a setting says that lets in what nobody has signed"""
    wayward: re.Pattern[str]
    """What a setting says by which it installs otherwise than the system does"""
    kernel: re.Pattern[str] | None = None
    """The name of a package with one kernel; None where every update replaces it"""
    newest_kernel: re.Pattern[str] = re.compile("")
    """The name of a package that asks for the newest one"""
    security_suites: tuple[str, ...] = ()
    """What the suite of security updates may be called, with the system's ``{codename}``; empty
    where they have no suite of their own"""
    sources_by_contextualisation = False
    """Whether contextualisation writes the vendor's sources unless it is told to keep those of the
    image; see cloud-init's module "Apt Configure\""""
    keys: tuple[str, ...]
    """Wildcards of the keys by which it knows who has signed"""
    audit: str
    """A command that prints nothing while every package is installed whole"""
    trial: str = ""
    """Commands that print nothing where sources are known, and a package can be installed and
    removed; they fetch nothing. Empty where nothing is tried"""
    caches: tuple[str, ...]
    """Folders that hold nothing which a finished image needs"""
    made_again: tuple[str, ...] = ()
    """Folders of its own that it makes where they are missing"""
    cached_files: tuple[str, ...]
    """Wildcards of the files that cleaning takes from there"""
    status: str = ""
    """The file that :attr:`Wanted.installed` is; empty where there is none"""

    @abc.abstractmethod
    def installed(self, files: SystemFiles) -> list[Package]:
        """What is installed on a disk, by name; empty where its database is missing."""

    @abc.abstractmethod
    def owned(self, files: SystemFiles) -> set[str]:
        """The paths on a disk that belong to a package, folders included, and those that the
        manager itself keeps or makes for packages."""

    def brought(self, files: SystemFiles) -> set[str]:
        """The files, folders and links that packages bring, but for settings; empty where the
        database does not tell them from what a package only knows of."""
        return set()

    def unfinished(self, files: SystemFiles) -> dict[str, str]:
        """The packages that are not installed whole, and how far they came; what cannot be told
        from the files, :attr:`audit` tells."""
        return {}

    def unmet(self, files: SystemFiles) -> list[tuple[str, str]]:
        """The packages that lack another one without which they do not work, and its name; empty
        where the files do not tell."""
        return []

    def bent(self, files: SystemFiles) -> list[tuple[str, str]]:
        """Where somebody has told the manager to treat packages otherwise than they want it: the
        file that says so, and what."""
        return []

    @abc.abstractmethod
    def digests(self, files: SystemFiles) -> Digests:
        """What the files of packages are like as they were packed, settings included."""

    @abc.abstractmethod
    def sources(self, files: SystemFiles) -> list[Source]:
        """Where a system on a disk would fetch packages from."""

    def unreadable(self, files: SystemFiles) -> list[tuple[str, str]]:
        """Where its settings or sources cannot be read, so that it does nothing at all: the file,
        and why."""
        return []

    @abc.abstractmethod
    def held(self, files: SystemFiles) -> list[str]:
        """The names of the packages that stay as they are when the system is updated."""

    def pinned(self, files: SystemFiles) -> list[tuple[str, str]]:
        """Where somebody has chosen versions of packages by rules: the file that says so, and the
        words that name the packages."""
        return []

    @abc.abstractmethod
    def unfit(self, suite: str, components: Sequence[str]) -> str:
        """What a package source of the catalog has too much or too little, beginning with the
        key's name; nothing where it fits."""

    @abc.abstractmethod
    def key_file(self, repository: Repository) -> str:
        """Where the key of a flavour's package source lies in the image."""

    @abc.abstractmethod
    def source_files(self, repository: Repository) -> Mapping[str, bytes]:
        """The files that make a system use a flavour's package source, and believe its key."""

    @abc.abstractmethod
    def trust(self, repository: Repository) -> str:
        """What else makes it believe the key, once these files are there; empty for nothing."""

    @abc.abstractmethod
    def distrust(self, repository: Repository) -> str:
        """The opposite, for a source that servers do not go on using."""

    @abc.abstractmethod
    def outlook(self, wanted: Wanted, scratch: Path) -> Outlook:
        """What will become of an installation, found out on this machine.

        :param scratch: a folder that this may fill, and that keeps what was fetched.
        :raises ImagecycleError: when a package source cannot be used, or its signature is not
            that of its key.
        """

    @abc.abstractmethod
    def prepare(self, sources: Sequence[str]) -> str:
        """Let the guest install from the builder's sources, in the manager's own notation."""

    @abc.abstractmethod
    def install(self, packages: Sequence[str]) -> str:
        """Install packages without a question."""

    @abc.abstractmethod
    def finish(self) -> str:
        """Forget the builder's sources, and what was fetched from them."""
