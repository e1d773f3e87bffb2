"""Media of Microsoft's layout, made by wimlib and genisoimage, and read by imagecycle."""

import subprocess
from pathlib import Path

import pytest

from imagecycle.errors import UsageError
from imagecycle.systems import windows_media

pytestmark = pytest.mark.integration

EDITIONS = (("ServerStandard", "Server Core"), ("ServerDatacenterEval", "Server"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree as on an ISO, its install.wim made by wimlib."""
    system = tmp_path / "system"
    sources = tmp_path / "iso" / "sources"
    system.mkdir()
    sources.mkdir(parents=True)
    (system / "large").write_bytes(bytes(range(256)) * 16_000)
    verb = "capture"
    for edition, kind in EDITIONS:
        properties = {
            "ARCH": "9",
            "EDITIONID": edition,
            "INSTALLATIONTYPE": kind,
            "VERSION/BUILD": "20348",
            "LANGUAGES/LANGUAGE": "en-US",
        }
        words = [f"--image-property=WINDOWS/{name}={value}" for name, value in properties.items()]
        run("wimlib-imagex", verb, system, sources / "install.wim", f"Windows {edition}", *words)
        verb = "append"
    return tmp_path / "iso"


def run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, timeout=60, stdout=subprocess.DEVNULL)


def iso(tree: Path, *options: str) -> Path:
    path = tree.parent / "medium.iso"
    run("genisoimage", "-quiet", "-iso-level", "3", *options, "-o", path, tree)
    return path


def found(medium: Path) -> list[tuple[int, str, str, str, int, tuple[str, ...]]]:
    return [
        (one.index, one.edition_id, one.installation_type, one.arch, one.build, one.languages)
        for one in windows_media.offered(medium)
        if one.size == 256 * 16_000
    ]


EXPECTED = [
    (number, edition, kind, "x86_64", 20348, ("en-US",))
    for number, (edition, kind) in enumerate(EDITIONS, start=1)
]


@pytest.mark.parametrize("options", [("-udf",), ()])
def test_the_images_of_an_iso_are_read_in_place(tree: Path, options: tuple[str, ...]) -> None:
    assert found(iso(tree, *options)) == EXPECTED


def test_the_images_of_an_esd_are_read(tree: Path) -> None:
    wim, esd = tree / "sources" / "install.wim", tree / "sources" / "install.esd"
    run("wimlib-imagex", "export", wim, "all", esd, "--solid")
    wim.unlink()
    assert found(iso(tree, "-udf")) == EXPECTED


def test_the_images_of_split_files_are_read(tree: Path) -> None:
    wim, swm = tree / "sources" / "install.wim", tree / "sources" / "install.swm"
    run("wimlib-imagex", "split", wim, swm, "1")
    wim.unlink()
    assert found(iso(tree, "-udf")) == EXPECTED


def test_an_iso_with_something_else_is_no_medium(tree: Path) -> None:
    (tree / "sources" / "install.wim").unlink()
    (tree / "viostor").mkdir()
    with pytest.raises(UsageError, match=r"holds none of install.wim"):
        windows_media.offered(iso(tree, "-udf"))
