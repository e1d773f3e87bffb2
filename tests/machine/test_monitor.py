import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imagecycle.errors import ImagecycleError
from imagecycle.machine.monitor import Monitor

USERNET = """Hub -1 (net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  12       127.0.0.1 34567       10.0.2.15    22     0     0
"""
SHUTDOWN = {
    "event": "SHUTDOWN",
    "data": {"guest": True, "reason": "guest-shutdown"},
    "timestamp": {"seconds": 1, "microseconds": 0},
}


class Qemu:
    """The other end of a monitor: answers what it was told to, and ends when asked to."""

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Any] = {}
        self.after: dict[str, list[dict[str, Any]]] = {}
        """Events after a command; the connection ends right behind them"""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._connection, _ = connection, _ = self._listener.accept()
        with connection:
            version = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}
            self._say(connection, {"QMP": {"version": version, "capabilities": []}})
            # A command is one JSON object; nothing need follow it.
            while words := connection.recv(4096):
                asked = json.loads(words)
                name = asked["execute"]
                if name in self.answers and isinstance(self.answers[name], Exception):
                    error = {"class": "GenericError", "desc": str(self.answers[name])}
                    self._say(connection, {"error": error, "id": asked.get("id")})
                    continue
                self._say(connection, {"return": self.answers.get(name, {}), "id": asked.get("id")})
                if name in self.after:
                    for event in self.after[name]:
                        self._say(connection, event)
                    return

    @staticmethod
    def _say(connection: socket.socket, words: dict[str, Any]) -> None:
        said = json.dumps({name: word for name, word in words.items() if word is not None})
        connection.sendall(said.encode() + b"\n")

    def close(self) -> None:
        self._listener.close()
        # a client that said no farewell has left the connection open
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor.qmp"


@pytest.fixture
def qemu(path: Path) -> Iterator[Qemu]:
    server = Qemu(path)
    with contextlib.closing(server):
        yield server


def test_port_is_read_from_what_qemu_forwards(qemu: Qemu, path: Path) -> None:
    qemu.answers["human-monitor-command"] = USERNET
    with Monitor(path) as monitor:
        assert monitor.forwarded_port() == 34567


def test_last_words_are_read_when_the_end_follows_at_once(qemu: Qemu, path: Path) -> None:
    qemu.after["system_powerdown"] = [SHUTDOWN]
    with Monitor(path) as monitor:
        monitor.power_button()
        events = monitor.events(to_the_end=True)
        assert events == [("SHUTDOWN", {"guest": True, "reason": "guest-shutdown"})]
        assert monitor.events() == []


def test_end_without_a_word_is_an_end(qemu: Qemu, path: Path) -> None:
    qemu.after["system_powerdown"] = []
    with Monitor(path) as monitor:
        monitor.power_button()
        assert monitor.events(to_the_end=True) == []


def test_machine_that_goes_on_reports_nothing(qemu: Qemu, path: Path) -> None:
    with Monitor(path) as monitor:
        monitor.power_button()
        assert monitor.events() == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit])
def test_interrupt_passes_unchanged(
    qemu: Qemu, path: Path, interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(interrupt), Monitor(path) as monitor:
        # as after an interrupt in the middle of a conversation
        async def broken() -> None:
            raise RuntimeError("cannot reuse already awaited coroutine")

        monkeypatch.setattr(monitor._client, "disconnect", broken)
        raise interrupt


def test_refusal_says_what_qemu_said(qemu: Qemu, path: Path) -> None:
    qemu.answers["screendump"] = RuntimeError("no console")
    with Monitor(path, "twin") as monitor, pytest.raises(ImagecycleError) as caught:
        monitor.screenshot(Path("/screen.png"))
    assert caught.value.message == "QEMU's monitor for twin: no console"


def test_missing_monitor_is_an_error_of_ours(path: Path) -> None:
    with pytest.raises(ImagecycleError), Monitor(path):
        pass


def test_path_may_be_longer_than_a_sockets_address(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    (tmp_path / "short").symlink_to(folder)
    server = Qemu(tmp_path / "short" / "m")
    with contextlib.closing(server), Monitor(folder / "m") as monitor:
        assert monitor.execute("query-status") == {}
