"""Pictures of a screen, as QEMU and libvirt write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from imagecycle.errors import ImagecycleError
from imagecycle.machine import screen_picture


@pytest.fixture(params=["ppm", "png"])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"screen.{request.param}"
    draw(path)
    return path


def draw(path: Path, *boxes: tuple[int, int, int, int]) -> None:
    image = Image.new("RGB", (640, 480), "navy")
    for box in boxes:
        ImageDraw.Draw(image).rectangle(box, fill="white")
    image.save(path)


def test_a_screen_that_stands_still_resembles_itself(shown: Path) -> None:
    assert screen_picture.read(shown).resembles(screen_picture.read(shown))


@pytest.mark.parametrize(
    ("boxes", "same"),
    [
        ([(100, 100, 101, 115)], True),
        ([(100, 100, 131, 123)], True),
        ([(100, 100, 132, 115)], False),
        ([(100, 100, 101, 124)], False),
        ([(100, 100, 101, 115), (400, 100, 401, 115)], False),
    ],
    ids=["caret", "largest-cursor", "wider", "taller", "two"],
)
def test_a_cursor_that_blinks_is_no_change(
    shown: Path, boxes: list[tuple[int, int, int, int]], same: bool
) -> None:
    before = screen_picture.read(shown)
    draw(shown, *boxes)
    assert screen_picture.read(shown).resembles(before) is same
    assert before.resembles(screen_picture.read(shown)) is same


def test_another_resolution_is_a_change(shown: Path, tmp_path: Path) -> None:
    smaller = tmp_path / "smaller.png"
    Image.new("RGB", (320, 240), "navy").save(smaller)
    assert not screen_picture.read(shown).resembles(screen_picture.read(smaller))


def test_a_picture_is_made_twice_as_large_and_grey_for_the_reader(
    shown: Path, tmp_path: Path
) -> None:
    screen_picture.enlarge(shown, tmp_path / "large.pgm")
    with Image.open(tmp_path / "large.pgm") as large:
        assert (large.size, large.mode) == ((1280, 960), "L")


@pytest.mark.parametrize("content", [b"", b"P6\n640 480\n255\nshort", b"\x89PNG\r\n", b"GIF89a"])
def test_what_is_no_picture_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "screen.ppm"
    path.write_bytes(content)
    with pytest.raises(ImagecycleError, match="no picture of the screen"):
        screen_picture.read(path)
