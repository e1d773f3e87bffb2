"""What a server's screen shows when it has come to rest: text, or graphics."""

from __future__ import annotations

from dataclasses import dataclass

from imagecycle.machine import vitals
from imagecycle.machine.virtual_machine import VirtualMachine

LIMIT = 60.0
"""Seconds of the machine's own pace that a desktop may take after the login, without emulation"""
COLOURS = 32
"""A console in graphics mode has 16; letters with smooth edges alone have more"""
SAMPLED = 200_000
"""Pixels that are looked at"""
EMULATION = 5.0
"""How much longer it takes under software emulation, at most"""
INTERVAL = 2.0
"""Seconds between two looks"""
_BYTES = 3  # of a pixel


@dataclass(frozen=True)
class Screen:
    """A picture in numbers."""

    width: int
    height: int
    colours: int

    @property
    def is_graphics(self) -> bool:
        """Whether it is more than a console."""
        return (self.width, self.height) != vitals.TEXT_MODE and self.colours >= COLOURS

    def __str__(self) -> str:
        return f"{self.width}x{self.height} pixels in {self.colours} colours"


def look(machine: VirtualMachine) -> Screen:
    """:raises ImagecycleError: when QEMU does not answer."""
    picture = vitals.take(machine)
    width, height = picture.size
    step = max(1, width * height // SAMPLED) * _BYTES
    pixels = picture.pixels
    colours = {pixels[at : at + _BYTES] for at in range(0, len(pixels) - _BYTES + 1, step)}
    return Screen(width, height, len(colours))
