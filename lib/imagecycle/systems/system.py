"""A kind of operating system: all that differs between one kind and another stands in its class.

No other room asks for a distribution's name. A new kind is one module beside this one, registered
in ``systems/__init__.py``; a new version of a known kind is usually only a file in ``images/``.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems.package_manager import PackageManager
from imagecycle.systems.unowned import Unowned


@dataclass(frozen=True)
class InstallerConsole:
    """What an installer says on its serial console.

    ``phase`` has the groups number and name, the number perhaps empty; ``failure`` one, the reason.
    """

    phases: int
    phase: re.Pattern[bytes]
    failure: re.Pattern[bytes]


@dataclass(frozen=True)
class NetworkBoot:
    """The kernel and the initial RAM disk below the address of a vendor's install tree."""

    kernel: str
    initrd: str


@dataclass(frozen=True)
class GuestSetup:
    """What a guest needs to be reached while it is customised, by path: files for an address by
    DHCP, and none for contextualisation; they are removed afterwards."""

    files: Mapping[str, bytes]


class System(abc.ABC):
    """One kind of operating system."""

    name: ClassVar[str]
    """For people: ``Debian``"""
    distros: ClassVar[tuple[str, ...]]
    """The values of Glance's os_distro that are of this kind"""
    os_type: ClassVar[str] = "linux"
    unattended: ClassVar[tuple[str, ...]]
    """The kinds of unattended file that its installers read, as in NAME.KIND.j2"""
    tree_architectures: ClassVar[Mapping[str, str]] = {}
    """What an embedded install tree can be made for: the system's own word for each architecture"""
    console: ClassVar[InstallerConsole]
    kernel_arguments: ClassVar[str] = ""
    """For an installer that Oz boots directly"""
    packages: ClassVar[PackageManager]
    removed: ClassVar[Mapping[str, tuple[str, ...]]]
    """What cleaning removes, by the name under which the build record counts it"""
    unowned: ClassVar[tuple[Unowned, ...]]
    """The files that no package owns, and why they are there all the same"""
    access: ClassVar[GuestSetup]
    initial_ram_disk: ClassVar[str]
    """Where it lies; ``{release}`` is the kernel's"""

    @abc.abstractmethod
    def teach_oz(self) -> None:
        """Register what Oz has to know besides its own systems; may be called again."""

    def network_boot(self, arch: str) -> NetworkBoot | None:
        """What boots from the vendor's install tree; None where Oz cannot use such a tree."""
        return None

    def answers(self, family: Family, site: Site) -> Mapping[str, str]:
        """What only this machine can tell the unattended-install file: the package mirror.

        :raises ImagecycleError: when it is needed and not known.
        """
        return {}

    def build_sources(self, family: Family, site: Site) -> tuple[str, ...]:
        """The package sources that customising uses, in the package manager's notation.

        :raises ImagecycleError: when they are needed and not known.
        """
        return ()
