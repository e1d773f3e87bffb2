"""Where apt gives up at a file of its settings or sources."""

from pathlib import Path

import pytest

from imagecycle.build.offline import MountedSystem
from imagecycle.systems.apt import Apt

GOOD = """\
// a comment; { that says "nothing
APT::NeverAutoRemove { "^firmware-linux.*"; "^linux-firmware$"; };
DPkg::Post-Invoke {"rm -f /var/cache/apt/*.bin || true";};
/* Acquire { */
Acquire::http::Pipeline-Depth 0; # and more
#clear APT::Update;
APT { Install-Recommends "true"; Periodic { Unattended-Upgrade "1"; }; };
"""


def _broken(tmp_path: Path, name: str, text: str) -> list[tuple[str, str]]:
    place = tmp_path / "etc/apt" / name
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return Apt().unreadable(MountedSystem(tmp_path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apt.conf.d/50x", GOOD),
        ("apt.conf.d/50x.disabled", "{"),
        ("sources.list.d/a.list", "# none\ndeb [arch=amd64] https://a.example/ bookworm main\n"),
        ("sources.list.d/b.list", "deb file:/srv/mirror ./\ndeb cdrom:[Debian 12]/ bookworm main"),
        ("sources.list.d/a.sources", "Types: deb\nURIs: http://a.example\nSuites: ./\n"),
        ("sources.list.d/a.list.save", "nonsense\n"),
    ],
)
def test_what_apt_reads_is_no_defect(tmp_path: Path, name: str, text: str) -> None:
    assert _broken(tmp_path, name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("apt.conf.d/50x", 'A "1"\nB "2";\n', 'lacks a semicolon after A "1"'),
        ("apt.conf.d/50x", "A 1\nB 2;\n", "lacks a semicolon after A 1"),
        ("apt.conf.d/50x", 'A "1"\n', 'lacks a semicolon after A "1"'),
        ("apt.conf.d/50x", 'A { B "1"; ', "has a brace that nothing closes"),
        ("apt.conf.d/50x", 'A "1"; };', "closes a brace that nothing opens"),
        ("apt.conf.d/50x", 'A "1;\n', "has a quotation mark that nothing closes"),
        ("sources.list", "dib http://a.example bookworm main\n", "says dib http://a.example"),
        ("sources.list", "deb http://a.example bookworm\n", "says deb http://a.example bookworm"),
        ("sources.list.d/a.sources", "Types: deb\nURIs: http://a.example\n", "leaves out suites"),
    ],
)
def test_what_apt_stops_at_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    ((path, why),) = _broken(tmp_path, name, text)
    assert path == f"/etc/apt/{name}"
    assert why.startswith(words)
