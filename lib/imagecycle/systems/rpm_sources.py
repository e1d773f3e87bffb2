"""Where systems with RPM fetch packages from: the ``*.repo`` files of YUM, DNF and Zypper.

See dnf.conf(5), "REPO OPTIONS", and zypper(8), "Repository Management".
"""

from __future__ import annotations

import configparser
import contextlib
from collections.abc import Iterable, Mapping

from imagecycle.model import Repository
from imagecycle.systems import openpgp
from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Source

_ADDRESSES = ("baseurl", "metalink", "mirrorlist")
_NO = ("0", "false", "no", "off")


def sources(files: SystemFiles, main: Iterable[str], pattern: str) -> list[Source]:
    """The sources that are switched on, in the order of their files.

    :param main: files whose section ``main`` says what holds where a source says nothing.
    :param pattern: wildcard of the files that name sources.
    """
    checked = True
    for path in main:
        if files.exists(path):
            checked = _checked(_read(files, path), "main", checked)
    found = []
    for path in files.glob(pattern):
        parser = _read(files, path)
        for name in parser.sections():
            if parser.get(name, "enabled", fallback="1").strip().lower() in _NO:
                continue
            unsigned = not _checked(parser, name, checked)
            for option in _ADDRESSES:
                for address in parser.get(name, option, fallback="").split():
                    found.append(Source(path, address, unsigned))
    return found


def _read(files: SystemFiles, path: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    # nothing is fetched from what the package manager cannot read either
    with contextlib.suppress(configparser.Error):
        parser.read_string(files.read(path).decode(errors="replace"))
    return parser


def _checked(parser: configparser.ConfigParser, section: str, default: bool) -> bool:
    said = parser.get(section, "gpgcheck", fallback="").strip().lower()
    return said not in _NO if said else default


def of_flavour(repository: Repository, folder: str, keys: str) -> Mapping[str, bytes]:
    """The files of a package source that the catalog adds, packages of which must be signed."""
    key = f"{keys}/{repository.name}.asc"
    lines = [
        f"[{repository.name}]",
        f"name={repository.name}",
        f"baseurl={repository.url}",
        "enabled=1",
        "gpgcheck=1",
        f"gpgkey=file://{key}",
    ]
    return {
        key: openpgp.armoured(repository.key.read_bytes()),
        f"{folder}/{repository.name}.repo": "\n".join([*lines, ""]).encode(),
    }
