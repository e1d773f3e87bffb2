"""The guest agent is asked as libvirt asks it."""

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from imagecycle.machine import guest_agent


def _agent(path: Path, answer: bytes) -> None:
    """Take one question; ``NUMBER`` in the answer becomes the one that was asked for."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        with listener, listener.accept()[0] as channel:
            asked = json.loads(channel.recv(4096).lstrip(b"\xff"))
            assert asked["execute"] == "guest-sync-delimited"
            number = str(asked["arguments"]["id"]).encode()
            before, mark, after = answer.replace(b"NUMBER", number).partition(b"\xff")
            channel.sendall(before)
            time.sleep(0.05)
            channel.sendall(mark + after)
            channel.recv(1)

    threading.Thread(target=serve, daemon=True).start()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'\xff{"return": NUMBER}\n', guest_agent.ANSWERS),
        (b'{"error": {"desc": "JSON parse error"}}\n\xff{"return": NUMBER}\n', guest_agent.ANSWERS),
        (b'\xff{"return": 1}\n', "the answer is not that of a guest agent"),
        (b"\xff[]\n", "the answer is not that of a guest agent"),
        (b"", "nothing answered within 0 s"),
    ],
)
def test_an_answer_is_told_from_others(tmp_path: Path, answer: bytes, said: str) -> None:
    _agent(tmp_path / "agent.sock", answer)
    assert guest_agent.asked(tmp_path / "agent.sock", limit=0.3) == said


def test_no_channel_is_named(tmp_path: Path) -> None:
    assert "cannot be used" in guest_agent.asked(tmp_path / "agent.sock", limit=0.3)


@pytest.mark.parametrize(("value", "is_so"), [("yes", True), ("True", True), ("no", False)])
def test_the_property_is_read_as_nova_reads_it(value: str, is_so: bool) -> None:
    assert guest_agent.is_declared({guest_agent.PROPERTY: value}) is is_so
