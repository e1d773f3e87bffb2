"""A small guide held against small systems by the real scanner."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from families import family
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.model import AcceptedRule, SecurityProfile
from imagecycle.site import Site
from imagecycle.verify import security_profile
from imagecycle.verify.checks import test_security_profile as checks
from imagecycle.verify.security_results import ProfileResult
from imagecycle.windows_facts import WindowsFacts
from sabotages import security

GUIDES = Path(__file__).parent / "guide"
GUIDE = "ssg-example-ds.xml"
ASKED = SecurityProfile(GUIDE, "strict", score=75)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system that meets all rules of the guide that can be checked."""
    made = tmp_path / "root"
    (made / "etc/ssh").mkdir(parents=True)
    (made / "etc/ssh/sshd_config").write_text("PermitRootLogin no\n")
    (made / "etc/motd").write_text("hello\n")
    (made / "etc/motd").chmod(0o644)
    (made / "var/lib/dpkg").mkdir(parents=True)
    (made / "var/lib/dpkg/status").write_text(
        "Package: auditd\nStatus: install ok installed\nMaintainer: x <x@example.org>\n"
        "Architecture: amd64\nVersion: 1:3.0.9-1\nDescription: x\n"
    )
    shutil.copytree("/usr/share/dpkg", made / "usr/share/dpkg")  # its table of architectures
    return made


def prepared(folder: Path, guides: Path = GUIDES, **changes: Any) -> security_profile.Request:
    asked = replace(ASKED, **changes)
    site = Site(home=folder, security_guides=guides)
    request = security_profile.prepare(family(security_profile=asked), site)
    assert request is not None
    return request


def scanned(root: Path, **changes: Any) -> ProfileResult:
    return security_profile.scan_root(prepared(root.parent, **changes), root, root.parent)


def rejected(found: ProfileResult) -> set[str]:
    names = set()
    for name, check in vars(checks).items():
        if name.startswith("test_"):
            try:
                check(found)
            except AssertionError:
                names.add(f"security_profile.{name.removeprefix('test_')}")
    return names


def test_a_system_that_meets_its_profile_passes(root: Path) -> None:
    found = scanned(root)
    assert rejected(found) == set()
    assert found.score == 100.0
    assert found.passed == ("no_root_login", "motd_is_private", "auditd_is_there")
    assert (found.title, found.guide_version) == ("Strict <profile>", "0.7")
    assert [rule.name for rule in found.for_a_person] == ["patches_are_read"]


@pytest.mark.parametrize("what", security.SABOTAGES)
def test_a_sabotage_is_rejected(what: str, root: Path) -> None:
    deed, expected = security.SABOTAGES[what]
    deed(root)
    assert rejected(scanned(root)) == set(expected)


def test_a_rule_that_is_accepted_is_no_defect_and_lowers_the_score(root: Path) -> None:
    (root / "etc/motd").chmod(0o666)
    found = scanned(root, accepted=(AcceptedRule("motd_*", "it is a blackboard"),))
    assert rejected(found) == set()
    assert [(rule.name, rule.accepted) for rule in found.accepted] == [
        ("motd_is_private", "it is a blackboard")
    ]
    assert found.score == 80.0


def test_what_is_accepted_and_met_is_noted(root: Path) -> None:
    accepted = (AcceptedRule("motd_is_private", "it is a blackboard"),)
    assert scanned(root, accepted=accepted).needless == ("motd_is_private",)


def test_an_accepted_rule_that_the_profile_does_not_have_is_refused(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        scanned(root, accepted=(AcceptedRule("motd_is_privat", "x"),))
    assert "has no rule motd_is_privat" in caught.value.message
    assert "did you mean motd_is_private?" in caught.value.message


@pytest.mark.parametrize("way", ["/", "../" * 40, "up/../../" + "../" * 40])
def test_no_link_of_the_disk_leads_to_this_machine(way: str, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "of-the-host"
    outside.write_text("PermitRootLogin no\n")
    (root / "etc/ssh/up").symlink_to("../..")
    config = root / "etc/ssh/sshd_config"
    config.unlink()
    config.symlink_to(f"{way}{str(outside)[1:]}")
    assert [rule.name for rule in scanned(root).unmet] == ["no_root_login"]


def test_links_lead_where_a_server_would_find_the_file(root: Path) -> None:
    config = root / "etc/ssh/sshd_config"
    config.rename(root / "etc/sshd_config.real")
    config.symlink_to("/etc/hop")
    (root / "etc/hop").symlink_to("../../../../etc/sshd_config.real")
    (root / "etc/circle").symlink_to("/etc/circle")
    (root / "etc/masked").symlink_to("/dev/null")
    assert scanned(root).unmet == []
    assert str((root / "etc/masked").readlink()) == "/dev/null"


def test_the_scanner_is_told_what_a_server_mounts(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "of-the-host"
    outside.write_text("untouched")
    (root / "proc").mkdir()
    (root / "proc/mounts").symlink_to(outside)
    (root / "etc/fstab").write_text(
        "# comment\nUUID=1 / ext4 rw,discard 0 1\nUUID=2 /home xfs nodev 0 2\n"
        "UUID=3 none swap sw 0 0\n"
    )
    scanned(root)
    assert (root / "proc/mounts").read_text() == (
        "/dev/vda1 / ext4 rw,discard 0 0\n/dev/vda2 /home xfs nodev 0 0\n"
    )
    assert outside.read_text() == "untouched"


def test_a_guide_of_another_system_lists_its_profiles(root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        scanned(root, profile="foreign")
    assert "is not for debian 12: none of the 1 rules of foreign applies" in caught.value.message
    assert "the guide offers strict, mild, foreign" in caught.value.message


def test_an_unknown_profile_lists_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        prepared(tmp_path, profile="stricter")
    assert "it offers strict, mild, foreign; did you mean strict?" in caught.value.message


def test_a_missing_guide_names_the_package_and_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ImagecycleError) as caught:
        prepared(tmp_path, guide="ssg-exampel-ds.xml")
    assert f"there are {GUIDE}; did you mean {GUIDE}?" in caught.value.message
    assert "ssg-debian" in caught.value.hint
    with pytest.raises(ImagecycleError, match="there is none at all"):
        prepared(tmp_path, guides=tmp_path)


def test_a_file_that_is_no_guide_is_named(tmp_path: Path) -> None:
    (tmp_path / GUIDE).write_text("not XML\n")
    with pytest.raises(UsageError, match="no guide that oscap can read"):
        prepared(tmp_path, guides=tmp_path)


def test_a_missing_scanner_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImagecycleError) as caught:
        prepared(tmp_path)
    assert "asks for the security profile strict, and oscap is not installed" in str(caught.value)
    assert "openscap-scanner" in caught.value.hint


def test_settings_of_this_machines_package_manager_do_not_count(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "apt.conf"
    ours.write_text('Dir::State::status "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(ours))
    assert "auditd_is_there" in scanned(root).passed


def test_a_package_list_that_the_scanner_cannot_read_lets_no_rule_pass(root: Path) -> None:
    """Debian 12's scanner says so; that of Debian 13 takes all packages for missing."""
    (root / "var/lib/dpkg/status").write_text("no list of packages\n")
    try:
        found = scanned(root)
    except ImagecycleError as error:
        assert "has failed" in error.message
    else:
        assert "auditd_is_there" in [rule.name for rule in found.unmet]


def test_a_scan_that_fails_says_why(root: Path) -> None:
    request = replace(prepared(root.parent), guide=root / "etc/motd")
    with pytest.raises(ImagecycleError, match="oscap could not hold the disk against strict"):
        security_profile.scan_root(request, root, root.parent)


def test_nothing_is_needed_where_no_profile_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert security_profile.prepare(family(), Site(home=tmp_path)) is None


def test_a_site_asks_for_families_whose_file_asks_for_nothing(tmp_path: Path) -> None:
    words = {"guide": GUIDE, "profile": "mild", "accepted": [{"rule": "a", "reason": "b"}]}
    of_all = {**words, "families": ["*"], "profile": "strict"}
    site = Site.model_validate(
        {
            "home": tmp_path,
            "security_profiles": [{**words, "families": ["debian-12-*"]}, of_all],
        }
    )
    mild = SecurityProfile(GUIDE, "mild", accepted=(AcceptedRule("a", "b"),))
    assert security_profile.asked_of(family(), site) == mild
    assert security_profile.asked_of(family(security_profile=ASKED), site) == ASKED
    other = security_profile.asked_of(family(slug="debian-13-x86_64-base"), site)
    assert other is not None and other.profile == "strict"


def test_disks_of_windows_are_refused(tmp_path: Path) -> None:
    facts = WindowsFacts("ServerStandard", "Server Core", "en-US", "en-US", "en-US", "UTC", "kms")
    windows = family(slug="windows-2022-x86_64-core", windows=facts, security_profile=ASKED)
    with pytest.raises(UsageError, match="only disks of Linux can be"):
        security_profile.prepare(windows, Site(home=tmp_path, security_guides=GUIDES))


def test_what_the_checks_are_told_is_what_was_found(root: Path) -> None:
    found = scanned(root)
    assert ProfileResult.of_record(json.loads(json.dumps(found.as_record()))) == found
