"""The releases of Windows that are known, and what sets each apart.

Builds, driver folders and demands are facts of Microsoft's documentation ("Windows 11
requirements", "Hardware requirements for Windows Server") and of the virtio-win project's ISO.
"""

from __future__ import annotations

from dataclasses import dataclass

from imagecycle.errors import suggestion

SERVER_CORE = "Server Core"
SERVER = "Server"
CLIENT = "Client"
"""INSTALLATIONTYPE of an image, which tells apart what may share an edition."""


@dataclass(frozen=True)
class WindowsRelease:
    """One release."""

    version: str
    """Glance's os_version, and the version in the catalog"""
    title: str
    first_build: int
    last_build: int
    """Builds of its images; 0 where newer ones are to be expected"""
    driver_folders: tuple[str, ...]
    """Where the ISO with the virtio drivers has those for it; the first that is there is taken"""
    editions: tuple[str, ...]
    """EDITIONID of images that can be had by licence; evaluation editions end with Eval"""
    client: bool = False
    firmware: tuple[str, ...] = ("bios", "uefi")
    demands_security: bool = False
    """Setup refuses machines without Secure Boot and TPM 2.0"""
    least_memory_mib: int = 512
    least_disk_gib: int = 32
    shipped_with_reserves: bool = False
    """Keeps storage back for updates, which stops sysprep"""
    new_setup: bool = False
    """Its Setup does not take a storage driver that only the answer file names"""
    signed_drivers_only: bool = True
    """Under Secure Boot; for older ones virtio drivers are signed for tests alone"""

    @property
    def installation_types(self) -> tuple[str, ...]:
        """What its media hold."""
        return (CLIENT,) if self.client else (SERVER_CORE, SERVER)

    @property
    def modern(self) -> bool:
        """Windows 10, Server 2016 or later."""
        return self.first_build >= 10240

    def has_build(self, build: int) -> bool:
        """Whether an image of that build is of this release."""
        return self.first_build <= build and (not self.last_build or build <= self.last_build)


_SERVERS = ("ServerStandard", "ServerDatacenter", "ServerStandardEval", "ServerDatacenterEval")
_CLIENTS = (
    "Professional",
    "ProfessionalN",
    "ProfessionalWorkstation",
    "ProfessionalEducation",
    "Enterprise",
    "EnterpriseN",
    "EnterpriseEval",
    "EnterpriseS",
    "Education",
    "Core",
    "CoreSingleLanguage",
    "IoTEnterprise",
    "IoTEnterpriseS",
)

RELEASES = (
    WindowsRelease(
        "2012r2",
        "Windows Server 2012 R2",
        9600,
        9600,
        ("2k12R2", "w8.1"),
        _SERVERS,
        signed_drivers_only=False,
    ),
    WindowsRelease("2016", "Windows Server 2016", 14393, 14393, ("2k16",), _SERVERS),
    WindowsRelease("2019", "Windows Server 2019", 17763, 17763, ("2k19",), _SERVERS),
    WindowsRelease("2022", "Windows Server 2022", 20348, 20348, ("2k22",), _SERVERS),
    WindowsRelease(
        "2025",
        "Windows Server 2025",
        26100,
        26100,
        ("2k25",),
        _SERVERS,
        shipped_with_reserves=True,
        new_setup=True,
    ),
    WindowsRelease(
        "10",
        "Windows 10",
        10240,
        19999,
        ("w10",),
        _CLIENTS,
        client=True,
        least_memory_mib=2048,
        shipped_with_reserves=True,
    ),
    WindowsRelease(
        "11",
        "Windows 11",
        22000,
        0,
        ("w11", "w10"),
        _CLIENTS,
        client=True,
        firmware=("uefi",),
        demands_security=True,
        least_memory_mib=4096,
        least_disk_gib=64,
        shipped_with_reserves=True,
        new_setup=True,
    ),
)

_BY_VERSION = {release.version: release for release in RELEASES}


def release(version: str) -> WindowsRelease:
    """:raises KeyError: when it is not known; see :func:`unknown`."""
    return _BY_VERSION[version]


def unknown(version: str) -> str:
    """What to say of a version that is not known; empty when it is."""
    if version in _BY_VERSION:
        return ""
    known = ", ".join(_BY_VERSION)
    return f"unknown Windows {version}; imagecycle knows {known}{suggestion(version, _BY_VERSION)}"
