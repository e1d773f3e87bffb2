"""A libvirt domain that is watched: its end is noticed at once, a stall in time.

Domains of imagecycle are transient and are ended by libvirt itself when the connection that
started them is lost, so that none outlives a run that was killed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import libvirt

from imagecycle.errors import ImagecycleError
from imagecycle.shipped import SETUP

PREFIX = "imagecycle-"
"""Of the names of all domains that imagecycle starts."""
PICTURE = "screenshot.png"
"""In the folder of a build: what the screen showed when it was given up"""

_TICK = 500  # milliseconds between two looks at console and activity
_LAST_WORD = 10.0  # seconds for libvirt to say why a domain has ended
_LEAST_TRAFFIC = 4096  # bytes a second; less is but the network's own noise


class InstallationFailed(ImagecycleError):
    """The installer ran, but not to its end."""


class MachineCrashed(InstallationFailed):
    """The virtual machine is gone, and not because its guest ended: QEMU crashed or was killed."""


@dataclass(frozen=True)
class Limits:
    """Seconds: for the whole, and without any activity of disk, network or console."""

    total: float
    stall: float


def connect(uri: str) -> Any:
    """A connection to libvirt whose events :func:`watch` can wait for.

    :raises ImagecycleError: when libvirt does not answer.
    """
    _run_events()
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise ImagecycleError(
            f"libvirt does not answer at {uri}: {error}",
            hint=f"{SETUP}, which starts it, or look at `imagecycle doctor`",
        ) from None


def require_network(uri: str) -> None:
    """See that libvirt has a network through which Oz can connect a guest.

    Oz takes the first active one that translates addresses.

    :raises ImagecycleError: when it has none, or libvirt does not answer.
    """
    connection = connect(uri)
    try:
        for network in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            forward = ElementTree.fromstring(network.XMLDesc()).find("forward")
            if forward is not None and forward.get("mode") == "nat":
                return
    except libvirt.libvirtError as error:
        raise ImagecycleError(
            f"libvirt at {uri} does not list its networks: {error}",
            hint="look at `imagecycle doctor`",
        ) from None
    finally:
        connection.close()
    raise ImagecycleError(
        f"libvirt at {uri} has no active network that reaches other machines",
        hint=f"{SETUP}, or `virsh --connect {uri} net-start default`",
    )


@functools.cache
def _run_events() -> None:
    """Serve libvirt's events from now on, in a thread of their own.

    Without that libvirt takes a connection that is busy elsewhere for dead, and ends its domains.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    # the loop looks up for what was added by other threads at least this often
    libvirt.virEventAddTimeout(_TICK, lambda _timer, _opaque: None, None)

    def serve() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=serve, name="libvirt events", daemon=True).start()


@dataclass
class Ending:
    """What libvirt says of how a domain ended; listened for since its start."""

    details: list[int] = field(default_factory=list)
    said: threading.Event = field(default_factory=threading.Event)
    callback: int = -1

    def hear(self, _connection: Any, _domain: Any, event: int, detail: int, _opaque: Any) -> None:
        if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            self.details.append(detail)
            self.said.set()


_endings: dict[str, Ending] = {}


def listen(connection: Any, domain: Any) -> Ending:
    """Note from now on how a domain ends: whoever listens later may have missed it."""
    key = domain.UUIDString()
    if key not in _endings:
        ending = Ending()
        ending.callback = connection.domainEventRegisterAny(
            domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, ending.hear, None
        )
        _endings[key] = ending
    return _endings[key]


def _stop_listening(domain: Any) -> None:
    if ending := _endings.pop(domain.UUIDString(), None):
        with contextlib.suppress(libvirt.libvirtError):
            domain.connect().domainEventDeregisterAny(ending.callback)


class Connection:
    """A connection whose domains end with it, whoever starts them: for Oz, which asks for less."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def createXML(self, xml: str, _flags: int = 0) -> Any:  # noqa: N802 - libvirt's name
        """:raises ImagecycleError: when libvirt refuses."""
        return start(self._connection, xml)


def start(connection: Any, xml: str) -> Any:
    """Start a transient domain that ends with the connection.

    :raises ImagecycleError: when libvirt refuses.
    """
    try:
        domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_AUTODESTROY)
        listen(connection, domain)
        return domain
    except libvirt.libvirtError as error:
        raise ImagecycleError(
            f"libvirt cannot start the virtual machine: {error}",
            hint="QEMU's user must be able to enter `home` of the site; see `imagecycle doctor`",
        ) from None


def watch(
    connection: Any,
    domain: Any,
    limits: Limits,
    *,
    tick: Callable[[], bool] = lambda: False,
) -> None:
    """Wait until the domain has ended.

    :param tick: called about twice a second; returns whether it saw a sign of life.
    :raises InstallationFailed: at the time limit or at a stall.
    :raises MachineCrashed: when QEMU did not live as long as its guest, or nobody knows.
    """
    ending = listen(connection, domain)
    try:
        started = alive = time.monotonic()
        activity = _activity(domain)
        while runs(domain) and not ending.said.wait(_TICK / 1000):
            now = time.monotonic()
            busy = tick()
            check_storage(domain)
            seen = _activity(domain)
            if busy or _moved(activity, seen):
                alive = now
            activity = seen or activity
            if now - started > limits.total:
                raise InstallationFailed(f"it was not done after {limits.total:.0f} s")
            if now - alive > limits.stall:
                raise InstallationFailed(
                    f"it stalled: no activity of disk, network or console for {limits.stall:.0f} s"
                )
        tick()
        # a domain may be gone a moment before its event comes
        ending.said.wait(_LAST_WORD)
        if libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED in ending.details:
            raise InstallationFailed("somebody else ended the virtual machine")
        if set(ending.details) != {libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN}:
            raise MachineCrashed("the virtual machine crashed")
    finally:
        _stop_listening(domain)


def check_storage(domain: Any) -> None:
    """Name what nobody sees from outside: a machine that waits for room on the disk of its host.

    :raises InstallationFailed: when QEMU has halted the domain because it cannot write.
    """
    halted = [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]
    with contextlib.suppress(libvirt.libvirtError):  # it is gone, which others notice
        if domain.state() == halted:
            raise InstallationFailed(
                "no space is left for what the virtual machine writes",
                hint="make room, or set `home` in the site's settings to a larger place",
            )


@contextlib.contextmanager
def ended_on_exit(domain: Any) -> Iterator[None]:
    """End a domain when the ``with`` block is left, if it still runs."""
    try:
        yield
    finally:
        with contextlib.suppress(libvirt.libvirtError):
            domain.destroy()
        _stop_listening(domain)


def screenshot(connection: Any, domain: Any, path: Path) -> bool:
    """Write what the domain shows to a PNG or PPM file; returns whether that could be done."""
    try:
        stream = connection.newStream(0)
        domain.screenshot(stream, 0, 0)
        with path.open("wb") as file:
            stream.recvAll(lambda _stream, chunk, target: target.write(chunk), file)
        stream.finish()
    except libvirt.libvirtError:
        return False
    return True


def name_of(folder: Path) -> str:
    """The name of the domain that builds in ``FAMILY/.RELEASE.partial``.

    It ends with a digest of the place: two artifact folders on one machine do not get in each
    other's way.
    """
    place = hashlib.sha256(str(folder.parent).encode()).hexdigest()[:6]
    release = folder.name.strip(".").removesuffix(".partial")
    return f"{PREFIX}{folder.parent.name}-{release}-{place}"


def own_domains(connection: Any, folder: Path) -> Iterator[Any]:
    """The running domains that imagecycle started to build in a family's artifact folder."""
    name = re.compile(re.escape(name_of(folder / "RELEASE")).replace("RELEASE", r"[\d.]+"))
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        with contextlib.suppress(libvirt.libvirtError):
            if name.fullmatch(domain.name()):
                yield domain


def runs(domain: Any) -> bool:
    """Whether the domain is still there."""
    try:
        return bool(domain.isActive())
    except libvirt.libvirtError:
        return False


def _activity(domain: Any) -> tuple[int, int] | None:
    """Requests to the disks and bytes on the network so far; None once the domain has ended."""
    try:
        (record,) = domain.connect().domainListGetStats(
            [domain], libvirt.VIR_DOMAIN_STATS_BLOCK | libvirt.VIR_DOMAIN_STATS_INTERFACE
        )
    except (libvirt.libvirtError, ValueError):
        return None
    numbers = record[1]
    requests = sum(n for key, n in numbers.items() if key.endswith((".rd.reqs", ".wr.reqs")))
    traffic = sum(n for key, n in numbers.items() if key.endswith((".rx.bytes", ".tx.bytes")))
    return requests, traffic


def _moved(before: tuple[int, int] | None, after: tuple[int, int] | None) -> bool:
    if before is None or after is None:
        return False
    return after[0] != before[0] or after[1] - before[1] > _LEAST_TRAFFIC * _TICK / 1000
