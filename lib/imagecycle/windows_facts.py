"""What a family of Windows has besides what any family has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Software:
    """Something to install from a file that is fetched with its checksum."""

    name: str
    url: str
    sha256: str
    arguments: str = ""
    """For its installer; an MSI is installed quietly without any"""
    exit_codes: tuple[int, ...] = (0, 3010)
    """With which its installer has done its work; 3010 and 1641 ask for a restart"""
    limit: float = 3600
    """Seconds that it may take"""


@dataclass(frozen=True)
class RegistryValue:
    """One value of the registry."""

    key: str
    """``HKLM\\SOFTWARE\\...``"""
    name: str
    kind: str
    """``String``, ``ExpandString``, ``MultiString``, ``DWord`` or ``QWord``"""
    value: str
    """Parts of a ``MultiString`` are its lines"""


@dataclass(frozen=True)
class Task:
    """A script that every instance runs once, when it is contextualised."""

    name: str
    """``10-join-domain.ps1``; they run in the order of their names"""
    content: str


@dataclass(frozen=True)
class WindowsChanges:
    """What a flavour adds to the installation, in this order."""

    wsus: str = ""
    """Where updates come from: an address, ``vendor`` for Microsoft's own, or empty for nowhere"""
    updates: tuple[Software, ...] = ()
    """Packages of updates, for machines that reach no server"""
    features: tuple[str, ...] = ()
    """Roles and features of servers, optional features of clients"""
    software: tuple[Software, ...] = ()
    registry: tuple[RegistryValue, ...] = ()
    policies: tuple[Software, ...] = ()
    """Security templates (``.inf``), and backups of group policies (``.zip``)"""
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True)
class WindowsContext:
    """How instances of Windows are contextualised, by cloudbase-init."""

    services: tuple[str, ...] = ("config-drive", "http")
    """Where instance data is looked for, in this order"""
    groups: tuple[str, ...] = ("Administrators",)
    """Of the account that users log in with"""
    inject_password: bool = True
    """Take the password that Nova made; else a random one, posted encrypted for the key pair"""
    mtu_from_dhcp: bool = True
    ntp_from_dhcp: bool = True
    extend_volumes: bool = True
    user_data: bool = True
    """Run what a user gives an instance to run"""
    winrm: bool = True
    """Listen for WinRM over HTTPS"""
    kms_host: str = ""
    """``HOST`` or ``HOST:PORT``; empty: the site's, or what DNS says"""
    activate: bool = True


@dataclass(frozen=True)
class WindowsFacts:
    """What the catalog says of a family of Windows, besides what it says of any."""

    edition: str
    """EDITIONID or name of the image on the medium: ``ServerStandard``"""
    installation_type: str
    """``Server``, ``Server Core`` or ``Client``"""
    language: str
    """Of the medium: ``en-US``"""
    locale: str
    """How dates and numbers are written"""
    keyboard: str
    """``0409:00000409``, or a language for its usual one"""
    time_zone: str
    """In Windows' own words: ``UTC``, ``W. Europe Standard Time``"""
    key: str
    """The kind of product key, see :data:`imagecycle.systems.windows_keys.KINDS`"""
    kms_client_key: str = ""
    """The public one for the edition"""
    owner: str = ""
    organization: str = ""
    remote_desktop: bool = True
    recovery_mib: int = 1024
    """Of the partition of the recovery environment, which lies before Windows' own; 0 for none"""
    bypass_requirements: bool = False
    """Install where Secure Boot, TPM or memory are wanting"""
    context: WindowsContext = WindowsContext()
    changes: WindowsChanges = WindowsChanges()
