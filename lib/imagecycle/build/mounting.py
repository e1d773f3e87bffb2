"""The file systems of a raw disk, mounted below one folder as its own ``fstab`` says.

The root is on the largest partition. Of the others, those are mounted that ``fstab`` names by what
is on this disk: a ``/boot`` or ``/var`` of its own, subvolumes of Btrfs. The firmware's partition
is left out: FAT knows neither owners nor modes, and every boot by UEFI tries what is on it. What
``fstab`` says comes from the disk, and leads no further than to the folder.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from imagecycle import command
from imagecycle.build import partitions
from imagecycle.build.partitions import FileSystem
from imagecycle.errors import ImagecycleError

MOUNTS = Path("/proc/self/mountinfo")
FSTAB = "/etc/fstab"
_SPACE = r"\040"  # as it is written in both
_TIMEOUT = 60.0
_LINKS = 40  # symbolic links in one path, as the kernel has it
_KINDS = ("ext2", "ext3", "ext4", "xfs", "btrfs")
_SUBVOLUME = re.compile(r"(?:^|,)subvol=(/?[\w@.-][\w@./-]*)(?:,|$)")


class NotForThisKernel(ImagecycleError):
    """What others, such as libguestfs, may be able to open."""


@contextlib.contextmanager
def mounted(disk: Path, scratch: Path, *, read_only: bool) -> Iterator[Sequence[Path]]:
    """The folders where a disk's file systems are mounted, for the length of a ``with`` block.

    The first of them is the root.

    :param scratch: a folder for the mount point.
    :raises CommandFailed: when one of them cannot be mounted.
    :raises NotForThisKernel: when the largest partition holds no usual file system.
    :raises ImagecycleError: when there is none at all.
    """
    found = partitions.found(disk)
    largest = _largest(disk, found)
    if largest.kind not in _KINDS:
        raise NotForThisKernel(f"{largest.kind} cannot be mounted here")
    root = Path(tempfile.mkdtemp(prefix="root-", dir=scratch))
    try:
        with contextlib.ExitStack() as stack:
            _mount(stack, disk, largest, root, read_only)
            points = [root]
            if not (root / "etc").exists() and (subvolume := _holding_the_root(root)):
                stack.close()
                _mount(stack, disk, largest, root, read_only, subvolume)
            for one, point, subvolume in _others(root, found):
                _mount(stack, disk, one, point, read_only, subvolume)
                points.append(point)
            yield points
    finally:
        root.rmdir()


def root_of(disk: Path) -> FileSystem:
    """The file system that is taken for a raw disk's root.

    :raises ImagecycleError: when there is none.
    """
    return _largest(disk, partitions.found(disk))


def _largest(disk: Path, found: Sequence[FileSystem]) -> FileSystem:
    if not found:
        raise ImagecycleError(
            f"{disk.name} holds no operating system: there is no file system on it",
            hint="look at the installer's console",
        )
    return max(found, key=lambda one: one.partition.size)


def _mount(
    stack: contextlib.ExitStack,
    disk: Path,
    one: FileSystem,
    point: Path,
    read_only: bool,
    subvolume: str = "",
) -> None:
    where = f"loop,offset={one.partition.start},sizelimit={one.partition.size}"
    options = f"{where},nodev,nosuid,noexec"
    options += ",ro" if read_only else ""
    options += f",subvol={subvolume}" if subvolume else ""
    command.run(["mount", "-t", one.kind, "-o", options, disk, point], timeout=_TIMEOUT)
    stack.callback(command.run, ["umount", point], timeout=_TIMEOUT)


def _holding_the_root(top: Path) -> str:
    """The folder of a Btrfs that is the root's subvolume, where the default one is not."""
    names = (place.parent.parent.name for place in top.glob(f"*{FSTAB}"))
    return next((name for name in names if _SUBVOLUME.match(f"subvol={name}")), "")


def _others(root: Path, found: Sequence[FileSystem]) -> Iterator[tuple[FileSystem, Path, str]]:
    """What else is to be mounted, where, and which subvolume; what others lie in comes first."""
    named = _names(found)
    with contextlib.suppress(ImagecycleError):
        place = inside(root, FSTAB)
        lines = place.read_text(errors="replace").splitlines() if place.is_file() else []
        fields = [line.split() for line in lines if not line.strip().startswith("#")]
        wanted = {
            parts[1].replace(_SPACE, " "): (named[parts[0]], parts[3] if parts[3:] else "")
            for parts in fields
            if len(parts) > 2 and parts[0] in named and parts[1].startswith("/")
        }
        for path in sorted(wanted, key=lambda path: path.count("/")):
            one, options = wanted[path]
            with contextlib.suppress(ImagecycleError):
                point = inside(root, path)
                if point != root and point.is_dir() and one.kind in _KINDS:
                    subvolume = _SUBVOLUME.search(options)
                    yield one, point, subvolume[1] if subvolume else ""


def _names(found: Sequence[FileSystem]) -> Mapping[str, FileSystem]:
    """The file systems, by what ``fstab`` may call them."""
    named: dict[str, FileSystem] = {}
    for one in found:
        for kind, by, value in (
            ("UUID", "uuid", one.uuid),
            ("LABEL", "label", one.label),
            ("PARTUUID", "partuuid", one.partition.uuid),
            ("PARTLABEL", "partlabel", one.partition.label),
        ):
            if value:
                named |= dict.fromkeys(
                    (f"{kind}={value}", f'{kind}="{value}"', f"/dev/disk/by-{by}/{value}"), one
                )
    return named


def inside(root: Path, path: str, *, follow: bool = True) -> Path:
    """The place of a path; a link leads no further than to the system's own root.

    :param follow: a link at the path's end, too.
    :raises ImagecycleError: when links lead in circles.
    """
    waiting = [part for part in reversed(path.split("/")) if part]
    place, links = root, 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            place = place if place == root else place.parent
            continue
        step = place / part
        if step.is_symlink() and (waiting or follow):
            links += 1
            if links > _LINKS:
                raise ImagecycleError(f"too many links in {path} of the system")
            target = str(step.readlink())
            place = root if target.startswith("/") else place
            waiting += [part for part in reversed(target.split("/")) if part not in ("", ".")]
        else:
            place = step
    return place


def unmount_left(scratch: Path) -> None:
    """Unmount what a run that was killed has left below a folder, the last first."""
    points = [line.split()[4] for line in MOUNTS.read_text().splitlines()]
    below = f"{str(scratch.resolve()).replace(' ', _SPACE)}/"
    for point in reversed([point for point in points if point.startswith(below)]):
        # what served it may be gone, so that nothing can be written any more
        argv = ["umount", "--lazy", point.replace(_SPACE, " ")]
        command.run(argv, timeout=_TIMEOUT, check=False)
