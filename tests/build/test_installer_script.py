"""What the small installer writes to a disk, by the architecture that it runs on."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from imagecycle.build.installtree import INSTALLER

SCRIPT = (INSTALLER / "scripts" / "installer").read_text()
ROOT_X86_64 = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
ROOT_AARCH64 = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE"
"""Both from the Discoverable Partitions Specification"""


def part(first: str, last: str) -> str:
    found = re.search(rf"^{first}.*?^{last}$", SCRIPT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


def run(machine: str, body: str) -> str:
    """Run a piece of the installer as on a machine of that architecture."""
    text = f"""\
uname() {{ echo {machine}; }}
{part("SCREEN=", "TARGET=/target")}
PATH=$PATH:/usr/sbin:/sbin
fail() {{ echo "failed: $*"; exit 1; }}
{body}
"""
    done = subprocess.run(
        ["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("x86_64", [(14, "bios"), (15, "efi"), (1, "root")]),
        ("aarch64", [(15, "efi"), (1, "root")]),
    ],
)
def test_the_root_partition_comes_last(
    machine: str, expected: list[tuple[int, str]], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as stream:
        stream.truncate(2**30)
    function = part(r"partition_disk\(\)", "}").replace("mkfs.vfat", "true")
    said = run(
        machine,
        f"wait_for_udev() {{ :; }}\ndisk={disk}\n{function}\npartition_disk\nsfdisk --json $disk",
    )
    found = json.loads(said)["partitiontable"]["partitions"]
    found.sort(key=lambda one: one["start"])
    numbers = [(int(one["node"].removeprefix(str(disk))), one["name"]) for one in found]
    assert numbers == expected
    assert found[-1]["type"] == (ROOT_X86_64 if machine == "x86_64" else ROOT_AARCH64)
    assert all(one["start"] % 2048 == 0 for one in found)
    assert found[-1]["start"] + found[-1]["size"] > 2**30 // 512 - 4096


@pytest.mark.parametrize(
    ("machine", "loaders", "serial"),
    [("x86_64", ["i386-pc", "x86_64-efi"], "ttyS0"), ("aarch64", ["arm64-efi"], "ttyAMA0")],
)
def test_every_way_to_boot_gets_its_loader(
    machine: str, loaders: list[str], serial: str, tmp_path: Path
) -> None:
    (tmp_path / "etc/default").mkdir(parents=True)
    function = part("install_boot_loader", "}").replace("in-target", "echo")
    said = run(
        machine,
        f"TARGET={tmp_path}\ndisk=/dev/vda\n"
        'answer() { echo "$2"; }\n'
        f"{function}\ninstall_boot_loader",
    )
    assert re.findall(r"--target=(\S+)", said) == loaders
    grub = (tmp_path / "etc/default/grub").read_text()
    assert f'GRUB_CMDLINE_LINUX="console=tty0 console={serial},115200"' in grub
    assert ("console serial" in grub) == (machine == "x86_64")
