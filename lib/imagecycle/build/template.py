"""Oz's template (TDL) of a family: the system, its media and the flavour's customisation.

The language is described in Oz's documentation, "Oz Template Description Language".
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from imagecycle.model import Family


def installation(family: Family, *, name: str, media_url: str, root_password: str) -> str:
    """The template of the installation that all flavours of a system share.

    :param name: of the domain and the disk.
    :param media_url: of the install tree or the ISO image.
    """
    template = _system(family, name, media_url, root_password)
    return _text(template)


def customisation(
    family: Family,
    *,
    name: str,
    media_url: str,
    root_password: str,
    before: Sequence[str],
    after: Sequence[str],
) -> str:
    """The template of the same system with the flavour's packages and commands.

    :param before: shell commands run in the guest before packages are installed, in their order.
    :param after: shell commands run afterwards.
    """
    template = _system(family, name, media_url, root_password)
    _commands(template, "precommands", before)
    packages = ElementTree.SubElement(template, "packages")
    for package in family.packages:
        ElementTree.SubElement(packages, "package", name=package)
    _commands(template, "commands", after)
    return _text(template)


def _commands(template: ElementTree.Element, kind: str, texts: Sequence[str]) -> None:
    commands = ElementTree.SubElement(template, kind)
    for number, text in enumerate(texts, start=1):
        command = ElementTree.SubElement(
            commands, "command", name=f"c{number}", position=str(number)
        )
        command.text = text


def _system(family: Family, name: str, media_url: str, root_password: str) -> ElementTree.Element:
    template = ElementTree.Element("template")
    ElementTree.SubElement(template, "name").text = name
    system = ElementTree.SubElement(template, "os")
    ElementTree.SubElement(system, "name").text = family.oz_name
    ElementTree.SubElement(system, "version").text = family.oz_version
    ElementTree.SubElement(system, "arch").text = family.arch
    kind = "iso" if family.media.kind == "iso" else "url"
    install = ElementTree.SubElement(system, "install", type=kind)
    ElementTree.SubElement(install, kind).text = media_url
    ElementTree.SubElement(system, "rootpw").text = root_password
    disk = ElementTree.SubElement(template, "disk")
    ElementTree.SubElement(disk, "size").text = str(family.installed_disk_gib)
    return template


def _text(template: ElementTree.Element) -> str:
    ElementTree.indent(template)
    return ElementTree.tostring(template, encoding="unicode") + "\n"
