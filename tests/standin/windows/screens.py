"""What Windows shows when it asks or gives up: pictures made for the purpose, with its words.

The words are Microsoft's, as its documentation and users quote them; layout, colours and letters
are only like Windows' own. Letters come from DejaVu Sans, by GRUB's tool for fonts.
"""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

FONTS = Path("/usr/share/fonts/truetype/dejavu")
SIZE = (1024, 768)
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (240, 240, 240)
SETUP, OOBE, BLUE = (40, 30, 110), (0, 60, 116), (0, 120, 215)


@dataclass(frozen=True)
class Text:
    """One line of a picture."""

    words: str
    x: int = 260
    y: int = 0
    """Pixels from the top; 0 for the line after the one before"""
    size: int = 14
    colour: tuple[int, int, int] = BLACK


@dataclass(frozen=True)
class Screen:
    """One picture: the colour behind it, perhaps a window, and lines of text."""

    behind: tuple[int, int, int]
    lines: tuple[Text, ...]
    window: tuple[int, int, int, int] | None = (230, 150, 800, 600)


def _window(title: str, *lines: str) -> Screen:
    first = Text(title, y=190, size=20, colour=(0, 51, 153))
    others = (Text(words, y=250 + 30 * at) for at, words in enumerate(lines))
    return Screen(SETUP, (Text("Windows Setup", 260, 160), first, *others, Text("Next", 720, 560)))


def _oobe(title: str, *lines: str) -> Screen:
    first = Text(title, 220, 200, 28, WHITE)
    others = (
        Text(words, 220, 260 + 32 * at, 16, WHITE) for at, words in enumerate((*lines, "Next"))
    )
    return Screen(OOBE, (first, *others), None)


def _stop(code: str, behind: tuple[int, int, int] = BLUE) -> Screen:
    words = (
        "Your PC ran into a problem and needs to restart. We're just",
        "collecting some error info, and then we'll restart for you.",
        "100% complete",
    )
    lines = [Text(line, 120, 300 + 36 * at, 22, WHITE) for at, line in enumerate(words)]
    lines += [
        Text(
            "For more information about this issue and possible fixes, visit", 260, 470, 14, WHITE
        ),
        Text("https://www.windows.com/stopcode", 260, 492, 14, WHITE),
        Text("If you call a support person, give them this info:", 260, 530, 13, WHITE),
        Text(f"Stop code: {code}", 260, 552, 13, WHITE),
    ]
    return Screen(behind, tuple(lines), None)


SCREENS: dict[str, Screen] = {
    "product-key": _window(
        "Activate Windows",
        "If this is the first time you're installing Windows on this PC, you need to",
        "enter a valid Windows product key.",
        "Enter the product key",
        "I don't have a product key",
    ),
    "product-key-refused": _window(
        "Windows Setup",
        "The product key entered does not match any of the Windows images",
        "available for installation. Enter a different product key.",
    ),
    "no-disk": _window(
        "Where do you want to install Windows?",
        "Name      Total size      Free space      Type",
        "We couldn't find any drives. To get a storage driver, click Load driver.",
        "Refresh      Load driver",
    ),
    "language": _window(
        "Windows Setup",
        "Language to install:  English (United States)",
        "Time and currency format:  English (United States)",
        "Keyboard or input method:  US",
        "Enter your language and other preferences and click Next to continue.",
    ),
    "edition": _window(
        "Select the operating system you want to install",
        "Operating system      Architecture      Date modified",
        "Windows Server 2022 Standard      x64      5/8/2021",
    ),
    "licence": _window(
        "Applicable notices and license terms", "Please read the license terms.", "I accept"
    ),
    "where": _window(
        "Where do you want to install Windows?",
        "Drive 0 Unallocated Space      40.0 GB      40.0 GB",
    ),
    "partitions": _window(
        "Windows Setup",
        "Windows cannot be installed to this disk. The selected disk has an MBR partition",
        "table. On EFI systems, Windows can only be installed to GPT disks.",
    ),
    "requirements": _window(
        "This PC can't run Windows 11",
        "This PC doesn't meet the minimum system requirements to install this version",
        "of Windows. For more information, visit aka.ms/WindowsSysReq",
    ),
    "answer-file": _window(
        "Windows Setup",
        "Windows could not parse or process unattend answer file",
        "[D:\\autounattend.xml] for pass [windowsPE]. A component or setting specified in",
        "the answer file does not exist.",
    ),
    "unexpected-restart": _window(
        "Install Windows",
        "The computer restarted unexpectedly or encountered an unexpected error.",
        'Windows installation cannot proceed. To install Windows, click "OK" to',
        "restart the computer, and then restart the installation.",
    ),
    "sysprep": _window(
        "System Preparation Tool 3.14",
        "Sysprep was not able to validate your Windows installation.",
        "Review the log file at %WINDIR%\\System32\\Sysprep\\Panther\\setupact.log for",
        "details. After resolving the issue, use Sysprep to validate your installation again.",
    ),
    "stop-7b": _stop("INACCESSIBLE_BOOT_DEVICE"),
    "stop-black": _stop("CRITICAL_PROCESS_DIED", BLACK),
    "stop-old": Screen(
        (0, 0, 130),
        (
            Text(
                "A problem has been detected and Windows has been shut down to prevent",
                20,
                60,
                14,
                WHITE,
            ),
            Text("damage to your computer.", 20, 84, 14, WHITE),
            Text("Technical information:", 20, 300, 14, WHITE),
            Text(
                "*** STOP: 0x0000007B (0xFFFFF880009A97E8, 0xFFFFFFFFC0000034)", 20, 330, 14, WHITE
            ),
        ),
        None,
    ),
    "any-key": Screen(
        BLACK,
        (Text("Press any key to boot from CD or DVD......", 8, 8, 16, (190, 190, 190)),),
        None,
    ),
    "boot-manager": Screen(
        BLACK,
        (
            Text("Recovery", 60, 80, 28, WHITE),
            Text("Your PC/Device needs to be repaired", 60, 140, 16, WHITE),
            Text(
                "The Boot Configuration Data for your PC is missing or contains errors.",
                60,
                180,
                14,
                WHITE,
            ),
            Text("File: \\Boot\\BCD", 60, 210, 14, WHITE),
            Text("Error code: 0xc000000f", 60, 234, 14, WHITE),
        ),
        None,
    ),
    "country": _oobe(
        "Is this the right country or region?", "Ukraine", "United Kingdom", "United States"
    ),
    "network": _oobe(
        "Let's connect you to a network", "You'll need an internet connection to continue."
    ),
    "account": _oobe("Unlock your Microsoft experience", "Sign in", "Email, phone, or Skype"),
    "administrator": _oobe(
        "Customize settings",
        "Type a password for the built-in administrator account that you can use to sign in to",
        "this computer.",
    ),
    "change-password": _oobe(
        "Administrator", "The user's password must be changed before signing in."
    ),
    "progress": _oobe("Getting devices ready", "35%"),
    "desktop": Screen(OOBE, (Text("Recycle Bin", 20, 90, 12, WHITE),), None),
    "sign-in": _oobe("Press Ctrl+Alt+Delete to unlock"),
    "copying": _window(
        "Installing Windows",
        "Status",
        "Copying Windows files (0%)",
        "Getting files ready for installation (37%)",
        "Installing features",
    ),
}


def pixels(name: str, size: tuple[int, int] = SIZE) -> bytearray:
    """A picture, three bytes a pixel."""
    screen, (width, height) = SCREENS[name], size
    found = bytearray(bytes(screen.behind) * (width * height))
    if screen.window:
        left, top, right, bottom = screen.window
        for y in range(top, bottom):
            at = (y * width + left) * 3
            found[at : at + (right - left) * 3] = bytes(WHITE if y > top + 24 else GREY) * (
                right - left
            )
    for line in screen.lines:
        _write(found, width, line)
    return found


def png(name: str) -> bytes:
    """The same as a file."""
    width, height = SIZE
    rows = pixels(name)
    raw = b"".join(
        b"\0" + rows[at : at + width * 3] for at in range(0, width * height * 3, width * 3)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def ppm(name: str) -> bytes:
    """The same as QEMU and libvirt write it."""
    return b"P6\n%d %d\n255\n" % SIZE + bytes(pixels(name))


def _write(target: bytearray, width: int, line: Text) -> None:
    font = _font(line.size)
    x, colour = line.x, bytes(line.colour)
    for letter in line.words:
        glyph = font.get(ord(letter))
        if glyph is None:
            continue
        w, h, left, up, advance, bits = glyph
        top = line.y + line.size - up - h
        for at in range(w * h):
            if bits[at // 8] & 0x80 >> at % 8:
                place = ((top + at // w) * width + x + left + at % w) * 3
                target[place : place + 3] = colour
        x += advance


Glyph = tuple[int, int, int, int, int, bytes]


@functools.cache
def _font(size: int) -> dict[int, Glyph]:
    with tempfile.NamedTemporaryFile(suffix=".pf2") as file:
        argv = ["grub-mkfont", "-s", str(size), "-r", "0x20-0x7e", "-o", file.name]
        subprocess.run([*argv, FONTS / "DejaVuSans.ttf"], check=True, timeout=30)
        data = Path(file.name).read_bytes()
    found: dict[int, Glyph] = {}
    at = 0
    while at + 8 <= len(data):
        name, length = data[at : at + 4], struct.unpack_from(">I", data, at + 4)[0]
        if name == b"CHIX":
            for entry in range(at + 8, at + 8 + length, 9):
                code, _, offset = struct.unpack_from(">IBI", data, entry)
                w, h, left, up, advance = struct.unpack_from(">HHhhh", data, offset)
                bits = data[offset + 10 : offset + 10 + (w * h + 7) // 8]
                found[code] = (w, h, left, up, advance, bits)
        if name == b"DATA":
            break
        at += 8 + length
    return found
