import json
from pathlib import Path
from typing import Any

import pytest

from families import artifact
from imagecycle.artifacts import Artifact
from imagecycle.errors import ImagecycleError
from imagecycle.metadata.evidence import NotVerified, gather


@pytest.fixture
def made(tmp_path: Path) -> Artifact:
    return artifact(tmp_path, "20261122", size=2**17)


def rewrite(made: Artifact, stage: str, **changes: Any) -> None:
    path = made.folder / f"{stage}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_verified_release_is_taken(made: Artifact) -> None:
    evidence = gather(made)
    assert evidence.size == 2**17
    assert evidence.checks == 2


def test_a_release_without_a_verdict_is_refused(made: Artifact) -> None:
    (made.folder / "verify.json").unlink()
    with pytest.raises(NotVerified, match="was not verified") as caught:
        gather(made)
    assert caught.value.hint == "imagecycle verify debian-12-x86_64-server --release 20261122"


def test_a_release_that_failed_is_refused(made: Artifact) -> None:
    rewrite(made, "verify", verdict="failed")
    with pytest.raises(NotVerified, match="did not pass verification: failed"):
        gather(made)


def test_a_verdict_on_another_disk_is_refused(made: Artifact) -> None:
    rewrite(made, "verify", disk_sha256="00" * 32)
    with pytest.raises(NotVerified, match="another disk"):
        gather(made)


def test_a_disk_that_was_cut_short_is_refused(made: Artifact) -> None:
    with made.disk.open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(NotVerified, match="has 1000 bytes, and had 131072"):
        gather(made)


def test_a_disk_that_is_gone_is_an_error(made: Artifact) -> None:
    made.disk.unlink()
    with pytest.raises(ImagecycleError, match="No such file"):
        gather(made)


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        ("build", "disk"),
        ("build", "input_digest"),
        ("build", "built_at"),
        ("verify", "verdict"),
        ("verify", "disk_sha256"),
        ("verify", "checks"),
    ],
)
def test_a_record_that_lacks_something_is_named(made: Artifact, stage: str, key: str) -> None:
    path = made.folder / f"{stage}.json"
    record = json.loads(path.read_text())
    del record[key]
    path.write_text(json.dumps(record))
    with pytest.raises(ImagecycleError, match=rf"{stage}\.json lacks {key}"):
        gather(made)
