"""What a guest has done on its network so far, read from the packets that QEMU records.

The layouts are those of libpcap's file format, Ethernet, ARP (RFC 826), IPv4 (RFC 791), TCP
(RFC 9293), DHCP (RFC 2131), and ICMPv6's neighbour discovery (RFC 4861).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

SNAP_LENGTH = 400
"""Bytes kept of each packet; what is looked at here lies before."""
SSH = 22

_FILE_HEADER = 24
_RECORD = struct.Struct("<IIII")
_CHUNK = 2**20
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_TCP, _UDP, _ICMPV6 = 6, 17, 58
_RST, _SYN_ACK = 0x04, 0x12
_ROUTER_SOLICITATION = 133
_DHCP_SERVER, _DHCP_CLIENT = 67, 68
_DHCP_COOKIE = b"\x63\x82\x53\x63"
_DHCP_TYPE, _DHCP_PAD, _DHCP_END, _DHCP_ACK = 53, 0, 255, 5


@dataclass
class Traffic:
    """One guest's network card, as far as :meth:`read` has followed the record."""

    path: Path
    mac: str
    sent: int = field(default=0, init=False)
    """Packets of the guest"""
    addresses_asked: int = field(default=0, init=False)
    """Requests to a DHCP server"""
    address_granted: bool = field(default=False, init=False)
    """By a DHCP server"""
    routers_asked: int = field(default=0, init=False)
    """Solicitations of an IPv6 router"""
    has_address: bool = field(default=False, init=False)
    """The guest has spoken under an IPv4 address of its own"""
    ssh_refused: int = field(default=0, init=False)
    """Connections to the SSH port that the guest has reset"""
    ssh_accepted: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._source = bytes.fromhex(self.mac.replace(":", ""))
        self._offset = _FILE_HEADER

    def read(self) -> None:
        """Take in what has been recorded since the last call; a broken record is left alone."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                fresh = stream.read(_CHUNK)
        except FileNotFoundError:
            return
        at = 0
        while at + _RECORD.size <= len(fresh):
            kept = _RECORD.unpack_from(fresh, at)[2]
            end = at + _RECORD.size + kept
            if end > len(fresh):
                break
            self._frame(fresh[at + _RECORD.size : end])
            at = end
        self._offset += at

    def _frame(self, frame: bytes) -> None:
        if len(frame) < 34:
            return
        own = frame[6:12] == self._source
        self.sent += own
        (kind,) = struct.unpack_from(">H", frame, 12)
        if kind == _ARP and own:
            self.has_address = self.has_address or any(frame[28:32])
        elif kind == _IPV4:
            self._ipv4(frame[14:], own)
        elif kind == _IPV6 and own and frame[20] == _ICMPV6 and len(frame) > 54:
            self.routers_asked += frame[54] == _ROUTER_SOLICITATION

    def _ipv4(self, packet: bytes, own: bool) -> None:
        length = (packet[0] & 0x0F) * 4
        body = packet[length:]
        if own:
            self.has_address = self.has_address or any(packet[12:16])
        if len(body) < 14:
            return
        source, target = struct.unpack_from(">HH", body)
        if packet[9] == _UDP and (source, target) == (_DHCP_CLIENT, _DHCP_SERVER):
            self.addresses_asked += own
        elif packet[9] == _UDP and (source, target) == (_DHCP_SERVER, _DHCP_CLIENT):
            self.address_granted = self.address_granted or _dhcp_type(body[8:]) == _DHCP_ACK
        elif packet[9] == _TCP and own and source == SSH:
            self.ssh_refused += bool(body[13] & _RST)
            self.ssh_accepted += body[13] & _SYN_ACK == _SYN_ACK


def _dhcp_type(message: bytes) -> int | None:
    at = message.find(_DHCP_COOKIE) + len(_DHCP_COOKIE)
    while at >= len(_DHCP_COOKIE) and at + 2 < len(message) and message[at] != _DHCP_END:
        if message[at] == _DHCP_TYPE:
            return message[at + 2]
        at += 1 if message[at] == _DHCP_PAD else 2 + message[at + 1]
    return None
