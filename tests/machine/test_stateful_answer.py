"""The router and DHCPv6 server of a machine, as a guest's frames meet it."""

import ipaddress
import random
import socket
import struct
import threading
from pathlib import Path

import pytest

from imagecycle.machine import stateful_answer, stateful_ipv6
from imagecycle.machine.stateful_answer import MAC, ROUTER, answers

GUEST = bytes.fromhex("fa163e000102")
OWN = ipaddress.IPv6Address("fe80::f816:3eff:fe00:102").packed
SERVERS = ipaddress.IPv6Address("ff02::1:2").packed
CLIENT_ID, IAID = b"\0\x03\0\x01" + GUEST, b"\x3e\0\x01\x02"


def frame(kind: int, target: bytes, body: bytes, source: bytes = OWN) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(body), kind, 255) + source + target
    return b"\x33\x33" + target[-4:] + GUEST + b"\x86\xdd" + head + body


def option(code: int, value: bytes) -> bytes:
    return struct.pack(">HH", code, len(value)) + value


def dhcp(kind: int, *more: bytes) -> bytes:
    asked = option(3, IAID + bytes(8))
    message = bytes([kind]) + b"abc" + option(1, CLIENT_ID) + asked + b"".join(more)
    return frame(17, SERVERS, struct.pack(">HHHH", 546, 547, 8 + len(message), 0) + message)


def checksum(packet: bytes) -> int:
    """Of a packet with its own checksum in it: 0xFFFF where that is right."""
    kind, body = packet[20], packet[54:]
    text = packet[22:54] + struct.pack(">II", len(body), kind) + body
    total = sum(struct.unpack(f">{(len(text) + 1) // 2}H", text + b"\0" * (len(text) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def only(asked: bytes) -> tuple[bytes, str]:
    ((answer, what),) = answers(asked)
    assert answer[6:12] == MAC
    assert answer[22:38] == ROUTER
    assert struct.unpack_from(">H", answer, 18)[0] == len(answer) - 54
    assert checksum(answer) == 0xFFFF
    return answer, what


def test_the_router_says_that_addresses_come_from_dhcp() -> None:
    answer, what = only(frame(58, ROUTER, struct.pack(">BBHI", 133, 0, 0, 0)))
    assert what == "router solicitation"
    kind, _code, _sum, _hops, flags, lifetime = struct.unpack_from(">BBHBBH", answer, 54)
    assert (kind, flags & 0xC0, lifetime > 0) == (134, 0xC0, True)
    prefix = answer[54 + 16 + 8 :]
    assert prefix[:4] == bytes([3, 4, 64, 0x80]), "on the link, and not to make addresses of"
    assert prefix[16:32] == stateful_ipv6.NETWORK.network_address.packed


def test_an_address_is_offered_and_lent() -> None:
    for kind, expected, words in (
        (1, 2, "solicit"),
        (3, 7, "request"),
        (5, 7, "renew"),
        (11, 7, "information-request"),
    ):
        answer, what = only(dhcp(kind))
        assert what == f"DHCPv6 {words}"
        assert answer[:6] == GUEST
        assert struct.unpack_from(">HH", answer, 54) == (547, 546)
        message = answer[62:]
        assert (message[0], message[1:4]) == (expected, b"abc")
        said = stateful_answer.options(message[4:])
        assert said is not None
        assert said[1] == CLIENT_ID
        assert said[3][:4] == IAID
        lent = stateful_answer.options(said[3][12:])
        assert lent is not None
        assert ipaddress.IPv6Address(lent[5][:16]) in stateful_ipv6.NETWORK
    other = stateful_answer.address(bytes.fromhex("fa163e000103"))
    assert other != stateful_answer.address(GUEST)


def test_an_address_is_lent_at_once_where_the_guest_wants_that() -> None:
    answer, _what = only(dhcp(1, option(14, b"")))
    assert answer[62] == 7


def test_the_router_is_found_by_its_neighbours() -> None:
    asked = struct.pack(">BBHI", 135, 0, 0, 0) + ROUTER
    answer, what = only(frame(58, ROUTER, asked))
    assert what == "neighbour solicitation"
    assert answer[54 + 24 :] == b"\x02\x01" + MAC
    assert list(answers(frame(58, ROUTER, asked, source=bytes(16)))) == []
    assert list(answers(frame(58, ROUTER, asked[:8] + OWN))) == []


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"\xff" * 12 + b"\x08\x06" + bytes(100),
        dhcp(2),
        dhcp(1, option(2, b"another server")),
        dhcp(1, b"\0"),
        dhcp(1, struct.pack(">HH", 6, 900)),
        dhcp(1)[:-4],
        frame(58, ROUTER, b"\x85"),
        frame(17, SERVERS, struct.pack(">HHHH", 546, 547, 8, 0)),
    ],
)
def test_what_makes_no_sense_or_is_for_others_gets_no_answer(asked: bytes) -> None:
    assert list(answers(asked)) == []


def test_any_frame_is_survived() -> None:
    source = random.Random(1)
    good = [dhcp(1), dhcp(3), frame(58, ROUTER, struct.pack(">BBHI", 133, 0, 0, 0))]
    for _turn in range(3000):
        text = bytearray(source.choice(good))
        for _change in range(source.randrange(1, 6)):
            text[source.randrange(len(text))] = source.randrange(256)
        list(answers(bytes(text[: source.randrange(len(text) + 1)])))


def test_frames_come_and_go_over_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    served = threading.Thread(target=stateful_answer.main, args=("socket", log), daemon=True)
    served.start()
    with socket.socket(socket.AF_UNIX) as guest:
        guest.settimeout(5)
        for _try in range(500):
            if (tmp_path / "socket").exists() and guest.connect_ex("socket") == 0:
                break
            threading.Event().wait(0.01)
        sent = struct.pack(">I", len(dhcp(1))) + dhcp(1)
        guest.sendall(sent[:7])
        guest.sendall(sent[7:])
        received = stateful_answer.received(guest)
    assert received == next(answers(dhcp(1)))[0]
    served.join(5)
    assert not served.is_alive(), "it ends with QEMU"
    assert log.read_text() == "DHCPv6 solicit\n"
