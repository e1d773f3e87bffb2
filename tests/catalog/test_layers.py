"""A site's own catalog folders, over the one that comes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagecycle import catalog
from imagecycle.errors import InvalidFile
from imagecycle.site import CATALOG, Site

FILE = """\
name: System 1
distro: debian
version: "1"
codename: one
type: linux
oz: {name: Debian, version: "12"}
unattended: system.preseed.j2
admin_user: debian
disk: 3
memory: {minimum: 512, install: 1024}
properties: {hw_disk_bus: virtio}
architectures:
  x86_64:
    media: {kind: iso}
    firmware: [bios]
flavours:
  base: {title: Base, description: Little}
  server: {title: Server, description: More, extends: base, packages: [less]}
"""


@pytest.fixture
def layers(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / "shipped", tmp_path / "site", tmp_path / "room"]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "system-1.yaml").write_text(FILE)
    (folders[0] / "system.preseed.j2").write_text("shipped\n")
    return folders


def mistakes(layers: list[Path]) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        catalog.load(layers)
    return str(caught.value).replace(f"{layers[0].parent}/", "").splitlines()


def test_a_site_adds_media_and_a_flavour_without_touching_what_is_shipped(
    layers: list[Path],
) -> None:
    assert not catalog.find(layers, "debian-1-x86_64-base").media.configured
    (layers[1] / "system-1.yaml").write_text(
        "architectures:\n"
        f"  x86_64: {{media: {{url: 'https://media.example/1.iso', sha256: '{'0' * 64}'}}}}\n"
        "flavours:\n"
        "  lab: {title: Lab, description: Ours, extends: server, packages: [gdb]}\n"
    )
    lab = catalog.find(layers, "debian-1-x86_64-lab")
    assert lab.packages == ("less", "gdb")
    assert lab.media.configured
    assert lab.media.kind == "iso"
    assert (layers[0] / "system-1.yaml").read_text() == FILE


def test_the_last_folder_counts_most(layers: list[Path]) -> None:
    (layers[1] / "system-1.yaml").write_text("disk: 5\nmemory: {minimum: 768}\n")
    (layers[2] / "system-1.yaml").write_text("disk: 7\n")
    family = catalog.find(layers, "debian-1-x86_64-base")
    assert (family.disk_gib, family.min_ram_mib, family.install_memory_mib) == (7, 768, 1024)


def test_a_template_of_a_later_folder_takes_the_place_of_an_earlier_one(
    layers: list[Path],
) -> None:
    (layers[1] / "system.preseed.j2").write_text("ours\n")
    assert catalog.find(layers, "debian-1-x86_64-base").unattended == (
        layers[1] / "system.preseed.j2"
    )


def test_null_takes_a_flavour_away(layers: list[Path]) -> None:
    (layers[1] / "system-1.yaml").write_text("flavours: {server: null}\n")
    assert [family.flavour for family in catalog.load(layers)] == ["base"]


def test_a_file_of_a_site_extends_one_that_is_shipped_with_what_the_site_adds_to_it(
    layers: list[Path],
) -> None:
    (layers[1] / "system-1.yaml").write_text("disk: 5\n")
    (layers[1] / "system-2.yaml").write_text('extends: system-1.yaml\nversion: "2"\n')
    assert catalog.find(layers, "debian-2-x86_64-base").disk_gib == 5


def test_a_mistake_is_named_in_the_folder_where_it_stands(layers: list[Path]) -> None:
    (layers[1] / "system-1.yaml").write_text("memory:\n  minimun: 512\n")
    assert mistakes(layers) == [
        "site/system-1.yaml:2: unknown key memory.minimun; did you mean minimum?"
    ]


def test_what_two_folders_say_must_fit_together(layers: list[Path]) -> None:
    (layers[1] / "system-1.yaml").write_text(
        "architectures:\n  x86_64:\n    media:\n      url: https://media.example/1.iso\n"
    )
    (layers[2] / "system-1.yaml").write_text("architectures: {x86_64: {media: {kind: tree}}}\n")
    assert mistakes(layers) == [
        "site/system-1.yaml:4: architectures.x86_64.media.url: a tree is made here and takes no url"
    ]


def test_a_family_that_two_files_declare_is_named_with_both(layers: list[Path]) -> None:
    (layers[1] / "mine.yaml").write_text("extends: system-1.yaml\n")
    found = mistakes(layers)
    assert len(found) == 2
    assert "debian-1-x86_64-base is declared a second time; first in" in found[0]


def test_what_a_site_says_of_a_system_does_not_reach_those_that_extend_it(
    layers: list[Path],
) -> None:
    (layers[0] / "system-2.yaml").write_text('extends: system-1.yaml\nversion: "2"\n')
    (layers[1] / "system-1.yaml").write_text("disk: 5\n")
    assert catalog.find(layers, "debian-1-x86_64-base").disk_gib == 5
    assert catalog.find(layers, "debian-2-x86_64-base").disk_gib == 3


def test_an_earlier_folder_cannot_lean_on_a_later_one(layers: list[Path]) -> None:
    (layers[1] / "a.yaml").write_text("extends: b.yaml\n")
    (layers[0] / "b.yaml").write_text("extends: a.yaml\n")
    assert mistakes(layers) == ["shipped/b.yaml:1: extends: there is no a.yaml beside this file"]


def test_a_folder_that_is_not_there_is_named(layers: list[Path]) -> None:
    layers[2].rmdir()
    assert mistakes(layers) == ["room:1: there is no such folder; see `catalog` of the site"]


def test_each_value_is_explained_with_the_file_and_the_line_that_it_comes_from(
    layers: list[Path],
) -> None:
    (layers[1] / "system-1.yaml").write_text(
        "disk: 5\nflavours:\n  server:\n    packages: [curl, rsync]\n  base: {title: Small}\n"
    )
    found = {
        one.place: (f"{one.path.parent.name}:{one.line}", one.value)
        for one in catalog.explain(layers, "debian-1-x86_64-server")
    }
    assert found["disk"] == ("site:1", "5")
    assert found["distro"] == ("shipped:2", "debian")
    assert found["flavours.server.packages"] == ("site:4", "curl, rsync")
    assert found["flavours.base.title"] == ("site:5", "Small")
    assert found["flavours.base.description"] == ("shipped:17", "Little")


def test_settings_name_the_folder_that_comes_along_by_a_word(tmp_path: Path) -> None:
    assert Site().catalog == (CATALOG,)
    assert Site.model_validate({"catalog": str(tmp_path)}).catalog == (tmp_path,)
    layered = Site.model_validate({"catalog": ["shipped", str(tmp_path)]})
    assert layered.catalog == (CATALOG, tmp_path)


@pytest.mark.parametrize(
    ("media", "mistake"),
    [
        (
            "{url: 'https://v.example/1.iso'}",
            "architectures.x86_64.media.sha256 is missing: media of kind iso need it",
        ),
        (
            "{url: 'https://v.example/1.iso', checksums: 'https://v.example/CHECKSUM'}",
            "architectures.x86_64.media.key is missing: a list of checksums counts when it is "
            "signed",
        ),
        (
            "{url: 'https://v.example/1.iso', checksums: 'https://v.example/CHECKSUM', key: v.asc}",
            "architectures.x86_64.media.key: there is no v.asc beside this file",
        ),
        (
            "{signature: 'https://v.example/CHECKSUM.sig'}",
            "architectures.x86_64.media.signature is of no use without checksums",
        ),
    ],
)
def test_media_are_named_with_all_that_makes_them_sure(
    media: str, mistake: str, layers: list[Path]
) -> None:
    (layers[1] / "system-1.yaml").write_text(f"architectures: {{x86_64: {{media: {media}}}}}\n")
    assert any(one == f"site/system-1.yaml:1: {mistake}" for one in mistakes(layers))


def test_media_tell_where_they_are_named(layers: list[Path]) -> None:
    (layers[1] / "v.asc").write_text("key")
    (layers[1] / "system-1.yaml").write_text(
        "architectures:\n  x86_64:\n    media:\n      url: https://v.example/1.iso\n"
        "      checksums: https://v.example/CHECKSUM\n      key: v.asc\n"
    )
    found = catalog.find(layers, "debian-1-x86_64-base").media
    assert found.place == f"{layers[1]}/system-1.yaml:4"
    assert found.key == layers[1] / "v.asc"
    assert found.configured
