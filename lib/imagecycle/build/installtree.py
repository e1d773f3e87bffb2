"""The embedded install tree: a small unattended Debian installer, made from a package mirror.

For machines that cannot reach the vendor's installer. It has the layout that Oz expects of a
Debian tree (``debian-installer/amd64/linux`` and ``initrd.gz``) and takes its answers from the
preseed file that Oz injects; see ``docs/install-tree.rst`` for the keys that it knows. The tree is
kept in the cache until its inputs change: the package list, the installer's files, the mirror and
the state of its indexes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagecycle import command, log, systems
from imagecycle.artifacts import lock_file, write_text
from imagecycle.build import cpio, foreign_packages, second_stage, suite_index, tree_packages
from imagecycle.errors import CommandFailed, ImagecycleError, UsageError
from imagecycle.machine import platforms
from imagecycle.model import Family
from imagecycle.site import Site
from imagecycle.systems.mirror import Mirror

INSTALLER = Path(__file__).parent / "installer"
SUMS = "SHA256SUMS"
MAKE_TIMEOUT = 1200.0
_LOCK_WAIT = MAKE_TIMEOUT + second_stage.TIME_LIMIT
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
"""Of the root file system: what Debian 12 has by default, and its GRUB can read. A newer machine's
mke2fs would add more."""
_SETTINGS = "/etc/initramfs-tools/conf.d"
_ROOT_TYPE = f"{_SETTINGS}/root"
"""Says what the system's own initramfs needs to check its root file system: the device that it
would look at is not there yet"""
_SHOWN = 5  # files that a mirror lacks, in a message
_DIGITS = 12  # of a digest, in a folder's name


@dataclass(frozen=True)
class InstallTree:
    """A tree on disk; ``digest`` names its content."""

    folder: Path
    digest: str

    @property
    def url(self) -> str:
        return self.folder.as_uri()


def ensure(family: Family, site: Site, mirror: Mirror) -> InstallTree:
    """The install tree of a family's system: the cached one, or a new one.

    :raises ImagecycleError: when the mirror does not answer and nothing is cached, or the tree
        cannot be made.
    """
    lock = site.cache / "install-trees" / f".{family.installation}.lock"
    with lock_file(lock, "the install tree", "making it", wait=_LOCK_WAIT):
        return _ensure(family, site, mirror)


def identify(family: Family, site: Site, mirror: Mirror) -> tuple[str, dict[str, str]]:
    """The digest of the tree that :func:`ensure` would give, without making it.

    :returns: the digest, and those of the tree's ingredients; they are unknown, and none, when the
        mirror does not answer.
    :raises ImagecycleError: when the mirror does not answer and nothing is cached.
    """
    if family.arch not in systems.of(family).tree_architectures:
        raise UsageError(
            f"{family.slug}: no install tree can be made for this system on {family.arch}",
            hint="declare the vendor's media (kind: url or iso) in the catalog",
        )
    try:
        found = ingredients(family, mirror)
    except ImagecycleError as error:
        for folder in _cached(family, site):
            log.warn(f"{error.message}; using the existing install tree")
            return folder.name.rpartition("-")[2], {}
        raise
    text = "".join(f"{name} {digest}\n" for name, digest in found.items())
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS], found


def _ensure(family: Family, site: Site, mirror: Mirror) -> InstallTree:
    digest, _ = identify(family, site, mirror)
    cached = _cached(family, site)
    folder = site.cache / "install-trees" / f"{family.installation}-{digest}"
    if folder in cached:
        if _sound(folder):
            os.utime(folder)
            return InstallTree(folder, digest)
        log.warn(f"{folder} does not match its checksums; it is made again")
    with (
        log.step(f"making an install tree for {family.installation}"),
        _scratch(site) as scratch,
    ):
        _make(family, mirror, scratch)
        shutil.rmtree(folder, ignore_errors=True)
        (scratch / "tree").rename(folder)
    for old in cached:
        if old != folder:
            shutil.rmtree(old)
    return InstallTree(folder, digest)


def _cached(family: Family, site: Site) -> list[Path]:
    """The trees made before, the one used last first."""
    found = (site.cache / "install-trees").glob(f"{family.installation}-*")
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def ingredients(family: Family, mirror: Mirror) -> dict[str, str]:
    """What a tree is made from, and the digest of each.

    :raises ImagecycleError: when the mirror does not answer, or its index has expired.
    """
    maker = hashlib.sha256(f"{family.codename} {family.arch}".encode())
    makers = [Path(one) for one in (__file__, foreign_packages.__file__, second_stage.__file__)]
    for path in (*makers, *sorted(INSTALLER.rglob("*"))):
        if path.is_file():
            maker.update(path.name.encode() + path.read_bytes())
    addresses = f"{mirror.url} {mirror.security_url}".encode()
    found = {
        "maker of the install tree": maker.hexdigest(),
        "addresses of the package mirror": hashlib.sha256(addresses).hexdigest(),
    }
    for root, suite in mirror.suites(family.codename):
        index = suite_index.fetch(root, suite)
        suite_index.refuse_expired(root, suite, index, mirror.index_days)
        found[f"package index of {suite}"] = hashlib.sha256(index).hexdigest()
    return found


@contextlib.contextmanager
def _scratch(site: Site) -> Iterator[Path]:
    site.work.mkdir(parents=True, exist_ok=True)
    for left in site.work.glob("install-tree-*"):
        shutil.rmtree(left, ignore_errors=True)  # by a run that died: this one holds the lock
    scratch = Path(tempfile.mkdtemp(prefix="install-tree-", dir=site.work))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _make(family: Family, mirror: Mirror, scratch: Path) -> None:
    architecture = systems.of(family).tree_architectures[family.arch]
    boot = scratch / "tree" / "debian-installer" / architecture
    boot.mkdir(parents=True)
    here = command.run(["dpkg", "--print-architecture"], timeout=30).stdout.strip()
    make = _bootstrap if architecture == here else _bootstrap_foreign
    root, image = scratch / "root", scratch / "root.ext4"
    make(family, mirror, root, image, boot)
    with log.step("packing"):
        command.run(["zstd", "-q", "-5", "-T0", "--rm", image], timeout=MAKE_TIMEOUT)
        packed = image.with_name("root.ext4.zst")
        initrd = boot / "initrd.gz"
        cpio.write(initrd, {packed.name: packed})
        with initrd.open("ab") as stream, (boot / "installer").open("rb") as installer:
            shutil.copyfileobj(installer, stream)
        (boot / "installer").unlink()
    sums = [
        f"{_sha256(path)}  {path.relative_to(scratch / 'tree')}" for path in sorted(boot.iterdir())
    ]
    write_text(scratch / "tree" / SUMS, "\n".join(sums) + "\n")


def _bootstrap(family: Family, mirror: Mirror, root: Path, image: Path, boot: Path) -> None:
    """The root file system, and the installer's kernel and initramfs below ``boot``."""
    inside = "/tmp/installer"
    architecture = systems.of(family).tree_architectures[family.arch]
    chosen = tree_packages.select(architecture, family.codename)
    hooks = [
        f'chroot "$1" systemctl enable {" ".join(_services(chosen))}',
        # the mirror is the builder's affair: the image's own sources are contextualisation's
        ': >"$1/etc/apt/sources.list"; rm -f "$1"/etc/apt/sources.list.d/*',
        f'cp -r "{INSTALLER}" "$1{inside}" && chmod 0755 "$1{inside}/hooks/installer"',
        f'chroot "$1" sh -c "mkinitramfs -d {inside} -o {inside}.img \\$(ls /lib/modules)"',
        f'mv "$1{inside}.img" "{boot}/installer" && cp "$1"/boot/vmlinuz-* "{boot}/linux"',
        f'rm -r "$1{inside}" "$1{_ROOT_TYPE}"',
    ]
    options = [
        "--variant=minbase",
        f"--include={','.join(chosen)}",
        "--dpkgopt=force-unsafe-io",
        f'--essential-hook=mkdir -p "$1{_SETTINGS}" && echo FSTYPE=ext4 >"$1{_ROOT_TYPE}"',
        *(f"--customize-hook={hook}" for hook in hooks),
    ]
    with log.step("packages from the mirror"):
        _mmdebstrap(family, mirror, root, options)
    _write_image(root, image)


def _bootstrap_foreign(family: Family, mirror: Mirror, root: Path, image: Path, boot: Path) -> None:
    """The same for an architecture whose programs this machine does not run."""
    architecture = systems.of(family).tree_architectures[family.arch]
    chosen = tree_packages.select(architecture, family.codename)
    stage = root.with_name("stage")
    (stage / foreign_packages.PACKAGES).mkdir(parents=True)
    with log.step("packages from the mirror"):
        _mmdebstrap(family, mirror, root, foreign_packages.options(stage, chosen))
    with log.step("preparing their installation"):
        (root / "etc/apt/sources.list").write_text("")
        place = root / _ROOT_TYPE[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("FSTYPE=ext4\n")
        foreign_packages.prepare(architecture, root, stage, chosen, _services(chosen))
        unpacked, beside = root.with_suffix(".unpacked"), stage.with_suffix(".ext4")
        _write_image(root, unpacked)
        _write_image(stage, beside)
    with log.step(f"installing them on {family.arch}"):
        second_stage.run(platforms.of(family.arch), root, unpacked, beside)
    second_stage.take(unpacked, image, beside, boot / "installer")
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    shutil.copyfile(kernel, boot / "linux")


def _mmdebstrap(family: Family, mirror: Mirror, root: Path, options: list[str]) -> None:
    argv: list[str | Path] = [
        "mmdebstrap",
        "--format=directory",
        f"--architectures={systems.of(family).tree_architectures[family.arch]}",
        "--aptopt=Acquire::Languages { none }",
        "--aptopt=Acquire::Retries 3",
        "--aptopt=Acquire::http::Timeout 30",
        *options,
        family.codename,
        root,
        *mirror.sources(family.codename),
    ]
    try:
        command.run(
            argv,
            env={"TMPDIR": str(root.parent), "LC_ALL": "C.UTF-8", "PATH": _path()},
            timeout=MAKE_TIMEOUT,
        )
    except CommandFailed as failure:
        raise ImagecycleError(
            _reasons(failure),
            hint="check the mirror and the free disk space with `imagecycle doctor`",
        ) from None


def _reasons(failure: CommandFailed) -> str:
    """What APT complained about: the last line alone says no more than that something failed."""
    said = [line for line in failure.output.splitlines() if line.startswith("E: Failed to fetch")]
    return "\n".join([failure.message, *(f"  | {line}" for line in said[:_SHOWN])])


def _services(packages: list[str]) -> list[str]:
    """What manages the network, and the clock."""
    network = [] if "ifupdown" in packages else ["systemd-networkd", "systemd-resolved"]
    return [*network, "systemd-timesyncd"]


def _write_image(folder: Path, image: Path) -> None:
    """A folder as an ext4 image with room for what packages make, which the installer grows."""
    used = command.run(["du", "--summarize", "--block-size=1M", folder], timeout=120).stdout
    mebibytes = int(used.split()[0]) * 5 // 4 + 64
    geometry = ["-b", "4096", "-I", "256", "-i", "16384", "-O", _FEATURES]
    kind = ["-t", "ext4", "-L", "root"]
    command.run(
        ["mke2fs", "-q", *kind, *geometry, "-d", folder, image, f"{mebibytes}M"],
        timeout=MAKE_TIMEOUT,
    )


def _path() -> str:
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sound(folder: Path) -> bool:
    try:
        lines = (folder / SUMS).read_text().splitlines()
        return bool(lines) and all(
            _sha256(folder / name) == digest
            for digest, _, name in (line.partition("  ") for line in lines)
        )
    except OSError:
        return False
