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


@dataclass(frozen=True)
class InstallerConsole:
    """What an installer says on its serial console.

    ``phase`` has the groups number and name, the number perhaps empty; ``failure`` one, the reason.
    ``question`` has one, too: what is asked, and by nobody answered.
    """

    phases: int
    phase: re.Pattern[bytes]
    failure: re.Pattern[bytes]
    question: re.Pattern[bytes] | None = None


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
    """For an installer that Oz boots directly; ``{serial}`` is the first serial port"""

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

    def problems(self, family: Family) -> tuple[str, ...]:
        """What is wrong with a family in ways that only its kind of system knows of."""
        return () if family.windows is None else (f"windows: {self.name} has no such section",)

    def wrong_answers(self, family: Family, text: str) -> tuple[str, ...]:
        """What is wrong with a family's unattended-install file."""
        return ()
