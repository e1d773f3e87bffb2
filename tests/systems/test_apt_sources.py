"""Where apt would fetch packages from."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.apt import Apt

LIST = """\
# deb http://commented.example/debian bookworm main
deb http://one.example/debian bookworm main # and more
deb-src [arch=amd64 trusted=yes] https://two.example/debian bookworm main
"""
STANZAS = """\
# The vendor's.
Types: deb
URIs: http://three.example/debian
 http://four.example/debian
Suites: trixie

Types: deb
Enabled: no
URIs: http://disabled.example/debian

Types: deb
URIs: http://five.example/debian
Trusted: yes
"""


@pytest.fixture
def disk(tmp_path: Path) -> MountedSystem:
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder.parent / "sources.list").write_text(LIST)
    (folder / "a.sources").write_text(STANZAS)
    (folder / "a.list.disabled").write_text("deb http://ignored.example/debian bookworm main\n")
    return MountedSystem(tmp_path)


def test_sources_of_both_forms_are_found(disk: MountedSystem) -> None:
    found = {source.address: source.unsigned for source in Apt().sources(disk)}
    assert found == {
        "http://one.example/debian": False,
        "https://two.example/debian": True,
        "http://three.example/debian": False,
        "http://four.example/debian": False,
        "http://five.example/debian": True,
    }


def test_a_source_is_named_with_its_file(disk: MountedSystem) -> None:
    assert {source.path for source in Apt().sources(disk)} == {
        "/etc/apt/sources.list",
        "/etc/apt/sources.list.d/a.sources",
    }
