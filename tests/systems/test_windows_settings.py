"""Mistakes in answer files that Windows Setup would pass over, or stop at."""

import re

import pytest

import windows_families
from imagecycle.catalog import unattended
from imagecycle.systems import windows_releases, windows_settings

GOOD = unattended.render(windows_families.family(), root_password="Aa1-password")
R2022 = windows_releases.release("2022")


def problems(before: str, after: str, count: int = 1) -> list[str]:
    assert before in GOOD
    return windows_settings.problems(GOOD.replace(before, after, count), R2022, "Server")


MISTAKES = [
    ("<AcceptEula>", "<AcceptEula", "no XML"),
    ("schemas-microsoft-com:unattend", "schemas-microsoft-com:unatend", "expected the element"),
    ('pass="windowsPE"', 'pass="windowspe"', "unknown pass windowspe; did you mean windowsPE?"),
    ('pass="oobeSystem"', 'pass="specialize"', "specialize stands here a second time"),
    ('pass="oobeSystem"', 'pass="auditUser"', "OOBE has no effect in auditUser; it belongs to"),
    ("Windows-Setup", "Windows-Setpu", "unknown component Microsoft-Windows-Setpu; did you mean"),
    ("Microsoft-Windows-Deployment", "Microsoft-Windows-Shell-Setup", "a second time"),
    ('language="neutral"', 'language="en-US"', "expected language=neutral, found en-US"),
    ('processorArchitecture="amd64"', "", "expected processorArchitecture=.*found none"),
    ('versionScope="nonSxS"', 'versionScope="nonSxS" x="y"', "unknown attribute x"),
    ("AcceptEula>", "AcceptEULA>", "unknown setting .*AcceptEULA; did you mean AcceptEula"),
    ("<AcceptEula>true", "<AcceptEula>yes", "AcceptEula: expected .*, found yes"),
    ("<Type>EFI", "<Type>Efi", "found Efi"),
    ("<Format>FAT32", "<Format>ext4", "found ext4"),
    ("<WillShowUI>OnError", "<WillShowUI>Sometimes", "found Sometimes"),
    ("<ComputerName>*", "<ComputerName>a-name-too-long-for-it", "ComputerName: expected"),
    ("<UILanguage>en-US", "<UILanguage>english", "found english"),
    ('<Disk wcm:action="add">', "<Disk>", 'Disk needs the attribute wcm:action="add"'),
    (' wcm:keyValue="1"', "", "PathAndCredentials needs the attribute wcm:keyValue"),
    ("<OOBE>", '<OOBE wcm:action="add">', "is no part of a list"),
    ("<Order>2</Order>", "<Order>1</Order>", "an Order stands here twice"),
    ("<TimeZone>UTC</TimeZone>", "<TimeZone>UTC</TimeZone>" * 2, "TimeZone stands here a second"),
    ("cmd.exe /d /c echo", f"cmd.exe /d /c {'x' * 260}", "RunSynchronousCommand/Path: expected"),
    ("<HideEULAPage>", "<HideOnlineAccountScreens>true</HideOnlineAccountScreens><HideEULAPage>",
     "only on clients"),
    ("<HideEULAPage>", "<NetworkLocation>Work</NetworkLocation><HideEULAPage>",
     "not since Windows 10"),
    ("<HideEULAPage>", "<ShowWindowsLive>true</ShowWindowsLive><HideEULAPage>",
     "unknown setting .*ShowWindowsLive"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "says"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_is_named(before: str, after: str, says: str) -> None:
    found = problems(before, after, 2 if before == "AcceptEula>" else 1)
    assert any(re.search(re.escape(says).replace(r"\.\*", ".*"), one) for one in found), found


def test_a_wrong_product_key_is_named_and_not_shown() -> None:
    found = problems("VDYBN-27WPP", "AAAAA-27WPP")
    assert len(found) == 1 and "ProductKey/Key" in found[0] and "AAAAA" not in found[0]


@pytest.mark.parametrize(
    ("version", "installation", "says"),
    [
        ("2022", "Server Core", "ServerManager-SvrMgrNc: only on a server with a desktop"),
        ("11", "Client", "HideLocalAccountScreen: only on servers"),
    ],
)
def test_what_has_no_effect_on_a_release_is_named(
    version: str, installation: str, says: str
) -> None:
    release = windows_releases.release(version)
    found = windows_settings.problems(GOOD, release, installation)
    assert any(says in one for one in found)


def test_the_table_names_each_setting_once_with_known_passes() -> None:
    lines = windows_settings.TABLE.read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) == 1104 == len({path.lower() for path, _ in rows})
    assert all(set(passes.split()) <= set(windows_settings.PASSES) for _, passes in rows)
    spellings = {path.partition("/")[0] for path, _ in rows}
    assert len(spellings) == len({name.lower() for name in spellings})
