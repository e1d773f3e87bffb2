"""QEMU's guest agent, asked from its host as libvirt asks it.

See "QEMU Guest Agent Protocol Reference", ``guest-sync-delimited``.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from imagecycle.errors import ImagecycleError
from imagecycle.machine import glance_properties, unix_sockets

PROPERTY = "hw_qemu_guest_agent"
ANSWERS = "answers"
LIMIT = 5.0
"""Seconds for an answer; a guest at rest gives it in less than one"""
_MARK = b"\xff"
"""Before a message, to end whatever came before"""
_LONGEST = 2**16


def is_declared(properties: Mapping[str, str]) -> bool:
    """Whether an image says that its guests have one; as Nova reads the property."""
    return glance_properties.is_on(properties, PROPERTY)


def asked(path: Path, limit: float = LIMIT) -> str:
    """:data:`ANSWERS`, or why the agent did not, for people.

    :param path: the host's end of the channel.
    """
    number = secrets.randbelow(2**31)
    question = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
    said, deadline = b"", time.monotonic() + limit
    try:
        with unix_sockets.connected(path) as channel:
            channel.settimeout(limit)
            channel.sendall(_MARK + json.dumps(question).encode() + b"\n")
            # a complaint about the mark itself may come before the answer
            while b"\n" not in said.partition(_MARK)[2] and len(said) < _LONGEST:
                channel.settimeout(max(0.01, deadline - time.monotonic()))
                part = channel.recv(4096)
                if not part:
                    return "the channel was closed"
                said += part
    except TimeoutError:
        return f"nothing answered within {limit:.0f} s"
    except (OSError, ImagecycleError) as error:
        return f"the channel cannot be used: {error}"
    try:
        answer = json.loads(said.partition(_MARK)[2])
        is_right = answer["return"] == number
    except (ValueError, KeyError, TypeError):
        is_right = False
    return ANSWERS if is_right else "the answer is not that of a guest agent"
