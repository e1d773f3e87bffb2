"""What runs in the machine of the stand-in, as its first process: Setup from the medium, Windows
from the disk. ``standin=setup`` or ``standin=windows`` on the kernel's command line says which.

The serial port carries what Windows would write to it and nothing else; what this program itself
has to say stands on the screen.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ipaddress
import os
import select
import shutil
import ssl
import struct
import subprocess
import time
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from imagecycle.systems import windows_media, windows_script
from standin.windows import installed, setup
from standin.windows.installed import (
    NAMED,
    OOBE,
    RUNNING,
    SEALED,
    SPECIALIZE,
    StartFailed,
    Windows,
)
from standin.windows.instance import DATA, Instance
from standin.windows.screens import SIZE
from standin.windows.setup import Drive, Machine, Plan, Question
from standin.windows.setup_commands import Commands, UnknownCommand
from standin.windows.winrm_server import WinRM

LETTERS = "DEFGHI"
C = Path("/c")
SCREENS = Path("/screens")
BOOT = "Windows/Boot/standin"
TAKEN_MIB = 200
"""Of the memory, by the kernel and its RAM disk"""
_GPT = {
    "EFI": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "MSR": "E3C9E316-0B5C-4DB8-817D-F92DF00215AE",
    "Primary": "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
}


def main() -> None:
    words = dict(word.partition("=")[::2] for word in Path("/proc/cmdline").read_text().split())
    try:
        if words.get("standin") == "setup":
            install()
            power("reboot")
        start()
    except Question as question:
        show(question.picture, str(question))
    except (UnknownCommand, StartFailed) as error:
        show("failed", str(error))
    except Exception:
        show("defect", traceback.format_exc())
    while True:
        time.sleep(3600)


def install() -> None:
    """Setup, from its first look at the machine to its first restart."""
    drives = dict(zip(LETTERS, media(), strict=False))
    seen = [Drive(letter, files(place)) for letter, place in drives.items()]
    letter = next(one.letter for one in seen if "sources/install.wim" in one.files)
    where = setup.found(seen)
    text = (drives[where] / setup.ANSWERS).read_text() if where else None
    wim = drives[letter] / "sources/install.wim"
    commands = Commands(drives, console, lambda path: None)
    disk, bus = disks()
    found = setup.plan(text, seen, machine(disk, bus), windows_media.offered(wim), commands)
    apply(found, disk, wim)


def apply(plan: Plan, disk: Path, wim: Path) -> None:
    """Partition the disk, copy the image, and make it start."""
    uefi = Path("/sys/firmware/efi").exists()
    lines = [f"label: {'gpt' if uefi else 'dos'}"]
    for one in plan.partitions:
        kind = _GPT[one.kind] if uefi else "07"
        if one.type_id:
            kind = one.type_id.upper() if uefi else one.type_id.removeprefix("0x")
        size = f"size={one.size_mib}MiB, " if one.size_mib else ""
        lines.append(f"{size}type={kind}{', bootable' if one.active else ''}")
    run("sfdisk", "--quiet", "--wipe", "always", str(disk), stdin="\n".join(lines) + "\n")
    run("mdev", "-s")
    for one in plan.partitions:
        if one.format == "NTFS":
            run("mkntfs", "--quick", "--label", one.label, part(disk, one.number))
        elif one.format == "FAT32":
            run("mkfs.vfat", "-F", "32", "-n", one.label.upper(), part(disk, one.number))
    target = part(disk, plan.target)
    run("wimapply", str(wim), str(plan.image.index), target)
    run("ntfs-3g", target, str(C))
    start_files(plan, disk, uefi)
    values = {
        "answers": plan.answers,
        "edition": plan.image.edition_id,
        "installation_type": plan.image.installation_type,
        "build": plan.image.build,
    }
    panther = C / "Windows/Panther"
    panther.mkdir(parents=True, exist_ok=True)
    (panther / "unattend.xml").write_text(plan.answers)
    installed.start(values, C)
    run("umount", str(C))


def start_files(plan: Plan, disk: Path, uefi: bool) -> None:
    """What ``bcdboot`` and Setup write, so that the firmware finds the system."""
    boot = C / BOOT
    if not uefi:
        with disk.open("r+b") as file:
            file.write((boot / "mbr.img").read_bytes()[:440])
            file.seek(512)
            file.write((boot / "core.img").read_bytes())
        return
    number = next(one.number for one in plan.partitions if one.kind == "EFI")
    place = Path("/esp")
    place.mkdir(exist_ok=True)
    run("mount", "-t", "vfat", part(disk, number), str(place))
    for folder, program in (("Boot", "bootx64.efi"), ("Microsoft/Boot", "bootmgfw.efi")):
        for name, target in (("shimx64.efi", program), ("grubx64.efi", "grubx64.efi")):
            copy(boot / name, place / "EFI" / folder / target)
    for name, folder in (("vmlinuz", "standin"), ("initrd", "standin"), ("grub.cfg", "debian")):
        copy(boot / name, place / "EFI" / folder / name)
    run("umount", str(place))


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def start() -> None:
    """One start of what is on the disk."""
    disk, _ = disks()
    run("mdev", "-s")
    number = max(int(one.name.removeprefix(disk.name)) for one in parts(disk))
    run("ntfs-3g", part(disk, number), str(C))
    windows = Windows.load(C, console)
    windows.boots += 1
    windows.machine.guest.boots = windows.boots
    drives = {"C": C, **dict(zip(LETTERS, media(), strict=False))}
    commands = Commands(drives, console, windows.run_script)
    if windows.phase == SPECIALIZE:
        windows.specialize(commands.run)
        windows.machine.registry.update(commands.registry)
        leave(windows, "reboot")
    elif windows.phase == OOBE:
        windows.first_logon(commands.run)
        leave(windows, "poweroff")
    elif windows.phase == RUNNING:
        customised(windows, drives)
    elif windows.phase == SEALED:
        named(windows, commands, drives)
    else:
        used(windows, drives)


def named(windows: Windows, commands: Commands, drives: dict[str, Path]) -> None:
    """The first start of an instance: the pass *specialize*, which gives it its name."""
    commands.context = Instance(windows, config_drive(drives)).early
    for line in setup.commands(windows.answers, "specialize"):
        commands.run(line)
    windows.phase = NAMED
    if commands.restart:
        leave(windows, "reboot")
    used(windows, drives)


def used(windows: Windows, drives: dict[str, Path]) -> None:
    """An instance that is contextualised, and lives until its power button is pressed."""
    network()
    disk, bus = disks()
    mac = Path("/sys/class/net/eth0/address").read_text().strip()
    seen = machine(disk, bus)
    instance = Instance(
        windows,
        config_drive(drives),
        mac=mac,
        disk=size_of(disk),
        other_disks=tuple(size_of(one) for one in other_disks(disk)),
        secure_boot=seen.secure_boot,
        tpm=seen.tpm,
        memory_kib=(seen.memory_mib - TAKEN_MIB) * 1024,
        processors=os.cpu_count() or 1,
    )
    if instance.is_new:
        if instance.late():
            leave(windows, "reboot")
        pair = made_certificate(windows.hostname)
        instance.service(pair, sha256(pair[0]))
        windows.save()
        os.sync()
    guest = windows.machine.guest
    guest.hostname = windows.hostname
    guest.scripts[windows_script.text("account.ps1")] = instance.answer
    with served(windows) as service:
        service.restart = lambda: restart(windows)
        await_power_button()
    leave(windows, "poweroff")


def config_drive(drives: dict[str, Path]) -> Path | None:
    found = (place for place in drives.values() if (place / DATA / "meta_data.json").is_file())
    return next(found, None)


def await_power_button() -> None:
    """Until a key event says that it was pressed."""
    size, power_key = struct.calcsize("llHHi"), 116
    files = [path.open("rb", buffering=0) for path in Path("/dev/input").glob("event*")]
    while True:
        ready, _, _ = select.select(files, [], [])
        for file in ready:
            *_, kind, code, value = struct.unpack("llHHi", file.read(size))
            if (kind, code, value) == (1, power_key, 1):
                return


@contextlib.contextmanager
def served(windows: Windows) -> Iterator[WinRM]:
    """The service, while a machine runs."""
    folder = Path("/run/winrm")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(("c.pem", "k.pem"), windows.certificate, strict=True):
        (folder / name).write_text(text)
    with WinRM(
        windows.machine.guest,
        (folder / "c.pem", folder / "k.pem"),
        user=windows.user,
        password=windows.password,
        address="0.0.0.0",
        port=5986,
    ) as service:
        yield service


def sha256(certificate: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def customised(windows: Windows, drives: dict[str, Path]) -> None:
    """A start of the build: answers over WinRM until it restarts or is sealed."""
    letter, medium = next(
        ((one, place) for one, place in drives.items() if (place / "access.json").is_file()),
        ("", None),
    )
    network()
    if not windows.certificate[0]:
        windows.certificate = made_certificate(windows.hostname)
    windows.let_in(medium, windows.certificate, sha256(windows.certificate[0]))
    windows.machine.drive = f"{letter}:"
    windows.machine.guest.hostname = windows.hostname
    with served(windows) as service:
        service.restart = lambda: restart(windows)
        while not windows.machine.sealing:
            time.sleep(0.2)
        assert medium is not None
        time.sleep(2)  # until the answer is out
    if windows.machine.guest.complaints:
        raise StartFailed("; ".join(windows.machine.guest.complaints))
    if windows.seal(text=(medium / "seal.ps1").read_text()):
        leave(windows, "poweroff")
    windows.save()
    os.sync()


def made_certificate(name: str) -> tuple[str, str]:
    """A certificate that nobody has signed, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now, year = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=365)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - year)
        .not_valid_after(now + year)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem).decode(), secret.decode()


def restart(windows: Windows) -> NoReturn:
    for happens in windows.machine.guest.on_restart:
        happens()
    time.sleep(1)  # until the answer is out
    leave(windows, "reboot")


def leave(windows: Windows, how: str) -> NoReturn:
    windows.save()
    power(how)


def power(how: str) -> NoReturn:
    """End this start, with everything on the disk."""
    with contextlib.suppress(RuntimeError):  # Setup has left it already
        run("umount", str(C))
    os.sync()
    run(how, "-f")
    while True:
        time.sleep(1)


def media() -> Iterator[Path]:
    """The CDs, mounted in their order."""
    for drive in sorted(Path("/sys/block").glob("sr*")):
        place = Path("/media") / drive.name
        place.mkdir(parents=True, exist_ok=True)
        for kind in ("udf", "iso9660"):
            done = subprocess.run(
                ["mount", "-r", "-t", kind, f"/dev/{drive.name}", place],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                yield place
                break


def files(place: Path) -> frozenset[str]:
    found = (path for path in place.rglob("*") if path.is_file())
    return frozenset(str(path.relative_to(place)).lower() for path in found)


def disks() -> tuple[Path, str]:
    """The first disk, and the bus that it is on."""
    for _ in range(50):
        for one in sorted(Path("/sys/block").iterdir()):
            if one.name.startswith("vd"):
                return Path("/dev") / one.name, "virtio"
            if one.name.startswith("sd"):
                way = str(one.resolve())
                return Path("/dev") / one.name, "scsi" if "virtio" in way else "sata"
        time.sleep(0.1)
    raise StartFailed("INACCESSIBLE_BOOT_DEVICE")


def parts(disk: Path) -> Iterator[Path]:
    for one in (Path("/sys/block") / disk.name).iterdir():
        if one.name.startswith(disk.name):
            yield Path("/dev") / one.name


def part(disk: Path, number: int) -> str:
    return f"{disk}{number}"


def size_of(disk: Path) -> int:
    return int((Path("/sys/block") / disk.name / "size").read_text()) * 512


def other_disks(disk: Path) -> list[Path]:
    """The disks beside the first, on the same bus."""
    kind = disk.name[:2]
    found = sorted(Path("/sys/block").glob(f"{kind}*"))
    return [Path("/dev") / one.name for one in found if one.name != disk.name]


def machine(disk: Path, bus: str) -> Machine:
    memory = next(
        int(line.split()[1])
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal")
    )
    variable = next(Path("/sys/firmware/efi/efivars").glob("SecureBoot-*"), None)
    return Machine(
        firmware="uefi" if Path("/sys/firmware/efi").exists() else "bios",
        disk_bus=bus,
        disk_gib=round(size_of(disk) / 2**30),
        memory_mib=memory // 1024 + TAKEN_MIB,
        secure_boot=variable is not None and variable.read_bytes()[-1:] == b"\1",
        tpm="2.0" if Path("/sys/class/tpm/tpm0/tpm_version_major").exists() else "",
    )


def network() -> None:
    """An address by DHCP on the first card."""
    run("ifconfig", "eth0", "up")
    run("udhcpc", "-q", "-n", "-t", "20", "-T", "1", "-i", "eth0", "-s", "/udhcpc.sh")


def console(line: str) -> None:
    with open("/dev/ttyS0", "wb", buffering=0) as port:
        port.write(f"{line}\r\n".encode())


def show(picture: str, text: str) -> None:
    """Put a picture on the screen, made for the purpose; else the words alone."""
    words = f"\n{text}\n"
    with open("/dev/tty0", "w") as screen:
        screen.write("\033[2J\033[H" + words)
    raw, about = SCREENS / f"{picture}.raw", Path("/sys/class/graphics/fb0")
    if raw.exists() and about.exists():
        stride = int((about / "stride").read_text())
        content, width = zlib.decompress(raw.read_bytes()), SIZE[0] * 4
        with contextlib.suppress(OSError), open("/dev/fb0", "wb", buffering=0) as screen:
            for row in range(SIZE[1]):
                screen.seek(row * stride)
                screen.write(content[row * width : (row + 1) * width])


def run(*argv: str, stdin: str = "") -> None:
    done = subprocess.run(
        argv, input=stdin, text=True, capture_output=True, check=False, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
