"""A router and a DHCPv6 server in the network of one machine, for addresses by DHCPv6 alone.

QEMU's user network announces a prefix for addresses that guests make themselves, and its DHCPv6
gives none. This program takes the frames of a machine's network over a socket of QEMU's (``-netdev
stream``), announces that addresses are to be had from DHCPv6, and gives one. Like
``metadata_answer.py`` it uses nothing but Python itself::

    python3 -I -S stateful_answer.py SOCKET LOG

What the guest has asked for is noted in LOG. The layouts are those of IPv6 (RFC 8200), neighbour
discovery (RFC 4861) and DHCPv6 (RFC 8415).
"""

import os
import select
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

PREFIX = bytes.fromhex("fd69696d61676500") + bytes(8)
MAC = bytes.fromhex("02696d616765")
ROUTER = bytes.fromhex("fe80") + bytes(13) + b"\x01"
LONGEST = 65536
"""Bytes of a frame"""
INTERVAL = 10.0
"""Seconds between announcements that nobody asked for"""
_EVERYBODY = bytes.fromhex("ff02") + bytes(13) + b"\x01"
_ETHER_IPV6, _UDP, _ICMPV6 = 0x86DD, 17, 58
_ROUTER_SOLICITATION, _ROUTER_ADVERTISEMENT = 133, 134
_NEIGHBOUR_SOLICITATION, _NEIGHBOUR_ADVERTISEMENT = 135, 136
_MANAGED = 0xC0
"""Addresses and all else come from DHCPv6"""
_ON_LINK = 0x80
"""Of a prefix, without leave to make addresses in it"""
_LIFETIME = 86400
_CLIENT_PORT, _SERVER_PORT = 546, 547
_NAMES = {1: "solicit", 3: "request", 4: "confirm", 5: "renew", 6: "rebind", 8: "release"}
_NAMES |= {9: "decline", 11: "information-request"}
_SOLICIT, _ADVERTISE, _REPLY = 1, 2, 7
_CLIENT_ID, _SERVER_ID, _ADDRESSES, _ADDRESS, _STATUS, _RAPID_COMMIT = 1, 2, 3, 5, 13, 14
_OWN_ID = b"\0\x03\0\x01" + MAC


def main(place: str, log: Path) -> None:
    """Answer one QEMU until it ends."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen(1)
        connection, _ = listening.accept()
    with connection, log.open("a", buffering=1) as noted:
        while True:
            if not select.select([connection], [], [], INTERVAL)[0]:
                send(connection, advertisement())
                continue
            frame = received(connection)
            if frame is None:
                return
            for answer, what in answers(frame):
                noted.write(f"{what}\n")
                send(connection, answer)


def send(connection: socket.socket, frame: bytes) -> None:
    """Pass a frame on to the guest."""
    connection.sendall(struct.pack(">I", len(frame)) + frame)


def received(connection: socket.socket) -> bytes | None:
    """The next frame; None at the end."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    return _exactly(connection, length) if length <= LONGEST else None


def _exactly(connection: socket.socket, length: int) -> bytes | None:
    found = b""
    while len(found) < length:
        piece = connection.recv(length - len(found))
        if not piece:
            return None
        found += piece
    return found


def answers(frame: bytes) -> Iterator[tuple[bytes, str]]:
    """What a frame of the guest is answered with, and what it asked for; nothing to what makes no
    sense or is for others."""
    if len(frame) < 54 or struct.unpack_from(">H", frame, 12)[0] != _ETHER_IPV6:
        return
    (length,) = struct.unpack_from(">H", frame, 18)
    source, body = frame[22:38], frame[54 : 54 + length]
    if len(body) < max(8, length):
        return
    if frame[20] == _ICMPV6 and body[0] == _ROUTER_SOLICITATION:
        yield advertisement(), "router solicitation"
    elif frame[20] == _ICMPV6 and body[0] == _NEIGHBOUR_SOLICITATION:
        if body[8:24] == ROUTER and any(source):
            head = struct.pack(">BBHI", _NEIGHBOUR_ADVERTISEMENT, 0, 0, 0xE0000000)
            told = head + ROUTER + b"\x02\x01" + MAC
            yield _packet(frame[6:12], source, _ICMPV6, told, 2), "neighbour solicitation"
    elif frame[20] == _UDP and struct.unpack_from(">HH", body) == (_CLIENT_PORT, _SERVER_PORT):
        message = dhcp(body[8:], frame[6:12])
        if message is not None:
            head = struct.pack(">HHHH", _SERVER_PORT, _CLIENT_PORT, 8 + len(message), 0)
            what = f"DHCPv6 {_NAMES[body[8]]}"
            yield _packet(frame[6:12], source, _UDP, head + message, 6), what


def advertisement() -> bytes:
    """Of the router, to everybody."""
    head = struct.pack(">BBHBBHII", _ROUTER_ADVERTISEMENT, 0, 0, 64, _MANAGED, 1800, 0, 0)
    own = b"\x01\x01" + MAC
    on_link = struct.pack(">BBBBIII", 3, 4, 64, _ON_LINK, _LIFETIME, _LIFETIME, 0) + PREFIX
    everybody = b"\x33\x33" + _EVERYBODY[-4:]
    return _packet(everybody, _EVERYBODY, _ICMPV6, head + own + on_link, 2)


def dhcp(message: bytes, mac: bytes) -> bytes | None:
    """The answer to a client's message; None where it gets none."""
    if len(message) < 4 or message[0] not in _NAMES:
        return None
    asked = options(message[4:])
    if asked is None or asked.get(_SERVER_ID, _OWN_ID) != _OWN_ID:
        return None
    at_once = message[0] == _SOLICIT and _RAPID_COMMIT in asked
    kind = _ADVERTISE if message[0] == _SOLICIT and not at_once else _REPLY
    said = bytes([kind]) + message[1:4] + _option(_SERVER_ID, _OWN_ID)
    if _CLIENT_ID in asked:
        said += _option(_CLIENT_ID, asked[_CLIENT_ID])
    if at_once:
        said += _option(_RAPID_COMMIT, b"")
    if len(asked.get(_ADDRESSES, b"")) >= 12:
        lent = address(mac) + struct.pack(">II", _LIFETIME, _LIFETIME)
        times = struct.pack(">II", _LIFETIME // 2, _LIFETIME * 4 // 5)
        said += _option(_ADDRESSES, asked[_ADDRESSES][:4] + times + _option(_ADDRESS, lent))
    return said + _option(_STATUS, b"\0\0")


def address(mac: bytes) -> bytes:
    """That the guest with this card is lent: none that it could have made itself."""
    return PREFIX[:8] + bytes(3) + b"\x01" + b"\0" + mac[-3:]


def options(text: bytes) -> dict[int, bytes] | None:
    """The options of a message by their codes; None when they make no sense."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(text):
        if at + 4 > len(text):
            return None
        code, length = struct.unpack_from(">HH", text, at)
        value = text[at + 4 : at + 4 + length]
        if len(value) < length:
            return None
        found.setdefault(code, value)
        at += 4 + length
    return found


def _option(code: int, value: bytes) -> bytes:
    return struct.pack(">HH", code, len(value)) + value


def _packet(mac: bytes, target: bytes, kind: int, body: bytes, sum_at: int) -> bytes:
    """A frame of the router's.

    :param sum_at: where the checksum belongs in ``body``.
    """
    checked = ROUTER + target + struct.pack(">II", len(body), kind) + body
    checked += b"\0" * (len(checked) % 2)
    total = sum(struct.unpack(f">{len(checked) // 2}H", checked))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    sum_ = struct.pack(">H", ~total & 0xFFFF or 0xFFFF)
    body = body[:sum_at] + sum_ + body[sum_at + 2 :]
    head = struct.pack(">IHBB", 6 << 28, len(body), kind, 255) + ROUTER + target
    return mac + MAC + struct.pack(">H", _ETHER_IPV6) + head + body


if __name__ == "__main__":
    main(os.path.normpath(sys.argv[1]), Path(sys.argv[2]))
