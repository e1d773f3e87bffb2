"""Answers are what their installers take, by the field's own tools or by their schemas' facts."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

import installer_facts as facts
from imagecycle import catalog
from imagecycle.catalog import unattended
from imagecycle.model import Family, Media
from imagecycle.site import CATALOG

MIRROR = {"mirror": "http://m.example/debian", "security_mirror": "http://m.example/security"}


def installations(kind: str) -> Iterator[Family]:
    """One family of each system whose answers are of a kind."""
    seen: set[str] = set()
    for family in catalog.load(CATALOG):
        if family.unattended.name.split(".")[-2] == kind and family.installation not in seen:
            seen.add(family.installation)
            yield family


def each(kind: str) -> pytest.MarkDecorator:
    families = list(installations(kind))
    assert families, kind
    return pytest.mark.parametrize("family", families, ids=lambda family: family.installation)


def render(family: Family) -> str:
    return unattended.render(family, **MIRROR)


def kickstart_version(family: Family) -> str:
    """In pykickstart's words."""
    if family.distro == "fedora":
        return f"F{family.version}"
    return f"RHEL{family.version.removeprefix('stream')}"


@each("ks")
def test_a_kickstart_is_right_at_its_version(family: Family, tmp_path: Path) -> None:
    answers = tmp_path / "ks.cfg"
    answers.write_text(render(family))
    program = Path(sys.executable).with_name("ksvalidator")
    checked = subprocess.run(
        [program, "--followincludes", "--firsterror", "-v", kickstart_version(family), answers],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "deprecated" not in checked.stdout + checked.stderr


@each("preseed")
def test_a_preseed_file_is_one_for_debconf(family: Family, tmp_path: Path) -> None:
    answers = tmp_path / "preseed.cfg"
    answers.write_text(render(family))
    checked = subprocess.run(
        ["debconf-set-selections", "--checkonly", answers],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_a_preseed_file_names_the_mirror_as_the_installer_asks_for_it(protocol: str) -> None:
    family = next(installations("preseed"))
    stock = dataclasses.replace(family, media=Media("url", "http://m.example/netboot", "0" * 64))
    said = unattended.render(stock, mirror=f"{protocol}://m.example/a/debian")
    mirror = [line for line in said.splitlines() if "mirror/" in line]
    assert mirror == [
        f"d-i mirror/protocol select {protocol}",
        "d-i mirror/country string manual",
        f"d-i mirror/{protocol}/hostname string m.example",
        f"d-i mirror/{protocol}/directory string /a/debian",
        f"d-i mirror/{protocol}/proxy string",
    ]


@each("preseed")
def test_debians_installer_puts_root_last_and_makes_every_way_to_boot(family: Family) -> None:
    medium = Media("iso", "http://m.example/netinst.iso", "0" * 64)
    said = render(dataclasses.replace(family, media=medium))
    (recipe,) = re.findall(r"^d-i partman-auto/expert_recipe string cloud :: (.+)$", said, re.M)
    methods = re.findall(r"\bmethod\{ (\w+) \}", recipe)
    first = {"bios": "biosgrub", "uefi": "efi"}
    assert methods == [*(first[one] for one in family.firmware), "format"]
    assert recipe.endswith("mountpoint{ / } .")
    assert "d-i partman-auto/choose_recipe select cloud" in said
    assert "d-i grub-installer/force-efi-extra-removable boolean true" in said
    assert ("grub-install --target=i386-pc" in said) == ("bios" in family.firmware)
    assert (" grub-pc-bin\n" in said) == ("bios" in family.firmware)


@each("autoinstall")
def test_an_autoinstall_file_fits_subiquitys_schema(family: Family) -> None:
    text = render(family)
    assert text.startswith("#cloud-config\n")
    answers = yaml.safe_load(text)["autoinstall"]
    jsonschema.validate(answers, facts.AUTOINSTALL)
    actions = {action["id"]: action for action in answers["storage"]["config"]}
    for action in actions.values():
        assert {action.get("device"), action.get("volume")} - {None} <= actions.keys()
    *_, last = [one["id"] for one in actions.values() if one["type"] == "partition"]
    assert (last, actions["root"]["size"]) == ("root", -1)
    assert ("bios" in actions) == ("bios" in family.firmware)
    assert answers["storage"]["swap"] == {"size": 0}


@each("agama")
def test_a_profile_fits_agamas_schema(family: Family) -> None:
    profile = json.loads(render(family))
    jsonschema.validate(profile, facts.AGAMA)
    (drive,) = profile["storage"]["drives"]
    *first, root = drive["partitions"]
    assert root["filesystem"]["path"] == "/"
    assert {"bios_boot", "esp"} & {one.get("id") for one in first} == {
        {"bios": "bios_boot", "uefi": "esp"}[firmware] for firmware in family.firmware
    }


@each("autoyast")
def test_a_control_file_has_what_autoyast_knows(family: Family) -> None:
    root = ElementTree.fromstring(render(family))
    space, config = "{http://www.suse.com/1.0/yast2ns}", "{http://www.suse.com/1.0/configns}type"
    assert root.tag == f"{space}profile"
    assert {child.tag.removeprefix(space) for child in root} <= facts.AUTOYAST_SECTIONS
    for element in root.iter():
        name, kind = element.tag.removeprefix(space), element.get(config)
        if len(element) and name in facts.AUTOYAST_LISTS:
            assert kind == "list", name
        if kind == "boolean":
            assert element.text in ("true", "false"), name
        if kind == "integer":
            assert (element.text or "").isdigit(), name
    mode = root.find(f"{space}general/{space}mode")
    assert mode is not None
    assert {one.tag.removeprefix(space) for one in mode} <= facts.AUTOYAST_MODE
    partitions = list(root.iter(f"{space}partition"))
    known = {f"{space}{name}" for name in facts.AUTOYAST_PARTITION}
    assert all({one.tag for one in partition} <= known for partition in partitions)
    assert partitions[-1].findtext(f"{space}mount") == "/"
    assert partitions[-1].findtext(f"{space}size") == "max"
    ids = {partition.findtext(f"{space}partition_id") for partition in partitions} - {None}
    assert ids == {
        {"bios": facts.BIOS_BOOT, "uefi": facts.EFI_SYSTEM}[one] for one in family.firmware
    }


@pytest.mark.parametrize("kind", ["ks", "autoinstall", "autoyast", "agama", "preseed"])
def test_no_answers_hold_a_password_or_leave_swap(kind: str) -> None:
    for family in installations(kind):
        text = render(family)
        assert "swap" not in text.replace("no_swap", "").replace("no swap", "").replace(
            "swap: {size: 0}", ""
        )
        assert "$6$" not in text
        assert "console=tty0 console=tty" in text


@pytest.mark.parametrize("kind", ["ks", "autoinstall", "autoyast", "agama", "preseed"])
def test_contextualisation_looks_where_openstack_is_and_makes_the_declared_account(
    kind: str,
) -> None:
    for family in installations(kind):
        if family.distro == "slc":
            continue  # its media bring no cloud-init
        text = render(family)
        assert "datasource_list: [ConfigDrive, OpenStack, None]" in text
        assert family.admin_user in text


def test_scientific_linux_gets_contextualisation_from_the_sites_repository() -> None:
    import dataclasses

    for family in installations("ks"):
        if family.distro == "slc":
            assert "cloud-init" not in render(family).replace("no cloud-init", "")
            media = dataclasses.replace(family.media, repositories={"epel": "http://m.example/e"})
            text = render(dataclasses.replace(family, media=media))
            assert "repo --name=epel --baseurl=http://m.example/e\n" in text
            assert "\ncloud-init\n" in text
