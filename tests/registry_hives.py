"""Hives of a Windows registry, made for tests: an empty one by hand, its content by hivex.

The layout of an empty hive is that of the public description of the format ("regf") that hivex's
sources refer to.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import hivex

Values = Mapping[str, str | int]


def write(path: Path, content: Mapping[str, Values]) -> None:
    """A hive with these values by the paths of their keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty())
    hive = hivex.Hivex(str(path), write=True)
    for key, values in content.items():
        node = hive.root()
        for part in key.split("\\"):
            node = hive.node_get_child(node, part) or hive.node_add_child(node, part)
        hive.node_set_values(node, [_value(name, value) for name, value in values.items()])
    hive.commit(None)


def _value(name: str, value: str | int) -> dict[str, object]:
    if isinstance(value, int):
        return {"key": name, "t": 4, "value": struct.pack("<I", value)}
    return {"key": name, "t": 1, "value": f"{value}\0".encode("utf-16-le")}


def _empty() -> bytes:
    name = b"$$$PROTO.HIV"
    bin_size, root_at = 4096, 32
    security_at = root_at + 96
    head = bytearray(4096)
    head[:4] = b"regf"
    struct.pack_into("<IIQIIIIII", head, 4, 1, 1, 0, 1, 3, 0, 1, root_at, bin_size)
    struct.pack_into("<I", head, 44, 1)
    total = 0
    for at in range(0, 508, 4):
        total ^= struct.unpack_from("<I", head, at)[0]
    struct.pack_into("<I", head, 508, total)
    body = bytearray(bin_size)
    struct.pack_into("<4sII", body, 0, b"hbin", 0, bin_size)
    none = 0xFFFFFFFF
    struct.pack_into("<i2sH", body, root_at, -96, b"nk", 0x2C)
    struct.pack_into(
        "<QIIIIIIIIII", body, root_at + 8, 0, 0, 0, 0, 0, none, none, 0, none, security_at, none
    )
    struct.pack_into("<IIIIIHH", body, root_at + 56, 0, 0, 0, 0, 0, len(name), 0)
    body[root_at + 80 : root_at + 80 + len(name)] = name
    descriptor = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
    size = -(-(4 + 20 + len(descriptor)) // 8) * 8
    struct.pack_into(
        "<i2sHIIII",
        body,
        security_at,
        -size,
        b"sk",
        0,
        security_at,
        security_at,
        1,
        len(descriptor),
    )
    body[security_at + 24 : security_at + 24 + len(descriptor)] = descriptor
    free = security_at + size
    struct.pack_into("<i", body, free, bin_size - free)
    return bytes(head + body)
