import dataclasses
import datetime
from pathlib import Path

import pytest

from imagecycle import catalog, site
from imagecycle.catalog import unattended
from imagecycle.errors import EXIT_USAGE, InvalidFile, UnknownName, UsageError
from imagecycle.model import (
    AcceptedRule,
    Explained,
    GuestFile,
    MaintenanceTerms,
    Media,
    SecurityProfile,
)

FILE = """\
name: Debian 12
distro: debian
version: "12"
codename: bookworm
type: linux
oz: {name: Debian, version: "12"}
unattended: debian.preseed.j2
admin_user: debian
end_of_support: 2028-06-30
disk: 3
memory: {minimum: 512, install: 1024}
properties: {hw_disk_bus: virtio}
architectures:
  x86_64:
    media: {kind: tree}
    firmware: [bios, uefi]
flavours:
  base:
    title: Base
    description: A minimal system that boots and accepts logins
  server:
    title: Server
    description: What an administrator expects
    extends: base
    packages: [less, curl]
"""


class Folder:
    """A catalog folder with one right file and its template, to be spoilt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("debian.yaml", FILE)
        self.write("debian.preseed.j2", "root {{ root_password }}\n")

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def spoil(self, before: str, after: str, name: str = "debian.yaml") -> None:
        text = (self.path / name).read_text()
        assert text.count(before) == 1, f"{before!r} must stand in {name} once"
        self.write(name, text.replace(before, after))

    def mistakes(self) -> list[str]:
        with pytest.raises(InvalidFile) as caught:
            catalog.load(self.path)
        assert caught.value.exit_code == EXIT_USAGE
        return str(caught.value).replace(f"{self.path}/", "").splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_catalog_that_comes_along_has_no_mistakes() -> None:
    slugs = [family.slug for family in catalog.load(site.CATALOG)]
    assert {"debian-12-x86_64-base", "debian-12-x86_64-server"} <= set(slugs)
    assert slugs == sorted(slugs)


def test_a_family_carries_all_that_its_file_declares(folder: Folder) -> None:
    family = catalog.find(folder.path, "debian-12-x86_64-server")
    assert (family.title, family.description) == (
        "Debian 12 Server",
        "What an administrator expects",
    )
    assert family.media == Media("tree")
    assert family.firmware == ("bios", "uefi")
    assert family.packages == ("less", "curl")
    assert family.properties == {"hw_disk_bus": "virtio"}
    assert family.end_of_support == datetime.date(2028, 6, 30)
    assert (family.disk_gib, family.min_ram_mib, family.install_memory_mib) == (3, 512, 1024)
    assert family.unattended == folder.path / "debian.preseed.j2"
    assert family.installation == "debian-12-x86_64"
    dataclasses.replace(family)  # a plain value


def test_a_flavour_adds_to_the_one_that_it_extends(folder: Folder) -> None:
    folder.spoil(
        "accepts logins\n",
        "accepts logins\n"
        "    packages: [curl, vim]\n"
        "    commands: ['true']\n"
        "    properties: {hw_disk_bus: scsi, hw_scsi_model: virtio-scsi}\n"
        "    files: [{path: /etc/motd, content: base}, {path: /etc/issue, content: base}]\n",
    )
    folder.spoil(
        "    packages: [less, curl]\n",
        "    packages: [less, curl]\n"
        "    commands: ['false']\n"
        "    properties: {hw_disk_bus: ide}\n"
        '    files: [{path: /etc/motd, content: server, mode: "0600"}]\n',
    )
    server = catalog.find(folder.path, "debian-12-x86_64-server")
    assert server.packages == ("curl", "vim", "less")
    assert server.commands == ("true", "false")
    assert server.properties == {"hw_disk_bus": "ide", "hw_scsi_model": "virtio-scsi"}
    assert server.files == (
        GuestFile("/etc/motd", "server", 0o600),
        GuestFile("/etc/issue", "base", 0o644),
    )


def test_a_file_changes_only_what_differs_from_the_one_that_it_extends(folder: Folder) -> None:
    folder.write(
        "next.yaml",
        'extends: debian.yaml\nname: Debian 13\nversion: "13"\nmemory: {minimum: 768}\n',
    )
    family = catalog.find(folder.path, "debian-13-x86_64-server")
    assert family.title == "Debian 13 Server"
    assert (family.min_ram_mib, family.install_memory_mib) == (768, 1024)
    assert family.source == folder.path / "next.yaml"


def test_promises_are_read_as_people_write_them(folder: Folder) -> None:
    folder.spoil(
        "disk: 3\n",
        "disk: 3\n"
        "image_source: https://images.example/\n"
        "promises: {replace_frequency: monthly, uuid_validity: 2028-06-30, hotfix_hours: 48,\n"
        "           provided_until: none}\n",
    )
    folder.spoil("accepts logins\n", "accepts logins\n    purpose: minimal\n")
    base = catalog.find(folder.path, "debian-12-x86_64-base")
    assert base.promises == MaintenanceTerms("monthly", "2028-06-30", "none", 48)
    assert (base.image_source, base.purpose) == ("https://images.example/", "minimal")


def test_without_a_word_little_is_promised(folder: Folder) -> None:
    family = catalog.find(folder.path, "debian-12-x86_64-server")
    assert family.promises == MaintenanceTerms("quarterly", "", "none", None)
    assert (family.image_source, family.purpose) == ("private", "custom")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "promises: {hotfix_hour: 48}",
            "11: unknown key promises.hotfix_hour; did you mean hotfix_hours?",
        ),
        (
            "promises: {replace_frequency: quaterly}",
            "11: promises.replace_frequency: expected yearly, quarterly, monthly, weekly, daily, "
            "critical_bug or never, found quaterly; did you mean quarterly?",
        ),
        (
            "promises: {provided_until: forever}",
            "11: promises.provided_until: expected a date such as 2028-06-30, none or notice, "
            "found forever",
        ),
        (
            'promises: {uuid_validity: "2028-06-31"}',
            "11: promises.uuid_validity: expected a date such as 2028-06-30, "
            "last-N such as last-3, none, notice or forever, found 2028-06-31",
        ),
        (
            "promises: {hotfix_hours: -1}",
            "11: promises.hotfix_hours: expected hours as a whole number such as 48; 0 promises an "
            "effort only, found -1 (a number; in quotes it is text)",
        ),
        (
            "image_source: images.example",
            "11: image_source: expected an address such as https://..., or private, "
            "found images.example",
        ),
    ],
)
def test_a_wrong_promise_is_named(folder: Folder, line: str, message: str) -> None:
    folder.spoil("disk: 3\n", f"disk: 3\n{line}\n")
    assert folder.mistakes() == [f"debian.yaml:{message}"]


def test_a_promise_among_the_properties_is_sent_to_its_key(folder: Folder) -> None:
    folder.spoil("{hw_disk_bus: virtio}", "{uuid_validity: none}")
    assert folder.mistakes() == [
        "debian.yaml:12: properties.uuid_validity: declare it as promises.uuid_validity and "
        "remove it here"
    ]


def test_only_one_flavour_of_a_system_is_generic(folder: Folder) -> None:
    folder.spoil("accepts logins\n", "accepts logins\n    purpose: generic\n")
    folder.spoil("administrator expects\n", "administrator expects\n    purpose: generic\n")
    assert folder.mistakes() == [
        "debian.yaml:25: flavours.server.purpose: base is generic already; there can be only one"
    ]


def test_a_mistake_in_what_is_taken_over_is_named_where_it_stands(folder: Folder) -> None:
    folder.write("next.yaml", 'extends: debian.yaml\nversion: "13"\n')
    folder.spoil("disk: 3", "disk: none")
    (mistake,) = folder.mistakes()
    assert mistake.startswith("debian.yaml:10: disk: expected GiB of the installed disk")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("codename:", "codenme:", "4: unknown key codenme; did you mean codename?"),
        (
            "    packages: [",
            "    pakcages: [",
            "25: unknown key flavours.server.pakcages; did you mean packages?",
        ),
        ("codename:", "zzz:", "4: unknown key zzz; the keys here are extends, name, distro, "),
        ("codename: bookworm\n", "", "1: codename is missing: a tree is made of what bears"),
        ("admin_user: debian\n", "", "1: admin_user is missing: expected the account that "),
        (', version: "12"}', "}", "6: oz.version is missing: expected Oz's name of the version"),
        (
            'version: "12"\nc',
            "version: 12\nc",
            '3: version: expected the version in quotes, such as "12", '
            "found 12 (a number; in quotes it is text)",
        ),
        (
            "disk: 3",
            'disk: "3"',
            "10: disk: expected GiB of the installed disk, a whole number such as 3, "
            'found "3" (text; without quotes it is a number)',
        ),
        ("disk: 3", "disk: 0", "10: disk: expected GiB of the installed disk"),
        ("disk: 3", "disk: true", "10: disk: expected GiB of the installed disk"),
        (
            "{hw_disk_bus: virtio}",
            "{hw_qemu_guest_agent: no}",
            "12: properties.hw_qemu_guest_agent: expected text, "
            "found no (a truth value; in quotes it is text)",
        ),
        (
            "{hw_disk_bus: virtio}",
            "{os_type: linux}",
            "12: properties.os_type: imagecycle sets it by itself; remove it here",
        ),
        (
            "{hw_disk_bus: virtio}",
            "{imagecycle_state: current}",
            "12: properties.imagecycle_state: imagecycle sets it by itself; remove it here",
        ),
        ("type: linux", "type: Linux", "5: type: expected linux or windows, found Linux; did you"),
        ("2028-06-30", "soon", "9: end_of_support: expected a date such as 2028-06-30"),
        (
            "x86_64:",
            "x86_46:",
            "14: architectures.x86_46: expected x86_64 or aarch64, found x86_46",
        ),
        (
            "[bios, uefi]",
            "[bios, eufi]",
            "16: architectures.x86_64.firmware.1: expected bios or uefi, found eufi; "
            "did you mean uefi?",
        ),
        ("[bios, uefi]", "[]", "16: architectures.x86_64.firmware: expected a list of bios and"),
        ("{kind: tree}", "tree", "15: architectures.x86_64.media: expected a section with kind"),
        (
            "{kind: tree}",
            "{kind: tree, url: 'http://mirror.example/'}",
            "15: architectures.x86_64.media.url: a tree is made here and takes no url",
        ),
        (
            "{kind: tree}",
            "{kind: iso, url: 'http://mirror.example/debian.iso'}",
            "15: architectures.x86_64.media.sha256 is missing: media of kind iso need it",
        ),
        (
            "{kind: tree}",
            "{kind: url, url: 'http://mirror.example/', sha256: abc}",
            "15: architectures.x86_64.media.sha256: expected a SHA-256 checksum of 64",
        ),
        (
            "distro: debian",
            "distro: rocky",
            "15: architectures.x86_64.media.kind: no tree can be made of rocky on x86_64; ",
        ),
        ("x86_64:", "aarch64:", "16: aarch64 does not boot from bios; expected uefi"),
        (
            "type: linux",
            "type: windows",
            "7: unattended: windows cannot be installed with a preseed file; expected unattend",
        ),
        (
            "admin_user: debian",
            "builder: imagefctory\nadmin_user: debian",
            "8: builder: expected oz or imagefactory; without it, as the site's settings say, ",
        ),
        (
            "debian.preseed.j2",
            "debian.presede.j2",
            "7: unattended: there is no debian.presede.j2 beside this file; "
            "did you mean debian.preseed.j2?",
        ),
        (
            "debian.preseed.j2",
            "debian.presede.j2",
            "7: unattended: expected NAME.KIND.j2 with a kind of agama, autoinstall, autoyast, "
            "ks, preseed, unattend, found presede; did you mean preseed?",
        ),
        ("debian.preseed.j2", "../x.preseed.j2", "7: unattended: expected the name of a template"),
        (
            "extends: base",
            "extends: bse",
            "24: flavours.server.extends: there is no flavour bse; did you mean base?",
        ),
        (
            "extends: base",
            "extends: server",
            "24: flavours.server.extends: it extends itself: server -> server",
        ),
        (
            "accepts logins\n",
            "accepts logins\n    extends: server\n",
            "21: flavours.base.extends: it extends itself: base -> server -> base",
        ),
        ("  base:", "  Base-1:", "18: flavours.Base-1: expected small letters and digits"),
        (
            "[less, curl]",
            "[less, a b]",
            "25: flavours.server.packages.1: expected the name of a package, such as curl, ",
        ),
        (
            "[less, curl]",
            "[]\n    files: [{path: etc/motd, content: x}]",
            "26: flavours.server.files.0.path: expected an absolute path in the image",
        ),
        (
            "[less, curl]",
            "[]\n    files: [{path: /etc/motd, content: x, mode: 0644}]",
            "26: flavours.server.files.0.mode: expected permissions in quotes, such as",
        ),
        ("disk: 3", "disk: 3\ndisk: 4", "11: disk stands here a second time; first on line 10"),
        ("disk: 3", "disk: [3", "11: not YAML: "),
    ],
)
def test_a_mistake_is_named_with_line_and_what_was_expected(
    folder: Folder, before: str, after: str, message: str
) -> None:
    folder.spoil(before, after)
    mistakes = folder.mistakes()
    assert [text for text in mistakes if text.startswith(f"debian.yaml:{message}")], mistakes


@pytest.mark.parametrize("content", ["", "- list\n", "text\n", "12: x\n"])
def test_a_file_that_is_no_declaration_is_named(folder: Folder, content: str) -> None:
    folder.write("debian.yaml", content)
    assert folder.mistakes()[0].startswith("debian.yaml:1: ")


def test_all_mistakes_of_all_files_are_named_at_once(folder: Folder) -> None:
    folder.write("second.yaml", FILE.replace("disk: 3", "disk: x").replace("linux", "os/2"))
    folder.spoil("distro: debian", "distro: Debian")
    assert [mistake.split(" ")[0] for mistake in folder.mistakes()] == [
        "debian.yaml:2:",
        "second.yaml:5:",
        "second.yaml:10:",
    ]


def test_a_family_that_two_files_declare_is_refused(folder: Folder) -> None:
    folder.write("second.yaml", FILE)
    assert folder.mistakes() == [
        f"second.yaml:{line}: debian-12-x86_64-{flavour} is declared a second time; "
        "first in debian.yaml"
        for line, flavour in ((18, "base"), (21, "server"))
    ]


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("debain.yaml", "there is no debain.yaml beside this file; did you mean debian.yaml?"),
        ("next.yaml", "next.yaml extends this file"),
        ("[a]", "there is no ['a'] beside this file"),
    ],
)
def test_a_file_that_cannot_be_extended_is_refused(
    folder: Folder, parent: str, message: str
) -> None:
    folder.write("next.yaml", f'version: "13"\nextends: {parent}\n')
    assert folder.mistakes() == [f"next.yaml:2: extends: {message}"]


def test_files_that_extend_each_other_are_refused(folder: Folder) -> None:
    folder.write("a.yaml", "extends: b.yaml\n")
    folder.write("b.yaml", "extends: a.yaml\n")
    assert folder.mistakes() == [
        "a.yaml:1: extends: b.yaml extends this file",
        "b.yaml:1: extends: a.yaml extends this file",
    ]


def test_a_file_with_the_wrong_ending_is_not_passed_over(folder: Folder) -> None:
    folder.write("centos.yml", FILE)
    assert folder.mistakes() == ["centos.yml:1: expected the ending .yaml"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "a\n{{ root_pasword }}\n",
            "2: unknown variable root_pasword; did you mean root_password?",
        ),
        ("a\n{{ flavour }}\n", "2: unknown variable flavour"),
        ("a\n{% if %}\n", "2: not a template: Expected an expression"),
        ("a\nb\n{{ firmware.nothing }}\n", "3: does not render: "),
        ("a\n{{ 1 / 0 }}\n", "2: does not render: division by zero"),
        ("{% include 'part.j2' %}\n", "1: does not render: "),
    ],
)
def test_a_template_that_does_not_render_is_named_with_its_line(
    folder: Folder, template: str, message: str
) -> None:
    folder.write("debian.preseed.j2", template)
    mistakes = folder.mistakes()
    assert len(mistakes) == 1, "flavours share the template and its mistakes"
    assert mistakes[0].startswith(f"debian.preseed.j2:{message}")


def test_a_template_is_filled_in_for_its_family(folder: Folder) -> None:
    folder.write("debian.preseed.j2", "{{ codename }} {{ mirror }} {{ root_password }}\n")
    family = catalog.find(folder.path, "debian-12-x86_64-base")
    text = unattended.render(family, mirror="http://mirror.example", root_password="secret")
    assert text == "bookworm http://mirror.example secret\n"


@pytest.mark.parametrize(
    ("slug", "message", "hint"),
    [
        (
            "debian-12-x86_64-sever",
            "unknown flavour of debian-12-x86_64: sever",
            "did you mean server?",
        ),
        (
            "debian-12-x86_64-zzz",
            "unknown flavour of debian-12-x86_64: zzz",
            "there are base, server",
        ),
        (
            "debian-13-x86_64-server",
            "unknown family: debian-13-x86_64-server",
            "did you mean debian-12-x86_64-server?",
        ),
        ("zzz", "unknown family: zzz", "`imagecycle list` shows the families"),
    ],
)
def test_an_unknown_family_gets_the_nearest_name(
    folder: Folder, slug: str, message: str, hint: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        catalog.find(folder.path, slug)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no catalog in"):
        catalog.load(tmp_path / "nothing")


EXPLAINED = """\
explained:
  - check: ownership.every_file_is_explained
    what: /opt/agent/**
    reason: The agent
architectures:
"""


def test_explanations_of_a_system_and_of_its_flavours_are_joined(folder: Folder) -> None:
    folder.spoil("architectures:\n", EXPLAINED)
    folder.spoil(
        "    extends: base\n",
        "    extends: base\n    explained: [{check: a.b, what: /srv/*, reason: Data}]\n",
    )
    base, server = catalog.load(folder.path)
    agent = Explained("ownership.every_file_is_explained", "/opt/agent/**", "The agent")
    assert base.explained == (agent,)
    assert server.explained == (agent, Explained("a.b", "/srv/*", "Data"))


def test_an_explanation_without_a_reason_is_refused(folder: Folder) -> None:
    folder.spoil("architectures:\n", EXPLAINED.replace("    reason: The agent\n", ""))
    (mistake,) = folder.mistakes()
    assert "debian.yaml:14: explained.0.reason is missing" in mistake


SECURITY = "security_profile: {guide: g.xml, profile: p, score: 70, accepted: [%s]}"


def test_the_security_profile_of_a_flavour_replaces_that_of_its_file(folder: Folder) -> None:
    of_file = SECURITY % "{rule: a, reason: so}"
    of_server = "security_profile: {guide: g.xml, profile: strict, severity: high}"
    folder.spoil("disk: 3\n", f"disk: 3\n{of_file}\n")
    folder.spoil("    packages: [less, curl]", f"    {of_server}\n    packages: [less, curl]")
    base, server = (one.security_profile for one in catalog.load(folder.path))
    accepted = (AcceptedRule("a", "so"),)
    assert base == SecurityProfile("g.xml", "p", score=70, accepted=accepted)
    assert server == SecurityProfile("g.xml", "strict", severity="high")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (SECURITY % "{rule: a}", "accepted.0.reason is missing"),
        (SECURITY.replace("70", "170") % "", "the lowest score that is enough, 0 to 100"),
        ("security_profile: {guide: ../g.xml, profile: p}", "a SCAP data stream"),
        ("security_profile: {guide: g.xml, profile: p, severity: huge}", "any, low, medium or"),
        ("security_profile: {guide: g.xml}", "security_profile.profile is missing"),
    ],
)
def test_a_wrong_security_profile_is_named(folder: Folder, line: str, words: str) -> None:
    folder.spoil("disk: 3\n", f"disk: 3\n{line}\n")
    assert words in "\n".join(folder.mistakes())


def test_no_security_profile_is_asked_of_windows(tmp_path: Path) -> None:
    windows = Folder(tmp_path)
    windows.spoil("type: linux", "type: windows\n" + SECURITY % "")
    windows.spoil("distro: debian", "distro: windows")
    assert "disks of Windows cannot be scanned" in "\n".join(windows.mistakes())


def test_the_hardened_flavour_asks_for_its_guide_and_others_do_not() -> None:
    families = {one.slug: one for one in catalog.load(site.CATALOG)}
    asking = [name for name, one in families.items() if one.security_profile is not None]
    assert asking == ["debian-12-x86_64-hardened"]
    profile = families["debian-12-x86_64-hardened"].security_profile
    assert profile is not None
    assert (profile.guide, profile.profile) == ("ssg-debian12-ds.xml", "anssi_bp28_high")
    assert (profile.severity, profile.score > 60) == ("any", True)
