"""Whether a machine that is not up yet ever will be: rules over what can be seen from outside.

They are plain functions of a :class:`Situation`. Times are seconds of the machine's own pace, in
which those do not count that it waited for a processor: a busy host stalls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from imagecycle.verify import console, pictures
from imagecycle.verify.pictures import Picture

LOADER = 12.0
"""Seconds in which a boot loader does nothing but wait, before it loads a kernel"""
LOGIN = 12.0
"""Seconds from the login prompt to a login; services that a login needs start before the prompt."""
FINISHED = 12.0
"""Seconds from the end of contextualisation to a login"""
SLOW = 0.4
"""Of the time that a machine has taken until then, which it may take as well while it is at work:
on a processor that others share, all of its work takes longer, and nothing counts that"""
STILL = 15.0
"""Seconds in which a machine with an idle processor shows, reads and writes nothing"""
IDLE = 0.3
"""Of one processor; less is idle"""
SILENT = 40.0
"""Seconds in which a machine with a busy processor shows, reads and writes nothing"""
UNIT = 20
"""Seconds that systemd says it has been waiting for one unit, with an idle processor"""
ROOT_TRIES = 8
"""Looks of the initial RAM disk for the root file system, one a second; a good boot needs one, and
a slow machine takes longer to find its disks"""
STARTS = 3
"""Starts of the firmware. A first boot may restart once, to relabel or to grow."""

PROMPT = re.compile(r"^(?!Last )\S{1,64} login:", re.MULTILINE)
_ROOT_TRY = re.compile(
    r"Running /scripts/local-block|dracut-initqueue(\[\d+\])?:.{0,200}[Tt]imeout"
)
_MENU = re.compile(r"GNU GRUB +version")
_LOADING = re.compile(r"Loading (Linux|initial ramdisk)\b|EFI stub: |Decompressing Linux")
"""The kernel's unpacking follows, which shows and reads nothing"""
_DEVICE = re.compile(r"/dev/|\.device\b|^dev-")


@dataclass(frozen=True)
class Network:
    """What the machine did on its network."""

    has_address: bool = False
    addresses_asked: int = 0
    address_granted: bool = False
    ssh_refused: int = 0
    ssh_accepted: int = 0


@dataclass(frozen=True)
class Situation:
    """One look at a machine; times in seconds of its own pace."""

    system: bool
    """Whether a kernel has ever been seen to run"""
    handed_over: bool
    """Whether the firmware has started something from the disk"""
    still: float
    """Since the console, the screen, or the count of disk requests has changed"""
    busy: float
    """Share of one processor used of late"""
    console: str = ""
    """The end of the serial console's text"""
    firmware: str = ""
    """The end of the firmware's own log"""
    screen: str = ""
    """The words on a screen in text mode"""
    starts: int = 1
    """How often the firmware began"""
    prompt: float | None = None
    """Since a login prompt was seen"""
    finished: float | None = None
    """Since contextualisation said that it has finished"""
    pace: float = 0.0
    """Since power-on"""
    network: Network = field(default_factory=Network)
    ssh_answered: bool = False
    key_refused: bool = False


@dataclass(frozen=True)
class Stall:
    """A machine that will not come up."""

    picture: Picture
    meaning: str
    """What it waits for, or has met"""


def judge(situation: Situation) -> Stall | None:
    """The first rule that applies; None while the machine may still come up."""
    for rule in _RULES:
        if stall := rule(situation):
            return stall
    return None


def _sign(s: Situation) -> Stall | None:
    for text in (s.console, s.firmware, s.screen):
        if sign := pictures.recognise(text):
            return Stall(sign.picture, sign.meaning)
    return None


def _restarts(s: Situation) -> Stall | None:
    if s.starts < STARTS:
        return None
    return Stall(Picture.RESTARTS, f"it has started {s.starts} times without a login")


def _no_root(s: Situation) -> Stall | None:
    tries = len(_ROOT_TRY.findall(s.console))
    needed = 2 if "dracut" in s.console else max(ROOT_TRIES, SLOW * s.pace)
    if tries < needed or PROMPT.search(s.console) or s.still > STILL:
        return None
    return Stall(
        Picture.INITRAMFS,
        f"the initial RAM disk has looked {tries} times for a root file system that is not there",
    )


def _unit(s: Situation) -> Stall | None:
    jobs = list(console.JOB.finditer(s.console))
    if not jobs or s.busy > IDLE or s.prompt is not None:
        return None
    job = jobs[-1]
    waited = int(job["minutes"] or 0) * 60 + int(job["seconds"])
    if waited < UNIT:
        return None
    device = _DEVICE.search(job["unit"])
    why = "a device that is not there" if device else "a unit that does not come"
    return Stall(
        Picture.WAITS_FOR_UNIT,
        f"systemd waits {waited} s of {job['limit']} for {why}: {job['unit'].strip()}",
    )


def _loader(s: Situation) -> Stall | None:
    if s.system or not s.handed_over or s.still < LOADER:
        return None
    if _MENU.search(s.screen) or _MENU.search(s.console):
        return Stall(Picture.LOADER_WAITS, "GRUB shows its menu and waits without a time limit")
    last = last_words(s.screen) or last_words(s.console)
    loading = any(_LOADING.search(last_words(text)) for text in (s.screen, s.console))
    if loading and s.still < SILENT:
        return None
    return Stall(
        Picture.LOADER_WAITS,
        "the boot loader has started no kernel and does nothing any more"
        + (f"; last seen: {last}" if last else ""),
    )


def _login(s: Situation) -> Stall | None:
    late = [
        since
        for since, limit in ((s.prompt, LOGIN), (s.finished, FINISHED))
        if since is not None and since > _patience(s, since, limit)
    ]
    if not late:
        return None
    after = "its login prompt" if s.prompt is not None else "the end of contextualisation"
    return _without_login(s, f"{max(late):.0f} s after {after}")


def _patience(s: Situation, since: float, limit: float) -> float:
    """Seconds that a machine gets after something that should soon be followed by a login."""
    return limit if s.busy <= IDLE else max(limit, SLOW * (s.pace - since))


def _without_login(s: Situation, when: str) -> Stall:
    net = s.network
    if s.key_refused:
        return Stall(Picture.NOT_CONTEXTUALISED, f"SSH refuses the injected key {when}")
    if s.ssh_answered:
        return Stall(Picture.NO_SSH, f"SSH answers, but lets nobody in {when}")
    if net.has_address:
        how = "refuses connections" if net.ssh_refused else "does not answer"
        return Stall(Picture.NO_SSH, f"the machine has an address, but SSH {how} {when}")
    if net.address_granted:
        how = "it was given an address by DHCP and does not use it"
    elif net.addresses_asked:
        how = "it has asked for an address by DHCP, but took none"
    else:
        how = "it has not even asked for an address"
    return Stall(Picture.NO_NETWORK, f"{how} {when}")


def _still(s: Situation) -> Stall | None:
    if not s.system or s.still < STILL or s.busy > IDLE or s.prompt is not None:
        return None
    if s.finished is None and (s.ssh_answered or s.key_refused):
        return _without_login(s, f"and nothing has happened for {s.still:.0f} s")
    return Stall(
        Picture.STANDS_STILL,
        f"console, screen, disk and processor are still{_after(s)}",
    )


def _silent(s: Situation) -> Stall | None:
    if s.still < SILENT or s.busy <= IDLE or s.prompt is not None:
        return None
    return Stall(
        Picture.HANGS,
        f"its processor is busy, but console, screen and disk have been still for "
        f"{s.still:.0f} s{_after(s)}",
    )


def _after(s: Situation) -> str:
    last = last_words(s.console) or last_words(s.screen)
    return f"; last seen: {last}" if last else "; nothing was ever seen on the console"


def last_words(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w{2}", line)]
    return lines[-1][:160] if lines else ""


_RULES: tuple[Callable[[Situation], Stall | None], ...] = (
    _sign,
    _restarts,
    _no_root,
    _unit,
    _loader,
    _login,
    _still,
    _silent,
)
