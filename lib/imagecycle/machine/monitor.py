"""QEMU's monitor (QMP), for code that runs from top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from qemu.qmp import EventListener, QMPClient, QMPError, Runstate

from imagecycle.errors import ImagecycleError
from imagecycle.machine import unix_sockets
from imagecycle.machine.packets import SNAP_LENGTH

RECORDER = "recorder"
"""QEMU's name for what records the packets of the first network card"""
REPLY_LIMIT = 30.0
"""Seconds; QEMU answers at once unless the machine is overloaded."""
DRAIN_PAUSE = 0.002
"""Seconds in which what has arrived is taken in"""
CLOSE_LIMIT = 2.0
"""Seconds in which the connection of a QEMU that has ended must end"""
_T = TypeVar("_T")


class Monitor:
    """A connection to a running QEMU, for the length of a ``with`` block.

    :param path: its socket; the path may be longer than a socket's address can be.
    :raises ImagecycleError: from every method, when QEMU refuses or does not answer.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self._path = path
        self._name = name or path.parent.name
        self._client = QMPClient(self._name)
        self._events = EventListener()
        self._client.register_listener(self._events)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Monitor:
        try:
            self._await(self._client.connect(unix_sockets.connected(self._path, "monitor")))
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # after an interrupt the client is in no state for a farewell
        if kind is None or issubclass(kind, Exception):
            with contextlib.suppress(ImagecycleError, EOFError, OSError):
                self._await(self._client.disconnect())
        self._runner.close()

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command and return its answer; ``_`` in names of arguments means ``-``."""
        words = {name.replace("_", "-"): value for name, value in arguments.items()}
        return self._await(self._client.execute(command, words))

    def forwarded_port(self) -> int:
        """The port on loopback that leads to the guest's port 22."""
        shown = str(self.execute("human-monitor-command", command_line="info usernet"))
        match = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)", shown)
        if match is None:
            raise ImagecycleError(f"QEMU forwards no port: {shown.strip()}")
        return int(match[1])

    def screenshot(self, path: Path) -> None:
        """Write what the guest's screen shows, as PNG."""
        self.execute("screendump", filename=str(path), format="png")

    def record_network(self, path: Path) -> None:
        """Record what passes on the first network card; see :mod:`imagecycle.machine.packets`."""
        path.unlink(missing_ok=True)
        self.execute(
            "object-add",
            qom_type="filter-dump",
            id=RECORDER,
            netdev="net",
            file=str(path),
            maxlen=SNAP_LENGTH,
        )

    def stop_recording(self) -> None:
        """End it; the record stays."""
        self.execute("object-del", id=RECORDER)

    def power_button(self) -> None:
        """Ask the guest to shut down, as Nova does when a server is stopped."""
        self.execute("system_powerdown")

    def events(self, *, to_the_end: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """What QEMU has reported since the last call: names and data, the oldest first.

        :param to_the_end: QEMU has ended, so read until its connection has ended as well.
        """
        return self._run(self._drain(CLOSE_LIMIT if to_the_end else 0.0))

    async def _drain(self, limit: float) -> list[tuple[str, dict[str, Any]]]:
        deadline = time.monotonic() + limit
        await asyncio.sleep(DRAIN_PAUSE)
        while self._client.runstate == Runstate.RUNNING and time.monotonic() < deadline:
            await asyncio.sleep(DRAIN_PAUSE)
        found = []
        while not self._events.empty():
            message = await self._events.get()
            data = message.get("data", {})
            assert isinstance(data, dict)
            found.append((str(message["event"]), data))
        return found

    def _await(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return self._run(asyncio.wait_for(coroutine, REPLY_LIMIT))

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        try:
            return self._runner.run(coroutine)
        except TimeoutError:
            raise ImagecycleError(f"QEMU's monitor for {self._name} does not answer") from None
        except (QMPError, EOFError, OSError) as error:
            raise ImagecycleError(f"QEMU's monitor for {self._name}: {error}") from None
