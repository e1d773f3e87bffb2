import struct
from pathlib import Path

import pytest

from imagecycle.machine.packets import Traffic

MAC = "fa:16:3e:00:00:01"
OWN = bytes.fromhex("fa163e000001")
OTHER = bytes.fromhex("525500000001")


class Record:
    """A packet record as QEMU writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 400, 1))

    def add(self, frame: bytes) -> None:
        with self.path.open("ab") as stream:
            stream.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def ethernet(kind: int, body: bytes, *, own: bool = True) -> bytes:
    source, target = (OWN, OTHER) if own else (OTHER, OWN)
    return target + source + struct.pack(">H", kind) + body


def ipv4(protocol: int, body: bytes, source: bytes = bytes(4), *, own: bool = True) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0)
    return ethernet(0x0800, head + source + bytes([10, 0, 2, 2]) + body, own=own)


def dhcp(kind: int, *, own: bool) -> bytes:
    ports = (68, 67) if own else (67, 68)
    options = b"\x63\x82\x53\x63" + bytes([0, 54, 4, 10, 0, 2, 2, 53, 1, kind, 255])
    body = struct.pack(">HHHH", *ports, 0, 0) + bytes(236) + options
    return ipv4(17, body, own=own)


def tcp(flags: int, *, source_port: int = 22, own: bool = True) -> bytes:
    body = struct.pack(">HHIIBBHHH", source_port, 40000, 0, 0, 0x50, flags, 0, 0, 0)
    return ipv4(6, body, bytes([10, 0, 2, 15]), own=own)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "network.pcap")


def read(record: Record) -> Traffic:
    traffic = Traffic(record.path, MAC)
    traffic.read()
    return traffic


def test_nothing_is_known_without_a_record(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path / "network.pcap", MAC)
    traffic.read()
    assert (traffic.sent, traffic.has_address) == (0, False)


def test_request_for_an_address_is_no_address(record: Record) -> None:
    record.add(dhcp(1, own=True))
    record.add(dhcp(2, own=False))
    traffic = read(record)
    assert traffic.addresses_asked == 1
    assert not traffic.address_granted
    assert not traffic.has_address


def test_acknowledged_request_grants_an_address(record: Record) -> None:
    record.add(dhcp(3, own=True))
    record.add(dhcp(5, own=False))
    assert read(record).address_granted


def test_speaking_under_an_address_shows_that_there_is_one(record: Record) -> None:
    record.add(ethernet(0x0806, bytes(14) + bytes([10, 0, 2, 15]) + bytes(10)))
    assert read(record).has_address


def test_probe_for_an_address_in_use_is_no_address_yet(record: Record) -> None:
    record.add(ethernet(0x0806, bytes(14) + bytes(4) + bytes(10)))
    assert not read(record).has_address


def test_refused_and_accepted_connections_are_told_apart(record: Record) -> None:
    record.add(tcp(0x14))
    record.add(tcp(0x12))
    record.add(tcp(0x02, own=False))
    record.add(tcp(0x14, source_port=80))
    traffic = read(record)
    assert (traffic.ssh_refused, traffic.ssh_accepted) == (1, 1)


def test_solicitation_of_a_router_is_seen(record: Record) -> None:
    body = bytes(6) + bytes([58]) + bytes(33) + bytes([133]) + bytes(7)
    record.add(ethernet(0x86DD, body))
    assert read(record).routers_asked == 1


def test_record_that_is_cut_off_is_read_on_later(record: Record) -> None:
    record.add(tcp(0x12))
    whole = record.path.read_bytes()
    record.path.write_bytes(whole[:-5])
    traffic = read(record)
    assert traffic.ssh_accepted == 0
    record.path.write_bytes(whole)
    traffic.read()
    traffic.read()
    assert traffic.ssh_accepted == 1


def test_garbage_in_frames_harms_nothing(record: Record) -> None:
    for kind in (0x0800, 0x0806, 0x86DD, 0x1234):
        for length in range(0, 80, 3):
            record.add(ethernet(kind, bytes([255]) * length))
    record.add(dhcp(1, own=False)[:290] + bytes([53, 200]))
    assert not read(record).address_granted
