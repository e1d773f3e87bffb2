"""Files with holes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagecycle.sparse_file import pieces

PIECE = 4096


@given(st.lists(st.sampled_from([b"", b"data", b"x" * 5000]), max_size=6), st.integers(0, 300_000))
def test_the_bytes_are_those_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], size: int
) -> None:
    path = tmp_path_factory.mktemp("sparse") / "disk"
    with path.open("wb") as made:
        for number, part in enumerate(parts):
            made.seek(number * 70_000)
            made.write(part)
        made.truncate(400_000)
    with path.open("rb") as stream:
        found = b"".join(bytes(piece) for piece in pieces(stream, size, PIECE))
    assert found == path.read_bytes()[:size]


def test_holes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    with path.open("wb") as made:
        made.truncate(2**26)
        made.seek(2**25)
        made.write(b"data")

    class Counting(io.FileIO):
        read_bytes = 0

        def readinto(self, buffer: object) -> int:  # type: ignore[override]
            count = super().readinto(buffer) or 0  # type: ignore[arg-type]
            self.read_bytes += count
            return count

    with Counting(path) as stream:
        assert sum(len(piece) for piece in pieces(stream, 2**26, 2**20)) == 2**26  # type: ignore[arg-type]
    assert stream.read_bytes <= path.stat().st_blocks * 512 + PIECE


def test_what_is_no_file_is_read_whole() -> None:
    assert b"".join(map(bytes, pieces(io.BytesIO(b"some bytes"), 4, 3))) == b"some"


def test_a_file_that_ends_too_early_is_said(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"short")
    with path.open("rb") as stream, pytest.raises(OSError, match="ended after 5 of 10 bytes"):
        list(pieces(stream, 10, PIECE))
    with pytest.raises(OSError, match="ended after 5 of 10 bytes"):
        list(pieces(io.BytesIO(b"short"), 10, PIECE))
