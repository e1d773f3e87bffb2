"""Kernel and initial RAM disk."""

from collections.abc import Iterator, Mapping

from imagecycle.verify import ram_disk
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

DRIVERS = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod")
"""Of the buses that Nova gives to disks of this kind"""


def test_the_running_one_is_the_newest(told: Mapping[str, str]) -> None:
    """Servers start with a kernel whose defects the image's own newer one has mended."""
    assert told["kernel"] == told["kernels"].splitlines()[-1]


def test_has_its_modules_and_ram_disk(told: Mapping[str, str]) -> None:
    """The next boot fails, or finds no driver."""
    assert [what for what in ("modules", "ram_disk") if not told[what]] == []


def test_reports_nothing_critical(told: Mapping[str, str]) -> None:
    """The kernel finds something seriously wrong on every server."""
    assert told["kernel_trouble"].splitlines() == []


def test_ram_disk_drives_every_bus(pristine: Pristine, defects: Defects) -> None:
    """With another bus for its disk, a server finds no root file system."""
    assert defects(_without_driver(pristine)) == []


def _without_driver(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found("/boot/vmlinuz-*"):
        release = path.removeprefix("/boot/vmlinuz-")
        if "rescue" in release:
            continue
        places = pristine.found(pristine.system.initial_ram_disk.format(release=release))
        if not places:
            yield Finding(path, "has no initial RAM disk")
            continue
        folder = pristine.resolved(f"/lib/modules/{release}")
        if not pristine.filled(f"{folder}/modules.dep"):
            yield Finding(path, "has no modules")
            continue
        try:
            held = ram_disk.modules(pristine.files.read(places[0]))
        except ram_disk.Broken:
            yield Finding(places[0], "cannot be unpacked: a copy or a full disk cut it off")
            continue
        built_in = pristine.text(f"{folder}/modules.builtin")
        for driver in DRIVERS:
            if held is not None and driver not in held and f"/{driver}.ko" not in built_in:
                yield Finding(places[0], f"lacks {driver}")


def test_is_updated(pristine: Pristine, defects: Defects) -> None:
    """Servers keep this kernel for ever, whatever holes are found in it: no package asks for newer
    ones."""
    packages = pristine.system.packages
    names = [one.name for one in packages.installed(pristine.files)]
    kernels = [name for name in names if packages.kernel and packages.kernel.fullmatch(name)]
    followed = any(packages.newest_kernel.fullmatch(name) for name in names) if kernels else True
    assert defects(Finding(name, "is never updated") for name in kernels if not followed) == []
