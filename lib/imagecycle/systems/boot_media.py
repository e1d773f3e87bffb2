"""Install media that start their installer by themselves, from BIOS and from UEFI.

The files that differ are gathered in a folder, at the paths that they have on the medium.
"""

from __future__ import annotations

import re
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.systems import boot_menu, iso_editing
from imagecycle.systems.iso_editing import EfiImage, Medium

_EFI = ".efi-image"
_ISOLINUX = re.compile(r"(/isolinux|/boot/[^/]+/loader)/(?:isolinux|syslinux)\.cfg")
"""Where vendors keep ISOLINUX's configuration; what it includes lies beside it"""


def edit(medium: Medium, folder: Path, arguments: str) -> list[str]:
    """Change every boot menu of a medium, so that it installs with these kernel arguments.

    :returns: the paths of the menus.
    :raises ImagecycleError: when there is none, or nothing in one installs.
    """
    files = medium.files()
    if not files:
        raise ImagecycleError(f"{medium.iso.name} is no ISO image")
    found = [path for path in files if path in iso_editing.MENUS]
    try:
        for path in found:
            copy = medium.extract(path, folder / path[1:])
            written(copy, boot_menu.grub(copy.read_text(), arguments))
        found += _edit_isolinux(medium, folder, files, arguments)
        if image := medium.efi_image():
            found += _edit_efi_image(medium, image, folder, arguments)
    except boot_menu.NoEntry as error:
        raise ImagecycleError(f"{medium.iso.name}: {error}") from None
    if not found:
        raise ImagecycleError(f"{medium.iso.name}: it has no boot menu that is known")
    return found


def write(medium: Medium, folder: Path, target: Path) -> None:
    """Write a medium anew, with the files of a folder and every way to boot that it had."""
    edited = folder / _EFI
    changed = {
        f"/{path.relative_to(folder)}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != edited
    }
    image = medium.efi_image() if edited.exists() else None
    medium.write(target, changed, (image, edited) if image else None)


def written(path: Path, text: str) -> Path:
    """A file with this text, and the folders that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _edit_isolinux(medium: Medium, folder: Path, files: list[str], arguments: str) -> list[str]:
    found = next((match for path in files if (match := _ISOLINUX.fullmatch(path))), None)
    if found is None:
        return []
    texts = {}
    for name in files:
        if name.startswith(f"{found[1]}/") and name.endswith(".cfg"):
            copy = medium.extract(name, folder / name[1:])
            texts[name] = copy.read_text(errors="replace")
            copy.unlink()
    written(folder / found[0][1:], boot_menu.isolinux(texts, arguments))
    return [found[0]]


def _edit_efi_image(medium: Medium, image: EfiImage, folder: Path, arguments: str) -> list[str]:
    """Some vendors' loaders read the menu beside them, others the medium's: change both."""
    edited, changed = medium.extract_efi(image, folder / _EFI), []
    menus = {menu.lower() for menu in iso_editing.MENUS}
    for path in iso_editing.fat_files(edited):
        text = iso_editing.fat_read(edited, path) if path.lower() in menus else ""
        if boot_menu.grub_entries(text):  # without entries, it leads to the medium's own
            menu = written(folder / f"{_EFI}.cfg", boot_menu.grub(text, arguments))
            iso_editing.fat_write(edited, path, menu)
            menu.unlink()
            changed.append(path)
    if not changed:
        edited.unlink()
    return changed
