"""``imagecycle build`` beside bare ``oz-install`` and beside Packer, on the same install media.

Each is timed as a whole process, in turn, so that a machine that gets slower slows all three. The
others stop when the system is installed; ``imagecycle build`` also cleans it, lists its packages,
compresses the disk and writes the records.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import Row
from imagecycle import catalog, command
from imagecycle.build import cpio, installtree, template
from imagecycle.catalog import unattended
from imagecycle.errors import ImagecycleError
from imagecycle.machine import accelerator
from imagecycle.model import Family
from imagecycle.site import CATALOG, Site
from imagecycle.systems import mirror

FAMILY = "debian-12-x86_64-base"
TIMEOUT = 1800.0
RUNS = int(os.environ.get("IMAGECYCLE_BENCH_RUNS", "3"))
OZ_KNOWS = "9"
"""The Debian release that bare Oz 0.17 takes the media for; the installation is the same."""


def rows(site: Site, scratch: Path) -> list[Row]:
    """Medians of the three, and the two ratios.

    :raises ImagecycleError: when Packer is not installed.
    """
    if shutil.which("packer") is None:
        raise ImagecycleError("packer is not installed", hint="apt-get install packer")
    family = catalog.find(CATALOG, FAMILY)
    tree = installtree.ensure(family, site, mirror.find(site))
    scratch.chmod(0o755)
    contestants: dict[str, Callable[[Path], None]] = {
        "imagecycle build": lambda folder: _imagecycle(tree, site, folder),
        "oz-install": lambda folder: _oz(family, tree, folder),
        "packer build": lambda folder: _packer(family, tree, folder),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(RUNS):
        for name, contest in contestants.items():
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                Path(folder).chmod(0o755)
                started = time.monotonic()
                contest(Path(folder))
                seconds[name].append(time.monotonic() - started)
                print(f"  {name}: {seconds[name][-1]:.1f} s", file=sys.stderr)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours = medians["imagecycle build"]
    how = f"median of {RUNS} runs in turn, whole processes, {FAMILY}, the same install tree"
    return [
        Row(
            f"imagecycle build / {other}",
            ours,
            "s",
            medians[other],
            ours / medians[other],
            f"at most {target:.2f}",
            how,
        )
        for other, target in (("oz-install", 1.05), ("packer build", 1.00))
    ]


def _imagecycle(tree: installtree.InstallTree, site: Site, folder: Path) -> None:
    home = folder / "home"
    cache = home / "cache" / "install-trees"
    cache.mkdir(parents=True)
    shutil.copytree(tree.folder, cache / tree.folder.name, copy_function=os.link)
    accelerator.find(site)
    found = site.cache / "accelerator.json"
    if found.exists():
        shutil.copy(found, home / "cache")
    command.run(
        [sys.executable, "-m", "imagecycle", "build", FAMILY],
        timeout=TIMEOUT,
        env={"IMAGECYCLE_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _oz(family: Family, tree: installtree.InstallTree, folder: Path) -> None:
    known = dataclasses.replace(family, oz_version=OZ_KNOWS)
    described = template.installation(
        known, name="imagecycle-bench-oz", media_url=tree.url, root_password="x"
    )
    (folder / "t.tdl").write_text(described)
    (folder / "answers").write_text(unattended.render(family))
    (folder / "oz.cfg").write_text(
        f"[paths]\noutput_dir = {folder}\ndata_dir = {folder}/oz\nscreenshot_dir = {folder}\n"
        f"[libvirt]\ntype = qemu\nmemory = {family.install_memory_mib}\n"
        "[cache]\noriginal_media = no\n"
    )
    command.run(
        ["oz-install", "-d3", "-p", "-a", "answers", "-c", "oz.cfg", "-x", "out.xml", "t.tdl"],
        timeout=TIMEOUT,
        cwd=folder,
    )
    _must_be_installed(folder / "imagecycle-bench-oz.dsk")


def _packer(family: Family, tree: installtree.InstallTree, folder: Path) -> None:
    boot = tree.folder / "debian-installer" / "amd64"
    answers = folder / "answers"
    answers.write_text(unattended.render(family))
    cpio.write(folder / "answers.cpio", {"preseed.cfg": answers})
    initrd = folder / "initrd.gz"
    shutil.copyfile(boot / "initrd.gz", initrd)
    with gzip.open(initrd, "ab") as stream:
        stream.write((folder / "answers.cpio").read_bytes())
    (folder / "empty.iso").write_bytes(b"\0" * 2048)
    builder = {
        "type": "qemu",
        "accelerator": "tcg",
        "communicator": "none",
        "headless": True,
        "iso_url": str(folder / "empty.iso"),
        "iso_checksum": "none",
        "disk_size": f"{family.disk_gib}G",
        "format": "qcow2",
        "skip_compaction": True,
        "disk_interface": "virtio",
        "memory": family.install_memory_mib,
        "output_directory": str(folder / "out"),
        "vm_name": "disk",
        "shutdown_timeout": "30m",
        "qemuargs": [
            ["-kernel", str(boot / "linux")],
            ["-initrd", str(initrd)],
            ["-append", "priority=critical locale=en_US console=tty0 console=ttyS0,115200"],
            ["-device", "virtio-rng-pci"],
        ],
    }
    (folder / "packer.json").write_text(json.dumps({"builders": [builder]}))
    command.run(
        ["packer", "build", "-color=false", "packer.json"],
        timeout=TIMEOUT,
        cwd=folder,
        env={"PACKER_CACHE_DIR": str(folder / "cache"), "CHECKPOINT_DISABLE": "1"},
    )
    _must_be_installed(folder / "out" / "disk")


def _must_be_installed(disk: Path) -> None:
    """A contestant that failed silently must not look fast."""
    if disk.stat().st_blocks * 512 < 300 * 2**20:
        raise RuntimeError(f"{disk} was not installed")
