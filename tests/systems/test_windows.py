"""What is wrong with a family of Windows, before anything starts."""

from pathlib import Path
from typing import Any

import pytest

import windows_families
from imagecycle import catalog, systems
from imagecycle.errors import InvalidFile
from imagecycle.model import GuestFile
from imagecycle.systems import windows, windows_releases
from imagecycle.windows_facts import Software, WindowsChanges

ZIP = Software("archive", "https://vendor.example/a.zip", "aa" * 32)


def problems(**changes: Any) -> str:
    family = windows_families.family(**changes)
    return "\n".join(systems.of(family).problems(family))


def test_the_families_that_come_along_are_right() -> None:
    found = windows_families.families()
    assert {family.version for family in found.values()} == {
        release.version for release in windows_releases.RELEASES
    }
    for family in found.values():
        assert systems.of(family).problems(family) == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": "2023"}, "unknown Windows 2023"),
        ({"windows": {"edition": "ServerStandart"}}, "did you mean ServerStandard?"),
        ({"windows": {"installation_type": "Client"}}, "expected Server Core or Server"),
        ({"windows": {"edition": "ServerStandardEval"}}, "takes no kms key"),
        ({"windows": {"key": "evaluation"}}, "is no evaluation edition"),
        ({"windows": {"kms_client_key": ""}}, "there is none for ServerStandard"),
        ({"windows": {"bypass_requirements": True}}, "demands nothing that could be bypassed"),
        ({"packages": ("vim",)}, "packages: Windows has none"),
        ({"files": (GuestFile("/etc/motd", ""),)}, "/etc/motd is no path of Windows"),
        ({"windows": {"changes": WindowsChanges(updates=(ZIP,))}}, "end with .msu or .cab"),
        ({"windows": {"changes": WindowsChanges(software=(ZIP,))}}, "end with .msi or .exe"),
        ({"firmware": ("bios", "uefi")}, "installed for one firmware"),
        ({"min_ram_mib": 1024}, "memory.minimum: Windows Server 2022 needs 2048 MiB"),
        ({"disk_gib": 20}, "needs 32 GiB at least"),
        ({"slug": "windows-11-x86_64-desktop", "firmware": ("bios",)}, "does not boot from bios"),
        ({"slug": "windows-11-x86_64-desktop", "disk_gib": 40}, "needs 64 GiB at least"),
    ],
)
def test_what_cannot_be_installed_is_named(changes: dict[str, Any], says: str) -> None:
    assert says in problems(**changes)


def with_properties(slug: str, **changes: str) -> str:
    properties = {**windows_families.family(slug).properties, **changes}
    return problems(slug=slug, properties=properties)


@pytest.mark.parametrize(
    ("slug", "changes", "says"),
    [
        ("windows-11-x86_64-desktop", {"os_secure_boot": "optional"}, "Windows 11 needs required"),
        ("windows-11-x86_64-desktop", {"hw_tpm_version": "1.2"}, 'needs "2.0"'),
        ("windows-11-x86_64-desktop", {"hw_machine_type": "pc"}, "hw_machine_type q35"),
        ("windows-2012r2-x86_64-server", {"os_secure_boot": "required"}, "are not signed"),
        ("windows-2022-x86_64-server", {"hw_tpm_model": "tpm-tis"}, "hw_tpm_version is missing"),
    ],
)
def test_hardware_that_does_not_do_is_named(slug: str, changes: dict[str, str], says: str) -> None:
    assert says in with_properties(slug, **changes)


def test_a_server_without_a_desktop_needs_less_memory() -> None:
    assert problems(slug="windows-2022-x86_64-server-core", min_ram_mib=512) == ""


def test_flavours_share_an_installation_only_with_the_same_image() -> None:
    core = windows_families.family("windows-2022-x86_64-server-core")
    full = windows_families.family("windows-2022-x86_64-server")
    assert core.installation != full.installation
    assert core.system == full.system == "windows-2022-x86_64"


def mistakes(folder: Path, name: str, before: str, after: str) -> str:
    windows_families.copy(folder)
    text = (folder / name).read_text()
    assert text.count(before) == 1
    (folder / name).write_text(text.replace(before, after))
    with pytest.raises(InvalidFile) as caught:
        catalog.load(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "before", "after", "says"),
    [
        ("windows-2022.yaml", "edition: Serv", "editoin: Serv", "windows.editoin; did you mean"),
        ("windows-2022.yaml", "time_zone: UTC", "time_zone: [UTC]", "windows.time_zone: expected"),
        ("windows-2022.yaml", "\nversion: \"2022\"", "\nversion: \"2024\"", "unknown Windows 2024"),
        ("windows-2022.yaml", "27WPP", "27WPPP", "a public KMS client key"),
        ("windows-2022.yaml", "type: windows", "type: linux", "windows is windows, found linux"),
        ("windows-10.yaml", "edition: Ent", "edition: Entr", "did you mean Enterprise?"),
        ("windows.unattend.j2", "<AcceptEula>", "<AcceptEulas>", "no XML"),
        ("windows.unattend.j2", "CommandLine>{{ comm", "CommandLine>x{{ com", "unknown variable"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_catalog_is_named(
    tmp_path: Path, name: str, before: str, after: str, says: str
) -> None:
    assert says in mistakes(tmp_path, name, before, after)


def test_a_linux_has_no_section_of_windows() -> None:
    from families import family

    facts = windows_families.family().windows
    linux = family(windows=facts)
    assert systems.of(linux).problems(linux) == ("windows: Debian has no such section",)


def test_passwords_differ_and_satisfy_the_policy() -> None:
    made = {windows.password() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        assert len(one) >= 14
        assert any(c.isupper() for c in one) and any(c.islower() for c in one)
        assert any(c.isdigit() for c in one) and "-" in one


CHANGES = """
    windows:
      context: {kms_host: kms.flavour, groups: [Users]}
      changes:
        features: [Web-Server]
        software:
          - {name: agent, url: "https://vendor.example/agent.msi", sha256: "%s"}
        registry:
          - {key: HKLM\\SOFTWARE\\Site, name: Owner, kind: String, value: us}
        tasks:
          - {name: 10-join.ps1, content: "Write-Output 'joined'"}
""" % ("ab" * 32)


def test_a_flavour_adds_to_what_the_file_changes(tmp_path: Path) -> None:
    windows_families.copy(tmp_path)
    path = tmp_path / "windows-2022.yaml"
    text = path.read_text().replace(
        "windows:\n  edition", "windows:\n  changes: {wsus: vendor, features: [Backup]}\n  edition"
    )
    path.write_text(text.rstrip() + CHANGES)
    families = {one.flavour: one for one in catalog.load(tmp_path) if one.version == "2022"}
    core, server = families["server-core"].windows, families["server"].windows
    assert core is not None and server is not None
    assert (core.changes.features, core.changes.wsus) == (("Backup",), "vendor")
    assert server.changes.features == ("Backup", "Web-Server")
    assert server.changes.software[0].exit_codes == (0, 3010)
    assert server.changes.registry[0].key == r"HKLM\SOFTWARE\Site"
    assert server.changes.tasks[0].name == "10-join.ps1"
    assert (server.context.kms_host, server.context.groups) == ("kms.flavour", ("Users",))
