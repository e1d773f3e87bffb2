"""What an answer file of Windows may say: every setting, in its pass, for its release.

Windows passes over what it does not know and what stands in the wrong pass, or stops in the middle
of an installation. So a file is held against Microsoft's own reference before it is used; the table
is ``windows_settings.tsv``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from imagecycle.errors import suggestion
from imagecycle.systems.windows_releases import WindowsRelease

TABLE = Path(__file__).with_suffix(".tsv")
UNATTEND = "urn:schemas-microsoft-com:unattend"
WCM = "http://schemas.microsoft.com/WMIConfig/2002/State"
PASSES = (
    "windowsPE",
    "offlineServicing",
    "generalize",
    "specialize",
    "auditSystem",
    "auditUser",
    "oobeSystem",
)
_ATTRIBUTES = {
    "processorArchitecture": "amd64|arm64|x86",
    "publicKeyToken": "31bf3856ad364e35",
    "language": "neutral",
    "versionScope": "nonSxS",
}
_LISTED = {
    "AsynchronousCommand",
    "CreatePartition",
    "DataImage",
    "Disk",
    "DomainAccountList",
    "DomainAccount",
    "FirewallGroup",
    "LocalAccount",
    "MetaData",
    "ModifyPartition",
    "PathAndCredentials",
    "RunAsynchronousCommand",
    "RunSynchronousCommand",
    "SynchronousCommand",
}
"""Settings that may stand several times beside each other; each says that it is added."""
_KEYED = {"FirewallGroup", "MetaData", "PathAndCredentials"}
"""Settings that are told apart by a key."""
_KEY = r"([BCDFGHJKMPQRTVWXY2346789N]{5}-){4}[BCDFGHJKMPQRTVWXY2346789N]{5}"
_LANGUAGE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?-[A-Z]{2}"
_PATTERNS = {
    "true|false|0|1": (
        *("AcceptEula", "Active", "AutoLogon/Enabled", "DoNotOpenServerManagerAtLogon"),
        *("DynamicUpdate/Enable", "Extend", "FirewallGroup/Active", "HideEULAPage"),
        *("HideLocalAccountScreen", "HideOEMRegistrationScreen", "HideOnlineAccountScreens"),
        *(
            "HideWirelessSetupInOOBE",
            "SkipMachineOOBE",
            "SkipUserOOBE",
            "IEHardenAdmin",
            "IEHardenUser",
            "PlainText",
        ),
        *("PersistAllDeviceInstalls", "PreventDeviceEncryption", "SkipAutoActivation"),
        *("SkipRearm", "UseConfigurationSet", "WillWipeDisk", "fDenyTSConnections"),
        *(f"{profile}Profile_EnableFirewall" for profile in ("Domain", "Private", "Public")),
    ),
    r"[1-9]\d*": ("Order", "PartitionID", "Size"),
    r"\d+": ("DiskID", "LogonCount"),
    r"\*|[A-Za-z0-9-]{1,15}": ("ComputerName",),
    r"[A-Z]": ("Letter",),
    r"0|1": ("UserAuthentication",),
    r"[123]": ("ProtectYourPC",),
    r".{1,256}": ("Description",),
    r".{1,259}": ("RunSynchronousCommand/Path",),
    r".{1,1024}": ("SynchronousCommand/CommandLine",),
    r"/IMAGE/(NAME|INDEX|DESCRIPTION)": ("MetaData/Key",),
    r"0x[0-9A-Fa-f]{2}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}": ("TypeID",),
    rf"[0-9A-Fa-f]{{4}}:[0-9A-Fa-f]{{8}}|{_LANGUAGE}": ("InputLocale",),
    _LANGUAGE: ("SystemLocale", "UILanguage", "UserLocale"),
    "Always|OnRequest|Never": ("WillReboot",),
    "Home|Work|Other": ("NetworkLocation",),
    "NTFS|FAT32": ("Format",),
    "OnError|Always|Never": ("WillShowUI",),
    "Primary|EFI|Extended|Logical|MSR": ("CreatePartition/Type",),
    "all|domain|private|public": ("Profile",),
    _KEY: ("ProductKey", "ProductKey/Key"),
}
_VALUES = {name: pattern for pattern, names in _PATTERNS.items() for name in names}
"""What the values of settings look like, by the end of the setting's path."""


def problems(text: str, release: WindowsRelease, installation: str) -> list[str]:
    """What is wrong with an answer file.

    :param installation: INSTALLATIONTYPE of the image that it is for.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return [f"no XML: {error}"]
    if root.tag != f"{{{UNATTEND}}}unattend":
        return [f"expected the element unattend of {UNATTEND}, found {root.tag}"]
    return list(_File(release, installation).wrong(root))


class _File:
    """One answer file, for one release."""

    def __init__(self, release: WindowsRelease, installation: str) -> None:
        self._release, self._installation = release, installation

    def wrong(self, root: ElementTree.Element) -> Iterator[str]:
        seen: set[str] = set()
        for section in root:
            name = section.get("pass", "")
            if section.tag != f"{{{UNATTEND}}}settings" or set(section.keys()) != {"pass"}:
                yield f"expected settings with a pass, found {_bare(section.tag)}"
            elif name not in PASSES:
                yield f"unknown pass {name}{suggestion(name, PASSES)}"
            elif name in seen:
                yield f"{name} stands here a second time"
            else:
                seen.add(name)
                yield from self._pass(name, section)

    def _pass(self, name: str, section: ElementTree.Element) -> Iterator[str]:
        seen: set[tuple[str, str]] = set()
        for component in section:
            called = component.get("name", "")
            arch = component.get("processorArchitecture", "")
            place = f"{name}, {called}"
            if component.tag != f"{{{UNATTEND}}}component":
                yield f"{name}: expected a component, found {_bare(component.tag)}"
                continue
            yield from _attributes(place, component)
            if called not in _components():
                yield f"{name}: unknown component {called}{suggestion(called, _components())}"
                continue
            if (called, arch) in seen:
                yield f"{place} stands here a second time"
            seen.add((called, arch))
            if reason := self._unfit(called):
                yield f"{place}: {reason}"
            yield from self._settings(name, called, component)

    def _settings(self, name: str, path: str, parent: ElementTree.Element) -> Iterator[str]:
        seen: set[str] = set()
        for element in parent:
            setting = _bare(element.tag)
            here = f"{path}/{setting}"
            passes = _table().get(here)
            if passes is None:
                siblings = _below(path)
                yield f"{name}: unknown setting {here}{suggestion(setting, siblings)}"
                continue
            if name not in passes:
                yield f"{here} has no effect in {name}; it belongs to {' or '.join(passes)}"
            if setting in seen and setting not in _LISTED:
                yield f"{name}: {here} stands here a second time"
            seen.add(setting)
            yield from _listed(name, here, element)
            if reason := self._unfit(here):
                yield f"{name}: {here}: {reason}"
            if len(element):
                yield from self._settings(name, here, element)
            elif not _below(here):
                yield from _value(name, here, element.text or "")
        yield from _orders(name, path, parent)

    def _unfit(self, path: str) -> str:
        """Why a component or setting has no effect on this release."""
        release, core = self._release, self._installation == "Server Core"
        end = path.removeprefix("Microsoft-Windows-")
        if end in ("ServerManager-SvrMgrNc", "IE-ESC") and (release.client or core):
            return "only on a server with a desktop"
        if end == "IE-ESC" and release.first_build >= 26100:
            return f"{release.title} has no Internet Explorer"
        if end == "Shell-Setup/OOBE/HideLocalAccountScreen" and release.client:
            return "only on servers"
        if end == "Shell-Setup/OOBE/HideOnlineAccountScreens" and not release.client:
            return "only on clients"
        if end == "Shell-Setup/OOBE/NetworkLocation" and release.modern:
            return "not since Windows 10"
        if end == "SecureStartup-FilterDriver" and not release.client:
            return "only on clients"
        return ""


def _attributes(place: str, component: ElementTree.Element) -> Iterator[str]:
    given = dict(component.attrib)
    given.pop("name", None)
    for name, pattern in _ATTRIBUTES.items():
        value = given.pop(name, None)
        if value is None or not re.fullmatch(pattern, value):
            yield f"{place}: expected {name}={pattern}, found {value or 'none'}"
    for name in given:
        yield f"{place}: unknown attribute {_bare(name)}"


def _listed(name: str, path: str, element: ElementTree.Element) -> Iterator[str]:
    given = dict(element.attrib)
    last = path.rsplit("/", 1)[-1]
    action = given.pop(f"{{{WCM}}}action", None)
    key = given.pop(f"{{{WCM}}}keyValue", None)
    if last in _LISTED and action != "add":
        yield f'{name}: {path} needs the attribute wcm:action="add"'
    if last in _KEYED and not key and last != "MetaData":
        yield f"{name}: {path} needs the attribute wcm:keyValue"
    if last not in _LISTED and (action or key):
        yield f"{name}: {path} is no part of a list: wcm attributes are wrong there"
    for attribute in given:
        yield f"{name}: {path}: unknown attribute {_bare(attribute)}"


def _value(name: str, path: str, value: str) -> Iterator[str]:
    for end, pattern in _VALUES.items():
        if path.endswith(f"/{end}") and not re.fullmatch(pattern, value):
            secret = end.startswith("ProductKey")
            found = "something else" if secret else value or "nothing"
            yield f"{name}: {path}: expected {pattern}, found {found}"
            return


def _orders(name: str, path: str, parent: ElementTree.Element) -> Iterator[str]:
    orders = [element.findtext(f"{{{UNATTEND}}}Order") for element in parent]
    numbers = [order for order in orders if order is not None]
    if len(numbers) != len(set(numbers)):
        yield f"{name}: {path}: an Order stands here twice"


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


_KEPT = {
    f"Microsoft-Windows-Shell-Setup/OOBE/Skip{whose}OOBE": ("oobeSystem",)
    for whose in ("Machine", "User")
}
"""Settings that Microsoft's reference has dropped and that work on. Without them a generalised
system asks for a password, which no image can answer."""


@functools.cache
def _table() -> dict[str, tuple[str, ...]]:
    """The passes of every setting."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return _KEPT | {path: tuple(passes.split()) for path, passes in pairs}


@functools.cache
def _components() -> frozenset[str]:
    return frozenset(path.partition("/")[0] for path in _table())


@functools.cache
def _below(path: str) -> tuple[str, ...]:
    """The settings directly below a component or setting."""
    start = f"{path}/"
    names = (known[len(start) :].partition("/")[0] for known in _table() if known.startswith(start))
    return tuple(dict.fromkeys(names))
