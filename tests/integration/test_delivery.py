"""Formats, stores and imports of a real Glance: what it holds is what a site asked for."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from families import family
from imagecycle.artifacts import Artifact, checksums, write_json
from imagecycle.cloud.image import Image
from imagecycle.cloud.session import open_cloud
from imagecycle.errors import ImagecycleError, UsageError
from imagecycle.lifecycle import publish as stage
from imagecycle.metadata import identity
from imagecycle.site_sections import CloudSettings
from integration.conftest import Box
from integration.publishing import images, make, publish, states

pytestmark = pytest.mark.integration

VIRTUAL = 128 * 2**20


@pytest.fixture
def release(box: Box, tmp_path: Path) -> Artifact:
    """A release whose disk is a real one, mostly empty."""
    made = make(box)
    raw = tmp_path / "raw"
    with raw.open("wb") as stream:
        stream.write(b"operating system" * 2**16)
        stream.truncate(VIRTUAL)
    argv = ["qemu-img", "convert", "-q", "-c", "-O", "qcow2", raw, made.disk]
    subprocess.run(argv, check=True, timeout=60)
    sums = checksums(made.disk)
    build, verify = made.record("build"), made.record("verify")
    assert build is not None
    assert verify is not None
    build["disk"] |= {"size": made.disk.stat().st_size, "virtual_size": VIRTUAL, **sums}
    write_json(made.folder / "build.json", build)
    write_json(made.folder / "verify.json", {**verify, "disk_sha256": sums["sha256"]})
    return made


def publish_as(box: Box, **settings: Any) -> Image:
    """Publish with these settings of the cloud."""
    said = CloudSettings.model_validate(settings)
    site = box.site.model_copy(update={"clouds": {"devcloud": said}})
    image = stage.publish(family(), site, cloud="devcloud", release=None, dry_run=False)
    assert image is not None
    return image


def document(box: Box, image: Image) -> dict[str, Any]:
    """All that Glance says of an image."""
    cloud = open_cloud("devcloud", box.site)
    address = f"{cloud.image_url}/images/{image.id}"
    answer: dict[str, Any] = cloud.call("read", "GET", address, retries=0).json()
    return answer


@pytest.mark.parametrize("wanted", ["qcow2", "raw", "vmdk"])
def test_each_format_arrives_whole_with_its_hash_and_virtual_size(
    box: Box, release: Artifact, wanted: str
) -> None:
    image = publish_as(box, disk_format=wanted)
    there = document(box, image)
    disk = release.folder / f"disk.{wanted}"
    assert there["disk_format"] == wanted
    assert there["os_hash_value"] == checksums(disk)["sha512"]
    assert (there["size"], there["virtual_size"]) == (disk.stat().st_size, VIRTUAL)
    sent = b"".join(box.glance.download(image.id))
    assert sent == disk.read_bytes()
    assert publish_as(box, disk_format=wanted) == image


def test_a_site_that_changes_the_format_does_not_publish_the_same_release_again(
    box: Box, release: Artifact
) -> None:
    image = publish(box)
    assert publish_as(box, disk_format="raw").id == image.id
    assert publish(box).id == image.id
    assert [one.id for one in images(box)] == [image.id]


@pytest.mark.parametrize(
    ("settings", "stores"),
    [
        ({"stores": ["archive"]}, {"archive"}),
        ({"stores": ["files", "archive"]}, {"files", "archive"}),
        ({"import_method": "glance-direct"}, {"files"}),
        ({"import_method": "glance-direct", "stores": ["archive", "files"]}, {"files", "archive"}),
    ],
    ids=str,
)
def test_stores_and_imports_give_the_very_bytes(
    box: Box, release: Artifact, settings: dict[str, Any], stores: set[str]
) -> None:
    image = publish_as(box, **settings)
    there = document(box, image)
    assert set(there["stores"].split(",")) == stores
    assert there["os_hash_value"] == checksums(release.disk)["sha512"]
    assert (there["visibility"], image.properties[identity.STATE]) == ("public", "current")
    assert publish_as(box, **settings).id == image.id


@pytest.fixture
def artifact_server(box: Box) -> Iterator[str]:
    """The artifact folder by HTTP."""
    folder = box.site.artifacts
    folder.mkdir(parents=True, exist_ok=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.mark.parametrize("wanted", ["qcow2", "raw"])
def test_glance_fetches_the_disk_by_itself(
    box: Box, release: Artifact, artifact_server: str, wanted: str
) -> None:
    image = publish_as(
        box, import_method="web-download", artifacts_url=artifact_server + "/", disk_format=wanted
    )
    there = document(box, image)
    disk = release.folder / f"disk.{wanted}"
    assert (there["os_hash_value"], there["size"]) == (
        checksums(disk)["sha512"],
        disk.stat().st_size,
    )
    record = json.loads((release.folder / "publish.json").read_text())
    assert f"by web-download from {artifact_server}/" in str(record["clouds"]["devcloud"]["steps"])


def test_an_import_that_fails_says_why_and_leaves_nothing(
    box: Box, release: Artifact, artifact_server: str
) -> None:
    with pytest.raises(ImagecycleError, match=r"by web-download failed: \w+"):
        publish_as(box, import_method="web-download", artifacts_url=artifact_server + "/elsewhere")
    assert images(box) == []
    publish(box)
    assert states(box) == {"20261122": "current"}


def test_a_store_or_method_that_glance_lacks_is_named_before_anything_is_made(
    box: Box, release: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="Glance has no store ceph") as refused:
        publish_as(box, stores=["files", "ceph"])
    assert "it has files, archive" in refused.value.hint
    monkeypatch.setattr(
        "imagecycle.cloud.image_import.ImageImport.methods", lambda self: ["copy-image"]
    )
    with pytest.raises(UsageError, match="does not offer the import method glance-direct"):
        publish_as(box, import_method="glance-direct")
    assert images(box) == []
