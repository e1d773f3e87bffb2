"""What setup.cfg pins is what the tests run with."""

import configparser
import importlib.metadata
import re
from pathlib import Path

import pytest

SETUP_CFG = Path(__file__).resolve().parents[1] / "setup.cfg"


def requirements() -> list[str]:
    config = configparser.ConfigParser()
    config.read(SETUP_CFG)
    extras = config["options.extras_require"]
    texts = (config["options"]["install_requires"], extras["test"], extras["docs"])
    lines = (line for text in texts for line in text.splitlines() if line)
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("requirement", requirements())
def test_what_is_pinned_is_what_is_installed(requirement: str) -> None:
    name, _, wanted = (part.strip() for part in requirement.partition("=="))
    installed = importlib.metadata.version(name)  # scripts/setup --tests brings what is missing
    assert not wanted or installed == wanted


def test_all_is_pinned_but_what_the_system_may_bring() -> None:
    loose = {text for text in requirements() if not re.search(r"==\d", text)}
    assert loose == {"PyYAML"}
