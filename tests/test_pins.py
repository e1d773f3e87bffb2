"""What setup.cfg pins is what the tests run with, and what the code is built on."""

import ast
import configparser
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lib" / "imagecycle"
RUNNERS = PACKAGE / "devcloud" / "runners"
"""Run by the development cloud's services, in their own environment"""
DEBIANS = {"guestfs", "hivex", "libvirt", "oz"}
"""Modules of Debian's packages: they are not usable from the Python index"""
NOT_IMPORTED = {
    "pyspnego": "pywinrm logs in with NTLM through it; the stand-in for Windows speaks it too",
}
"""What is pinned and imported by others only, and why it is pinned"""


def pinned(*extras: str) -> list[str]:
    """The requirements of a run, and of these extras."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    more = config["options.extras_require"]
    texts = (config["options"]["install_requires"], *(more[extra] for extra in extras))
    lines = (line for text in texts for line in text.splitlines() if line)
    return [line for line in lines if not line.startswith("#")]


def requirements() -> list[str]:
    return pinned("test", "docs")


def names(found: list[str]) -> set[str]:
    """As the index compares them."""
    return {re.sub(r"[-_.]+", "-", text.partition("==")[0].strip()).lower() for text in found}


def imported() -> set[str]:
    """What the package imports that is neither Python's, Debian's nor its own."""
    found = {
        module.partition(".")[0]
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(RUNNERS)
        for module in modules(ast.parse(path.read_text()))
    }
    return found - set(sys.stdlib_module_names) - DEBIANS - {"imagecycle"}


def modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("requirement", requirements())
def test_what_is_pinned_is_what_is_installed(requirement: str) -> None:
    name, _, wanted = (part.strip() for part in requirement.partition("=="))
    installed = importlib.metadata.version(name)  # scripts/setup --tests brings what is missing
    assert not wanted or installed == wanted


def test_all_is_pinned_but_what_the_system_may_bring() -> None:
    loose = {text for text in requirements() if not re.search(r"==\d", text)}
    assert loose == {"PyYAML"}


def test_what_is_pinned_is_used_and_what_is_used_is_pinned() -> None:
    packages = importlib.metadata.packages_distributions()
    providers = {module: names(packages.get(module, [])) for module in imported()}
    wanted = names(pinned())
    assert {module for module, found in providers.items() if not found & wanted} == set()
    used = set().union(*providers.values())
    assert wanted - used == NOT_IMPORTED.keys()
