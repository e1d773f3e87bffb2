"""What a Windows installation medium offers: the editions in its list of images.

The list is read from the medium itself, without unpacking it: an ISO of Microsoft's layout holds
``install.wim``, ``install.esd`` or ``install.swm`` in ``sources``. Such a file says in its header
where its list in XML is (Microsoft, "Windows Imaging File Format (WIM)", 2012).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn
from xml.etree import ElementTree

from imagecycle.errors import ImagecycleError, UsageError, suggestion

if TYPE_CHECKING:
    import pycdlib

NAMES = ("install.wim", "install.esd", "install.swm")
ARCHITECTURES = {"0": "x86", "5": "arm", "9": "x86_64", "12": "aarch64"}
"""PROCESSOR_ARCHITECTURE_* of Windows, as images name it"""
BIOS_BOOT = "boot/etfsboot.com"
UEFI_BOOT = "efi/microsoft/boot/efisys_noprompt.bin"
"""Boot images of every medium of Microsoft's; the second boots without asking for a key."""
_HEADER = 208  # bytes
_XML_RESOURCE = 72  # where the header says how large the list is and where
_LARGEST_LIST = 16 * 2**20


@dataclass(frozen=True)
class Edition:
    """One image of a medium."""

    index: int
    """From 1; what an answer file may name as /IMAGE/INDEX"""
    name: str
    """``Windows Server 2022 SERVERSTANDARD``; what an answer file may name as /IMAGE/NAME"""
    edition_id: str
    """``ServerStandard``; with evaluation media ``ServerStandardEval``"""
    installation_type: str
    """``Server``, ``Server Core`` or ``Client``"""
    arch: str
    build: int
    languages: tuple[str, ...]
    size: int = 0
    """Bytes of its files; 0 where the medium does not say"""

    def __str__(self) -> str:
        kind = f"{self.installation_type}, " if self.installation_type else ""
        return (
            f"{self.index}: {self.name} ({self.edition_id}, {kind}{self.arch}, "
            f"build {self.build}, {' '.join(self.languages)})"
        )


def offered(medium: Path) -> tuple[Edition, ...]:
    """The editions that an ISO, or a file with images, offers.

    :raises UsageError: when it is no Windows installation medium, or is damaged.
    """
    try:
        with _images(medium) as images:
            return _editions(medium, images)
    except OSError as error:
        raise UsageError(
            f"{medium} cannot be read: {error.strerror or error}",
            hint="name the vendor's ISO, on a disk or a share that is mounted",
        ) from None


def chosen(
    medium: Path,
    editions: Sequence[Edition],
    *,
    edition: str,
    language: str,
    arch: str,
    installation: str = "",
) -> Edition:
    """The one edition that is wanted; names are compared without regard to capitals.

    :param edition: its id or its name, the latter where several images share an id.
    :param installation: INSTALLATIONTYPE, which also tells apart images that share an id.
    :param language: such as ``en-US``.
    :raises UsageError: saying what is not there, and what the medium offers instead.
    """
    wanted = edition.lower()
    named = [one for one in editions if wanted in (one.name.lower(), one.edition_id.lower())]
    if not named:
        known = sorted({one.edition_id for one in editions} | {one.name for one in editions})
        _nothing(medium, editions, f"edition {edition}{suggestion(edition, known)}")
    fitting = [one for one in named if one.arch == arch]
    if not fitting:
        _nothing(medium, editions, f"edition {edition} for {arch}")
    if installation:
        fitting = [one for one in fitting if one.installation_type == installation]
        if not fitting:
            _nothing(medium, editions, f"edition {edition} as {installation}")
    spoken = [one for one in fitting if language.lower() in map(str.lower, one.languages)]
    if not spoken:
        _nothing(medium, editions, f"edition {edition} in the language {language}")
    if len(spoken) > 1:
        raise UsageError(
            f"{medium} offers several images as {edition}:\n{_list(spoken)}",
            hint="name the one that is meant by its full name",
        )
    return spoken[0]


def _nothing(medium: Path, editions: Sequence[Edition], what: str) -> NoReturn:
    raise UsageError(
        f"{medium} offers no {what}; it offers:\n{_list(editions)}",
        hint="choose one of these, or another medium",
    )


def _list(editions: Sequence[Edition]) -> str:
    return "\n".join(f"  {edition}" for edition in editions)


class Disc:
    """An ISO, read in place; its files are named as in ``sources/install.wim``."""

    def __init__(self, disc: pycdlib.PyCdlib) -> None:
        self._disc = disc
        self._kind = next(
            kind
            for kind, is_there in (
                ("udf_path", disc.has_udf()),
                ("joliet_path", disc.has_joliet()),
                ("rr_path", disc.has_rock_ridge()),
                ("iso_path", True),
            )
            if is_there
        )

    def names(self) -> Iterator[str]:
        """All files."""
        for place, _, names in self._disc.walk(**{self._kind: "/"}):
            for name in names:
                yield f"{place.strip('/')}/{name}".lstrip("/").partition(";")[0]

    def copy(self, name: str, target: Path) -> None:
        """Write one file to ``target``, whose folder is made."""
        target.parent.mkdir(parents=True, exist_ok=True)
        inside = f"/{name};1" if self._kind == "iso_path" else f"/{name}"
        with target.open("wb") as file:
            self._disc.get_file_from_iso_fp(file, blocksize=2**20, **{self._kind: inside})


@contextlib.contextmanager
def opened(medium: Path) -> Iterator[Disc]:
    """An ISO, for the length of a ``with`` block.

    :raises UsageError: when it is none.
    """
    with _opened(medium) as disc:
        yield Disc(disc)


def refuse_unbootable(medium: Path, firmware: str) -> None:
    """See that a medium starts by itself, before anything is done with it.

    :param firmware: ``bios`` or ``uefi``.
    :raises UsageError: naming the boot image that is missing.
    """
    with opened(medium) as disc:
        names = {name.lower() for name in disc.names()}
    for wanted in (UEFI_BOOT, BIOS_BOOT) if firmware == "uefi" else (BIOS_BOOT, UEFI_BOOT):
        if wanted not in names:
            raise UsageError(
                f"{medium} does not start from {firmware}: it has no {wanted}",
                hint="take the vendor's ISO as it is; one that was made anew may have lost it",
            )


def unpack(medium: Path, folder: Path) -> None:
    """Write all files of an ISO below a folder, which is made.

    :raises UsageError: when it is no ISO.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with opened(medium) as disc:
        for name in disc.names():
            disc.copy(name, folder / name)


@contextlib.contextmanager
def _images(medium: Path) -> Iterator[IO[bytes]]:
    """The file with the images: the medium itself, or what lies in the ISO."""
    with medium.open("rb") as file:
        if file.read(8) in (b"MSWIM\0\0\0", b"WLPWM\0\0\0"):
            yield file
            return
    with _opened(medium) as disc:
        yield from _in_sources(medium, disc)


@contextlib.contextmanager
def _opened(medium: Path) -> Iterator[pycdlib.PyCdlib]:
    import pycdlib  # here, since every command knows the systems and few open a medium
    from pycdlib.pycdlibexception import PyCdlibException

    disc = pycdlib.PyCdlib()
    try:
        disc.open(str(medium))
    except PyCdlibException:
        raise UsageError(
            f"{medium} is neither an ISO nor a file with Windows images",
            hint="name the vendor's ISO; a download that broke off has a wrong checksum",
        ) from None
    try:
        yield disc
    finally:
        disc.close()


def _in_sources(medium: Path, disc: pycdlib.PyCdlib) -> Iterator[IO[bytes]]:
    from pycdlib.pycdlibexception import PyCdlibException

    for name in NAMES:
        place = (
            {"udf_path": f"/sources/{name}"}
            if disc.has_udf()
            else {"iso_path": f"/SOURCES/{name.upper()};1"}
        )
        try:
            opened = disc.open_file_from_iso(**place)
        except PyCdlibException:
            continue
        with opened as file:
            yield file
        return
    raise UsageError(
        f"{medium} holds none of {', '.join(NAMES)} in sources",
        hint="it is no Windows installation medium; the ISO with the virtio drivers is another one",
    )


def _editions(medium: Path, images: IO[bytes]) -> tuple[Edition, ...]:
    images.seek(0)
    header = images.read(_HEADER)
    try:
        size, offset = struct.unpack_from("<QQ", header, _XML_RESOURCE)
        size &= 2**56 - 1  # the eighth byte holds flags
        if not 0 < size <= _LARGEST_LIST:
            raise ValueError(size)
        images.seek(offset)
        text = images.read(size).decode("utf-16")
        root = ElementTree.fromstring(text)
        return tuple(_edition(element) for element in root.findall("IMAGE"))
    except (struct.error, ValueError, ElementTree.ParseError):
        raise ImagecycleError(
            f"the list of images in {medium} cannot be read: the file is damaged or cut off",
            hint="compare its checksum with the vendor's, and get it again",
        ) from None


def _edition(image: ElementTree.Element) -> Edition:
    def text(path: str) -> str:
        return (image.findtext(path) or "").strip()

    return Edition(
        index=int(image.get("INDEX", "")),
        name=text("NAME"),
        edition_id=text("WINDOWS/EDITIONID"),
        installation_type=text("WINDOWS/INSTALLATIONTYPE"),
        arch=ARCHITECTURES.get(text("WINDOWS/ARCH"), f"architecture {text('WINDOWS/ARCH')}"),
        build=int(text("WINDOWS/VERSION/BUILD") or 0),
        languages=tuple(one.text or "" for one in image.findall("WINDOWS/LANGUAGES/LANGUAGE")),
        size=int(text("TOTALBYTES") or 0),
    )
