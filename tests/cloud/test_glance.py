import io
import sys
from pathlib import Path

import pytest

from imagecycle import command
from imagecycle.cloud.image import Image
from imagecycle.cloud.upload import UPLOAD_CHUNK, Body

DOCUMENT = {
    "id": "1",
    "name": "n",
    "status": "active",
    "visibility": "public",
    "os_hidden": False,
    "owner": "o",
    "size": 7,
    "min_disk": 3,
    "min_ram": 512,
    "os_hash_algo": "sha512",
    "os_hash_value": "ab",
    "created_at": "2026-11-22T12:00:00Z",
    "updated_at": "2026-11-22T12:00:00Z",
    "tags": [],
    "self": "/v2/images/1",
    "schema": "/v2/schemas/image",
    "imagecycle_family": "f",
    "os_distro": "debian",
}


def body(data: bytes, size: int) -> tuple[Body, list[int]]:
    seen: list[int] = []
    return Body(io.BytesIO(data), size, seen.append), seen


def test_a_body_is_sent_whole_in_pieces_and_reported() -> None:
    data = bytes(range(256)) * (UPLOAD_CHUNK // 100)
    made, seen = body(data, len(data))
    assert len(made) == len(data)
    assert b"".join(bytes(piece) for piece in made) == data
    assert seen == [UPLOAD_CHUNK, 2 * UPLOAD_CHUNK, len(data)]


def test_a_body_that_must_be_sent_twice_begins_again() -> None:
    """A session that has to log in again repeats its request."""
    made, _ = body(b"abc", 3)
    assert [bytes(piece) for piece in made] == [b"abc"]
    assert [bytes(piece) for piece in made] == [b"abc"]


def test_a_body_never_exceeds_its_length() -> None:
    made, _ = body(b"abcdef", 3)
    assert b"".join(bytes(piece) for piece in made) == b"abc"


def test_a_file_that_is_cut_short_meanwhile_is_an_error() -> None:
    made, _ = body(b"ab", 3)
    with pytest.raises(OSError, match="ended after 2 of 3 bytes"):
        list(made)


def test_what_glance_gives_no_meaning_to_is_a_property() -> None:
    image = Image.from_document(DOCUMENT)
    assert image.properties == {"imagecycle_family": "f", "os_distro": "debian"}


def test_a_queued_image_has_neither_size_nor_hash() -> None:
    queued = {**DOCUMENT, "status": "queued", "size": None, "os_hash_value": None}
    image = Image.from_document(queued)
    assert (image.size, image.hash_value) == (0, "")


def test_the_client_library_is_not_loaded_for_other_commands() -> None:
    """``imagecycle --help`` answers at once."""
    program = (
        "import sys, imagecycle.cli, imagecycle.lifecycle.publish;"
        "sys.exit(any(n in sys.modules for n in ('openstack', 'keystoneauth1', 'requests')))"
    )
    lib = Path(__file__).parents[2] / "lib"
    done = command.run(
        [sys.executable, "-c", program], timeout=60, env={"PYTHONPATH": str(lib)}, check=False
    )
    assert done.returncode == 0, done.stderr
