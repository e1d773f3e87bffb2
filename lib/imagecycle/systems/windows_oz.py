"""Windows for Oz: a class beside its own, for releases and media that those cannot do.

Oz 0.17 to 0.19 compare bytes with text when they read a Windows ISO, so that every one is refused
on Python 3; the medium that they write has lost its UEFI boot image; and they know no release after
Server 2016 and Windows 10. Read from ``oz.Windows`` and ``oz.Guest``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import oz
import oz.Guest
import oz.OzException
import oz.ozutil
import oz.Windows

from imagecycle.systems import oz_beside, windows_media
from imagecycle.systems.windows_answers import ARCHITECTURES
from imagecycle.systems.windows_media import BIOS_BOOT, UEFI_BOOT

MODULE = "imagecycle_windows"
"""What Oz's factory knows this module by."""
ASKS_FOR_A_KEY = "boot/bootfix.bin"
"""Where it is, a medium with a bootable disk beside it asks for a key under BIOS."""
NO_KEY = "in the answer file"


def register() -> None:
    """Let Oz's factory make guests of this class; may be called again."""
    oz_beside.register(__name__, MODULE, ["Windows"])


class WindowsGuest(oz_beside.LocalMedium, oz.Windows.Windows):  # type: ignore[misc]
    """A Windows of any release; the answer file is complete, and taken as it is."""

    def __init__(self, tdl: Any, *others: Any) -> None:
        tdl.key = tdl.key or NO_KEY  # Oz wants one, and nothing reads it
        super().__init__(tdl, *others)
        self.winarch = ARCHITECTURES[tdl.arch]
        self.extras: tuple[Path, ...] = ()
        """Folders whose content goes to the top of the medium"""

    def _copy_iso(self) -> None:
        """Unpack the medium; Oz starts a virtual machine for that."""
        contents = Path(self.iso_contents)
        shutil.rmtree(contents, ignore_errors=True)
        try:
            windows_media.unpack(Path(self.orig_iso), contents)
        except OSError as error:
            raise oz.OzException.OzException(f"cannot unpack {self.orig_iso}: {error}") from None

    def _modify_iso(self) -> None:
        """Put the answer file where Setup looks first, and what it calls beside it."""
        contents = Path(self.iso_contents)
        for wanted in (BIOS_BOOT, UEFI_BOOT):
            if not (contents / wanted).is_file():
                raise oz.OzException.OzException(f"the medium has no {wanted}")
        shutil.copyfile(self.auto, contents / "autounattend.xml")
        for folder in self.extras:
            shutil.copytree(folder, contents, dirs_exist_ok=True)
        (contents / ASKS_FOR_A_KEY).unlink(missing_ok=True)

    def _generate_new_iso(self) -> None:
        """Write a medium that boots from BIOS and UEFI; UDF holds files of more than 4 GiB."""
        oz.ozutil.subprocess_check_output(
            [
                *("genisoimage", "-quiet", "-V", "IMAGECYCLE", "-o", self.output_iso),
                *("-iso-level", "3", "-udf", "-allow-limited-size", "-J", "-joliet-long", "-D"),
                *("-b", BIOS_BOOT, "-no-emul-boot", "-boot-load-size", "8", "-hide", "boot.cat"),
                *("-eltorito-alt-boot", "-e", UEFI_BOOT, "-no-emul-boot"),
                self.iso_contents,
            ],
            printfn=self.log.debug,
        )
        Path(self.output_iso).chmod(0o600)  # it may hold a product key

    def install(self, timeout: int | None = None, force: bool = False) -> Any:
        """Install in one go: Setup restarts the machine as often as it likes."""
        return self._do_install(timeout, force, 0)

    def cleanup_install(self) -> None:
        """Remove the medium that was made; the operator's stays."""
        Path(self.output_iso).unlink(missing_ok=True)


def get_class(
    tdl: Any,
    config: Any,
    auto: str,
    output_disk: str | None = None,
    netdev: str | None = None,
    diskbus: str | None = None,
    macaddress: str | None = None,
) -> WindowsGuest:
    """What Oz's factory calls."""
    return WindowsGuest(tdl, config, auto, output_disk, netdev, diskbus, macaddress)


def get_supported_string() -> str:
    """What Oz's factory lists."""
    from imagecycle.systems.windows_releases import RELEASES

    return "Windows: " + ", ".join(release.version for release in RELEASES)
