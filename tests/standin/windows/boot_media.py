"""An installation medium with the layout of Microsoft's whose boot images start the stand-in.

A small Linux with Python is Setup's own system on the medium. It lies in every image of
``install.wim`` as well, from where GRUB starts it once it is installed: from NTFS under BIOS, from
the EFI partition under UEFI. Its RAM disk has little but drivers, and fetches the rest of it from
the disk or medium: firmware and GRUB read slowly, and Secure Boot and TPM want a digest of every
byte. It is made from what is installed on this machine. Its kernel is
fetched, since that of virtual machines knows no SATA, and so are Debian's shim and GRUB: with them
and that kernel Secure Boot sees signatures by Microsoft's key and by Debian's.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import markupsafe
import pycdlib
import spnego
import tree_sitter
import tree_sitter_powershell

import imagecycle
import registry_hives
from standin.windows import screens
from standin.windows.sealed import Drive, hives

CACHE = Path("/var/tmp/imagecycle-windows-standin")
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHON = Path(f"/usr/bin/python{VERSION}")
STANDARD = Path(f"/usr/lib/python{VERSION}")
DEBIAN = Path("/usr/lib/python3/dist-packages")
GRUB = Path("/usr/lib/grub")
TESTS = Path(__file__).parents[2]
MODULES = (
    *("virtio_pci", "virtio_blk", "virtio_scsi", "virtio_net", "ahci", "ata_piix", "sd_mod"),
    *("sr_mod", "isofs", "udf", "vfat", "nls_cp437", "nls_ascii", "fuse", "efivarfs", "bochs"),
    *("button", "evdev", "tpm_tis", "tpm_crb", "virtio_rng"),
)
PROGRAMS = ("wimapply", "mkntfs", "sfdisk", "partx", "mkfs.vfat")
_LEFT_OUT = (
    *(
        "test",
        "idlelib",
        "tkinter",
        "lib2to3",
        "ensurepip",
        "distutils",
        "turtledemo",
        "pydoc_data",
    ),
    *("unittest", "venv", "curses", "sqlite3", f"config-{VERSION}-x86_64-linux-gnu", "__phello__"),
)
BOOT = "Windows/Boot/standin"
_SIGNED_GRUB = "usr/lib/grub/x86_64-efi-signed"
SIGNED = {
    "shimx64.efi": ("shim-signed", "usr/lib/shim/shimx64.efi.signed"),
    "grubx64.efi": ("grub-efi-amd64-signed", f"{_SIGNED_GRUB}/grubx64.efi.signed"),
    "gcdx64.efi": ("grub-efi-amd64-signed", f"{_SIGNED_GRUB}/gcdx64.efi.signed"),
}
"""Programs of UEFI with their signatures: package and place; GRUB for disks, and for CDs"""
CD_CONFIG = "boot/grub/grub.cfg"
"""Where the GRUB for CDs looks for it: on the disc, whose names it takes as they are written. That
for disks looks in ``/EFI/debian``, which is ``efi`` on Microsoft's discs, and so another folder."""
ASKED = (
    *("language", "answer-file", "product-key", "edition", "licence", "requirements"),
    *("no-disk", "partitions", "where"),
)
"""The pictures of what Setup asks"""
_STUB = bytes.fromhex(
    "fafc31c08ed88ec08ed0bc007cbe007cbf0060b90001f3a5ea1d600000fb52be0064c60413b8014bcd13"
    "66a10464664066a30c84be0084bf007cb90004f3a55aea007c0000"
)
"""Real-mode code before GRUB's image for CDs, which wants to be told where on the CD it lies, and
is by tools that write CDs for Linux. It moves itself away, asks the BIOS where it was loaded from
(INT 13h, AX=4B01h), notes the next sector in GRUB's table, and starts GRUB's first sector, which
follows it."""
_SECTOR = 2048
SETUP_STATE = r"Microsoft\Windows\CurrentVersion\Setup\State"
CURRENT_VERSION = r"Microsoft\Windows NT\CurrentVersion"
SYSPREP_STATUS = r"Setup\Status\SysprepStatus"


@dataclass(frozen=True)
class Image:
    """One image of the medium."""

    name: str
    edition: str
    kind: str
    build: int = 20348
    language: str = "en-US"


SERVER_2022 = (
    Image("Windows Server 2022 SERVERSTANDARDCORE", "ServerStandard", "Server Core"),
    Image("Windows Server 2022 SERVERSTANDARD", "ServerStandard", "Server"),
)
CLIENT_11 = (Image("Windows 11 Enterprise", "Enterprise", "Client", 26100),)


def make(path: Path, images: Sequence[Image] = SERVER_2022) -> Path:
    """Write the medium to ``path``."""
    linux = system()
    tree = path.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    for place in ("boot", "efi/microsoft/boot", "sources", "boot/standin"):
        (tree / place).mkdir(parents=True)
    linux.copy(tree / "boot/standin")
    start = _config("/boot/standin", "setup")
    (tree / "boot/etfsboot.com").write_bytes(_bios_cd(start))
    (tree / "boot/bootfix.bin").write_bytes(b"asks for a key")
    (tree / CD_CONFIG).parent.mkdir()
    (tree / CD_CONFIG).write_text(start)
    _efi_image(start, tree / "efi/microsoft/boot/efisys_noprompt.bin")
    _wim(tree, images, linux)
    path.unlink(missing_ok=True)
    _run("genisoimage", "-quiet", "-udf", "-iso-level", "3", "-J", "-o", path, tree)
    shutil.rmtree(tree)
    return path


@dataclass(frozen=True)
class Linux:
    """The small Linux: what GRUB loads, and what the RAM disk fetches."""

    vmlinuz: Path
    initrd: Path
    rest: Path

    def copy(self, folder: Path) -> None:
        """All of it, for a medium or a disk."""
        for name in ("vmlinuz", "initrd", "rest"):
            shutil.copyfile(getattr(self, name), folder / name)

    def unpack(self, folder: Path) -> None:
        """The file system that it has once it runs."""
        for archive in (self.initrd, self.rest):
            _run("sh", "-c", f"zcat {archive} | busybox cpio -idm 2>/dev/null", cwd=folder)


def system() -> Linux:
    """The small Linux, made once for the same sources."""
    CACHE.mkdir(mode=0o755, exist_ok=True)
    kernel = _kernel()
    digest = _digest(kernel.name)
    found = Linux(kernel / "vmlinuz", CACHE / f"initrd-{digest}", CACHE / f"rest-{digest}")
    if not (found.initrd.exists() and found.rest.exists()):
        for old in (*CACHE.glob("initrd-*"), *CACHE.glob("rest-*")):
            old.unlink()
        first, rest = CACHE / "first", CACHE / "root"
        for root in (first, rest):
            shutil.rmtree(root, ignore_errors=True)
        _fill_first(first, kernel)
        _fill_rest(rest, first)
        for root, archive in ((first, found.initrd), (rest, found.rest)):
            part = archive.with_suffix(".part")
            pack = f"find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 > {part}"
            _run("sh", "-c", pack, cwd=root)
            part.rename(archive)
            shutil.rmtree(root)
    return found


def _digest(kernel: str) -> str:
    sources = [*Path(imagecycle.__file__).parent.rglob("*.*"), *Path(__file__).parent.glob("*.py")]
    found = hashlib.sha256(kernel.encode())
    for path in sorted(sources):
        if path.suffix != ".pyc":
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _kernel() -> Path:
    """The folder with Debian's ordinary kernel, unpacked."""
    shown = _said("apt-cache", "depends", "linux-image-amd64")
    return _fetched(re.findall(r"Depends: (linux-image-[\w.-]+)", shown)[0], _with_modules)


def _with_modules(folder: Path) -> None:
    (vmlinuz,) = (folder / "boot").glob("vmlinuz-*")
    vmlinuz.rename(folder / "vmlinuz")
    (modules,) = (folder / "lib/modules").iterdir()
    _run("depmod", "-b", folder, modules.name)


def _fetched(package: str, then: Callable[[Path], None] = lambda _: None) -> Path:
    """The folder with a package of the machine's own mirror, unpacked."""
    folder = CACHE / package
    if not folder.exists():
        part = CACHE / f"{package}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _run("apt-get", "download", "-qq", package, cwd=part)
        (package_file,) = part.glob("*.deb")
        _run("dpkg-deb", "-x", package_file, part)
        package_file.unlink()
        then(part)
        part.rename(folder)
    return folder


def _fill_first(root: Path, kernel: Path) -> None:
    """What finds the rest: drivers, and a program for NTFS."""
    for name in ("bin", "dev", "proc", "sys", "run", "tmp", "media", "c", "etc"):
        (root / name).mkdir(parents=True)
    _modules(root, kernel)
    shutil.copy2("/bin/busybox", root / "bin/busybox")
    _copy_programs(root, ["ntfs-3g"])
    (root / "init").write_text(_INIT)
    (root / "init").chmod(0o755)
    (root / "udhcpc.sh").write_text(_DHCP)
    (root / "udhcpc.sh").chmod(0o755)


def _fill_rest(root: Path, first: Path) -> None:
    """All else, without what is there already."""
    for name in ("bin", "screens"):
        (root / name).mkdir(parents=True)
    site = root / "site"
    leave = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(STANDARD, root / STANDARD.relative_to("/"), ignore=leave, symlinks=True)
    for package in (jinja2, markupsafe, pycdlib, spnego, tree_sitter, tree_sitter_powershell):
        folder = Path(str(package.__file__)).parent
        shutil.copytree(folder, site / folder.name)
    for name in ("cryptography", "yaml", "_yaml"):
        shutil.copytree(DEBIAN / name, site / name)
    for path in DEBIAN.glob("_cffi_backend*.so"):
        shutil.copy2(path, site)
    shutil.copytree(Path(imagecycle.__file__).parent, site / "imagecycle")
    (site / "imagecycle/systems/__init__.py").write_text("")  # the others are not needed
    shutil.copytree(TESTS / "standin", site / "standin")
    legacy = next(Path("/usr/lib").glob("*/ossl-modules/legacy.so"))  # NTLM's digests
    shared = [*site.rglob("*.so"), *(root / "usr").rglob("*.so"), legacy]
    _copy_programs(root, [str(PYTHON), *PROGRAMS], shared, without=first)
    (root / legacy.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
    shutil.copy2(legacy, root / legacy.relative_to("/"))
    for name in ASKED:
        rows = screens.pixels(name)
        red, green, blue = rows[::3], rows[1::3], rows[2::3]
        picture = bytearray(len(red) * 4)  # as the frame buffer has it
        picture[::4], picture[1::4], picture[2::4] = blue, green, red
        (root / "screens" / f"{name}.raw").write_bytes(zlib.compress(picture))
    python = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    _run(*python, "-s", root, "-p", "/", site)  # else each start would do it


def _copy_programs(
    root: Path, names: Iterable[str], shared: Iterable[Path] = (), without: Path | None = None
) -> None:
    """Programs, and the libraries that they and others need."""
    binaries = [Path(str(shutil.which(name))) for name in names]
    for path in binaries:
        shutil.copy2(path.resolve(), root / "bin" / path.name)
    for library in _libraries([*binaries, *shared]):
        place = library.relative_to("/")
        if without is None or not (without / place).exists():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library.resolve(), root / place)


def _modules(root: Path, kernel: Path) -> None:
    (source,) = (kernel / "lib/modules").iterdir()
    known = {}
    for line in (source / "modules.dep").read_text().splitlines():
        name, _, needs = line.partition(":")
        known[Path(name).name.split(".")[0].replace("-", "_")] = (name, needs.split())
    wanted = {name for one in MODULES if one in known for name in (known[one][0], *known[one][1])}
    target = root / "lib/modules" / source.name
    for name in wanted:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name)
    _run("depmod", "-b", root, source.name)


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    shown = _said("ldd", *binaries)
    return {Path(name) for name in re.findall(r"(/\S+\.so\S*) \(0x", shown)}


_INIT = f"""\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PYTHONPATH=/site PYTHONHASHSEED=0 HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in {" ".join(MODULES)}; do modprobe -q $module; done
mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2>/dev/null
cd /
fetch() {{
  [ ! -e "/c/$1/rest" ] || zcat "/c/$1/rest" | cpio -idm 2>/dev/null
  umount /c
}}
for try in $(seq 100); do
  for drive in /dev/sr*; do
    mount -r -t udf "$drive" /c 2>/dev/null && fetch boot/standin
  done
  for part in /dev/[sv]d[a-z][1-9]*; do
    [ -e /bin/{PYTHON.name} ] || ! ntfs-3g -o ro "$part" /c 2>/dev/null || fetch {BOOT}
  done
  [ ! -e /bin/{PYTHON.name} ] || break
  sleep 0.2
done
exec {PYTHON.name} -s -B -m standin.windows.inside
"""
_DHCP = """\
#!/bin/busybox sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ifconfig "$interface" "$ip" netmask "$subnet"
[ -z "$router" ] || route add default gw "${router%% *}"
"""


def _config(folder: str, what: str) -> str:
    return (
        f"search --file --set=root {folder}/vmlinuz\n"
        f"linux {folder}/vmlinuz standin={what} quiet loglevel=2 console=tty0 panic=0 "
        "random.trust_cpu=on\n"
        f"initrd {folder}/initrd\nboot\n"
    )


def _grub(kind: str, config: str, *modules: str) -> bytes:
    file = CACHE / "grub.cfg"
    file.write_text(config)
    target = CACHE / "grub.img"
    _run(
        "grub-mkimage", "-O", kind, "-p", "/", "-c", file, "-o", target, "linux", "search", *modules
    )
    return target.read_bytes()


def _bios_cd(config: str) -> bytes:
    image = bytearray(_grub("i386-pc-eltorito", config, "biosdisk", "iso9660"))
    struct.pack_into("<I", image, 16, len(image))
    return _STUB.ljust(_SECTOR, b"\0") + bytes(image)


def _efi_image(start: str, target: Path) -> None:
    with target.open("wb") as file:
        file.truncate(8 * 2**20)
    _run("mformat", "-i", target, "::")
    _run("mmd", "-i", target, "::/EFI", "::/EFI/BOOT")
    signed = _signed()
    for name, place in (("shimx64.efi", "BOOTX64.EFI"), ("gcdx64.efi", "grubx64.efi")):
        _run("mcopy", "-i", target, signed[name], f"::/EFI/BOOT/{place}")
    config = CACHE / "grub.cfg"
    config.write_text(start)
    _run("mcopy", "-i", target, config, "::/EFI/BOOT/grub.cfg")  # where it looks at last


def _signed() -> dict[str, Path]:
    return {name: _fetched(package) / place for name, (package, place) in SIGNED.items()}


def _wim(tree: Path, images: Sequence[Image], linux: Linux) -> None:
    """The images: little more than what starts them, and the names that others look for."""
    content = CACHE / "image"
    shutil.rmtree(content, ignore_errors=True)
    boot = content / BOOT
    boot.mkdir(parents=True)
    (content / "Windows/System32/config").mkdir(parents=True)
    (content / "Program Files").mkdir()
    (content / "Users/Public").mkdir(parents=True)
    (boot / "sealed").mkdir()
    linux.copy(boot)
    config = _config(f"/{BOOT}", "windows")
    (boot / "core.img").write_bytes(_grub("i386-pc", config, "biosdisk", "part_msdos", "ntfs"))
    shutil.copyfile(GRUB / "i386-pc/boot.img", boot / "mbr.img")
    signed = _signed()
    for name in ("shimx64.efi", "grubx64.efi"):
        shutil.copyfile(signed[name], boot / name)
    (boot / "grub.cfg").write_text(_config("/EFI/standin", "windows"))
    target = tree / "sources/install.wim"
    for number, one in enumerate(images):
        write_registry(content, one)
        verb = "append" if number else "capture"
        compression = () if number else ("--compress=none",)
        _run("wimlib-imagex", verb, content, target, one.name, *compression, *described(one))
    shutil.rmtree(content)


def described(image: Image) -> list[str]:
    """Arguments of wimlib that say what an image is, as Microsoft's do."""
    properties = {
        "ARCH": "9",
        "EDITIONID": image.edition,
        "INSTALLATIONTYPE": image.kind,
        "VERSION/BUILD": str(image.build),
        "LANGUAGES/LANGUAGE": image.language,
    }
    return [f"--image-property=WINDOWS/{name}={value}" for name, value in properties.items()]


def write_registry(content: Path, image: Image) -> None:
    """The hives of an image, and those that sysprep puts in their place."""
    drive = Drive()
    drive.software[CURRENT_VERSION] |= {
        "EditionID": image.edition,
        "InstallationType": image.kind,
        "CurrentBuild": str(image.build),
    }
    for name, hive in hives(drive).items():
        registry_hives.write(content / BOOT / "sealed" / name, hive)
    drive.software[SETUP_STATE] = {"ImageState": "IMAGE_STATE_COMPLETE"}
    drive.system[SYSPREP_STATUS] = {"GeneralizationState": 3}
    for name, hive in hives(drive).items():
        registry_hives.write(content / "Windows/System32/config" / name, hive)


def _run(*argv: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=cwd)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")


def _said(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False).stdout
