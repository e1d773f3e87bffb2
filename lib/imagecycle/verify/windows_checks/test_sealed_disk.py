"""The disk is that of a sealed Windows, and nothing of the build is on it."""

import re
from collections.abc import Iterator

from imagecycle.verify.windows_disk import WindowsDisk
from imagecycle.verify.windows_fixtures import Declared

SEALED = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
GENERALISED = 7
"""GeneralizationState of a system whose own marks sysprep has removed"""
BOOT = 0
STORAGE = ("viostor", "vioscsi")
WINDOWS = r"Microsoft\Windows NT\CurrentVersion"
ANSWERS = (
    "Windows/Panther/*.xml",
    "Windows/Panther/Unattend/*.xml",
    "Windows/System32/Sysprep/*.xml",
    "*unattend.xml",
    "ProgramData/imagecycle/*.xml",
)
_PASSWORD = re.compile(r"Password>\s*<Value>(?!\*SENSITIVE)[^<\s]", re.IGNORECASE)
_KEY = re.compile(r"<(Product)?Key>\s*\w{5}-\w{5}-")
CONTEXT = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf"


def test_is_sealed(sealed: WindowsDisk) -> None:
    """Servers start as copies of the builder's machine, with its name and identity."""
    state = sealed.value("SOFTWARE", r"Microsoft\Windows\CurrentVersion\Setup\State", "ImageState")
    assert state == SEALED, f"its state is {state}"


def test_is_generalised(sealed: WindowsDisk) -> None:
    """All servers have one SID: only one of them can join a domain."""
    state = sealed.value("SYSTEM", r"Setup\Status\SysprepStatus", "GeneralizationState")
    assert state == GENERALISED, f"GeneralizationState is {state}"


def test_storage_drivers_start_at_boot(sealed: WindowsDisk) -> None:
    """The first start ends with the blue screen INACCESSIBLE_BOOT_DEVICE."""
    starts = {
        name: sealed.value("SYSTEM", rf"CurrentControlSet\Services\{name}", "Start")
        for name in STORAGE
    }
    assert [f"{name}: {start}" for name, start in starts.items() if start != BOOT] == []


def test_storage_drivers_are_there(sealed: WindowsDisk) -> None:
    """The first start ends with the blue screen INACCESSIBLE_BOOT_DEVICE."""
    folder = "Windows/System32/drivers"
    assert [name for name in STORAGE if not sealed.found(f"{folder}/{name}.sys")] == []


def test_answer_files_hold_no_secret(sealed: WindowsDisk) -> None:
    """Whoever downloads the image reads a password or a product key of the build."""
    assert list(_with_secrets(sealed)) == []


def test_nobody_is_logged_on_by_itself(sealed: WindowsDisk) -> None:
    """Whoever opens the console is the administrator, or reads his password."""
    found = []
    if sealed.value("SOFTWARE", rf"{WINDOWS}\Winlogon", "AutoAdminLogon") not in (None, "", "0"):
        found.append("AutoAdminLogon")
    if sealed.value("SOFTWARE", rf"{WINDOWS}\Winlogon", "DefaultPassword") is not None:
        found.append("DefaultPassword")
    assert found == []


def test_nothing_of_the_build_is_left(sealed: WindowsDisk) -> None:
    """The builder's way in, or his files, are on every server."""
    places = ("ProgramData/imagecycle/build", "Users/imagecycle", "Windows.old", "autounattend.xml")
    assert [found for place in places for found in sealed.found(place)] == []


def test_is_not_encrypted(sealed: WindowsDisk) -> None:
    """A server asks for a recovery key that nobody has."""
    assert [f"partition {number}" for number in sealed.encrypted] == []


def test_contextualisation_is_prepared(sealed: WindowsDisk) -> None:
    """Servers start without name, password and user data."""
    wanted = (
        f"{CONTEXT}/cloudbase-init.conf",
        f"{CONTEXT}/cloudbase-init-unattend.conf",
        "Windows/Setup/Scripts/SetupComplete.cmd",
        "ProgramData/imagecycle/Unattend.xml",
    )
    assert [path for path in wanted if not sealed.found(path)] == []


def test_contextualisation_has_not_run(sealed: WindowsDisk) -> None:
    """Servers take the data of the builder's machine for theirs, and run none of their own."""
    key = r"Cloudbase Solutions\Cloudbase-Init"
    assert not sealed.has_key("SOFTWARE", key), f"the registry has {key}"


def test_clock_is_in_local_time(sealed: WindowsDisk) -> None:
    """Nova gives Windows a clock in local time; after each start the time is off by hours."""
    key = r"CurrentControlSet\Control\TimeZoneInformation"
    assert not sealed.value("SYSTEM", key, "RealTimeIsUniversal"), "RealTimeIsUniversal is set"


def test_edition_is_the_declared_one(sealed: WindowsDisk, declared: Declared) -> None:
    """Users get another edition than they were promised, and licences do not fit."""
    if " " not in declared.edition:  # else it is an image's name
        assert sealed.value("SOFTWARE", WINDOWS, "EditionID") == declared.edition


def test_has_no_memory_of_the_build(sealed: WindowsDisk) -> None:
    """Every download is larger by what the builder's machine had in its memory."""
    names = ("hiberfil.sys", "pagefile.sys", "swapfile.sys", "Windows/MEMORY.DMP")
    assert [found for name in names for found in sealed.found(name)] == []


def _with_secrets(sealed: WindowsDisk) -> Iterator[str]:
    for pattern in ANSWERS:
        for path in sealed.found(pattern):
            text = sealed.text(path)
            if _PASSWORD.search(text):
                yield f"{path}: a password"
            if _KEY.search(text):
                yield f"{path}: a product key"
