"""QEMU's monitor (QMP), for code that runs from top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import time
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from qemu.qmp import EventListener, QMPClient, QMPError, Runstate

from imagecycle.errors import ImagecycleError
from imagecycle.machine.packets import SNAP_LENGTH

RECORDER = "recorder"
"""QEMU's name for what records the packets of the first network card"""
REPLY_LIMIT = 30.0
"""Seconds; QEMU answers at once unless the machine is overloaded."""
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
            self._await(self._client.connect(_connected(self._path)))
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

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What QEMU has reported since the last call: names and data, the oldest first."""
        return self._run(self._drain())

    async def _drain(self) -> list[tuple[str, dict[str, Any]]]:
        await asyncio.sleep(0)  # take in what has arrived
        found = []
        while not self._events.empty():
            message = await self._events.get()
            data = message.get("data", {})
            assert isinstance(data, dict)
            found.append((str(message["event"]), data))
        return found

    def wait_for_shutdown(self, limit: float) -> str | None:
        """Wait until QEMU has ended.

        :return: why it ended in QEMU's words, such as ``guest-shutdown``; None at the limit.
        """
        return self._run(self._shutdown(limit))

    async def _shutdown(self, limit: float) -> str | None:
        reason = "unknown"
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            try:
                message = await asyncio.wait_for(self._events.get(), 0.1)
            except TimeoutError:
                # All events have been read: an ended connection has nothing more to say.
                if self._client.runstate != Runstate.RUNNING:
                    return reason
                continue
            if message["event"] == "SHUTDOWN":
                data = message["data"]
                assert isinstance(data, dict)
                reason = str(data["reason"])
        return None

    def _await(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return self._run(asyncio.wait_for(coroutine, REPLY_LIMIT))

    def _run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        try:
            return self._runner.run(coroutine)
        except TimeoutError:
            raise ImagecycleError(f"QEMU's monitor for {self._name} does not answer") from None
        except (QMPError, EOFError, OSError) as error:
            raise ImagecycleError(f"QEMU's monitor for {self._name}: {error}") from None


def _connected(path: Path) -> socket.socket:
    """A socket's address holds 107 characters; through the folder's descriptor it is short."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            raise ImagecycleError(f"no monitor at {path}: {error.strerror}") from None
        raise
    finally:
        os.close(folder)
    return connection
