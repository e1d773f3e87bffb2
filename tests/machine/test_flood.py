"""A log that grows without end takes no room without end."""

from pathlib import Path

from imagecycle.machine.flood import forget_middle


def test_middle_of_a_flood_is_forgotten_while_it_goes_on(tmp_path: Path) -> None:
    path, kept = tmp_path / "log", 2**16
    with path.open("wb", buffering=0) as stream:
        stream.write(b"begin" + b"x" * 20 * kept + b"end")
        forget_middle(path, kept)
        stream.write(b"more")
    assert path.stat().st_blocks * 512 < 3 * kept
    content = path.read_bytes()
    assert len(content) == 20 * kept + 12
    assert content[:kept] == b"begin" + b"x" * (kept - 5)
    assert content.endswith(b"x" * (kept - 3) + b"endmore")


def test_short_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 3 * 2**16)
    forget_middle(path, 2**16)
    assert path.read_bytes() == b"x" * 3 * 2**16
    forget_middle(tmp_path / "missing", 1)
