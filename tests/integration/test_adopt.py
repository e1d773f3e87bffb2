"""Taking over images that were published by hand, in a real Glance."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from families import FAMILY, artifact, family
from imagecycle import cli
from imagecycle.adoption import proposal, stage
from imagecycle.adoption.patterns import parse
from imagecycle.cloud.image import Image
from imagecycle.errors import ImagecycleError
from imagecycle.lifecycle import publish
from integration.conftest import Box
from integration.proxy import Fault

pytestmark = pytest.mark.integration

PATTERN = r"Debian 12(?: (?P<date>[\d-]+))?=>debian-12-x86_64-server"


def by_hand(box: Box, name: str, *, glance: str = "glance", **fields: object) -> Image:
    """An image as an operator uploads it."""
    made = getattr(box, glance).create(
        {
            "name": name,
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "public",
            "os_distro": "debian",
            **fields,
        }
    )
    getattr(box, glance).upload(made.id, io.BytesIO(name.encode()), len(name), lambda _: None)
    return getattr(box, glance).image(made.id)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class InstanceData:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., InstanceData]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`imagecycle adopt` with these words."""
    monkeypatch.setenv("IMAGECYCLE_HOME", str(tmp_path))  # that of box.site
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: str) -> InstanceData:
        capsys.readouterr()
        code = cli.main(["adopt", *words])
        return InstanceData(code, *capsys.readouterr())

    return call


def proposed(box: Box, path: Path, cloud: str = "faulty") -> Path:
    found = stage.propose(box.site, cloud=cloud, patterns=[parse(PATTERN)])
    stage.write(found, path)
    return path


def apply(box: Box, path: Path) -> int:
    return stage.apply(proposal.read(path), box.site, dry_run=False)


def audit(box: Box) -> list[dict[str, object]]:
    path = box.site.home / "audit" / "faulty.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def foreign(image: Image) -> dict[str, object]:
    """What is not imagecycle's."""
    return {
        name: value
        for name, value in image.facts().items()
        if not name.startswith("imagecycle_") and name != "updated_at"
    }


def test_adopting_adds_properties_and_users_see_what_they_saw(box: Box, tmp_path: Path) -> None:
    newer = by_hand(box, "Debian 12 2026-08-22")
    older = by_hand(box, "Debian 12 2026-05-22")
    hidden = by_hand(box, "Debian 12 2026-02-22", os_hidden=True)
    other = by_hand(box, "Fedora 40")
    path = proposed(box, tmp_path / "proposal.yaml")
    box.proxy.forget()
    assert apply(box, path) == 3
    assert [method for method, _, _ in box.proxy.mutations()] == ["PATCH"] * 3
    for image in (newer, older, hidden, other):
        assert foreign(box.glance.image(image.id)) == foreign(image)
    states = {
        image.properties.get("imagecycle_release"): image.properties.get("imagecycle_state")
        for image in map(box.glance.image, (newer.id, older.id, hidden.id, other.id))
    }
    assert states == {
        "20260822": "current",
        "20260522": "current",
        "20260222": "superseded",
        None: None,
    }
    events = [(entry["event"], entry["command"]) for entry in audit(box)]
    assert events == [("begun", "adopt"), ("done", "adopt")] * 3
    assert apply(box, path) == 0


def test_the_first_publish_of_an_adopted_family_puts_the_others_out_of_sight(
    box: Box, tmp_path: Path
) -> None:
    by_hand(box, "Debian 12 2026-08-22")
    by_hand(box, "Debian 12 2026-05-22")
    apply(box, proposed(box, tmp_path / "proposal.yaml"))
    artifact(box.site.artifacts, "20261122", size=2**17)
    publish.publish(family(), box.site, cloud="devcloud", release=None, dry_run=False)
    seen = {
        image.properties["imagecycle_release"]: (image.properties["imagecycle_state"], image.hidden)
        for image in box.glance.images(imagecycle_family=FAMILY.slug)
    }
    assert seen == {
        "20260522": ("superseded", True),
        "20260822": ("superseded", True),
        "20261122": ("current", False),
    }


def test_an_image_that_changed_since_is_refused_and_nothing_is_done(
    box: Box, run: Run, tmp_path: Path
) -> None:
    by_hand(box, "Debian 12 2026-05-22")
    changed = by_hand(box, "Debian 12 2026-08-22")
    path = proposed(box, tmp_path / "proposal.yaml")
    box.glance.change(changed.id, {"os_hidden": True})
    box.proxy.forget()
    done = run("--apply", str(path))
    assert done.returncode == 1
    assert f'image {changed.id} ("Debian 12 2026-08-22") was changed' in done.stderr
    assert "make the proposal again" in done.stderr
    assert box.proxy.mutations() == []


def test_an_image_of_somebody_else_is_refused(box: Box, run: Run, tmp_path: Path) -> None:
    theirs = by_hand(box, "Debian 12 2026-08-22", glance="demo", visibility="community")
    by_hand(box, "Debian 12 2026-05-22")
    path = proposed(box, tmp_path / "proposal.yaml")
    assert "2026-08-22" not in path.read_text()
    document = yaml.safe_load(path.read_text())
    document["images"].append({**document["images"][0], "id": theirs.id, "release": "20260822"})
    path.write_text(yaml.safe_dump(document))
    box.proxy.forget()
    done = run("--apply", str(path))
    assert done.returncode == 2
    assert f"image {theirs.id} belongs to project {theirs.owner}, not to ours" in done.stderr
    assert box.proxy.mutations() == []


def test_a_proposal_for_another_project_is_refused(box: Box, run: Run, tmp_path: Path) -> None:
    by_hand(box, "Debian 12 2026-05-22")
    path = proposed(box, tmp_path / "proposal.yaml")
    path.write_text(path.read_text().replace("cloud: faulty", "cloud: faulty-demo"))
    done = run("--apply", str(path))
    assert done.returncode == 2
    assert "for another project than faulty-demo belongs to" in done.stderr


def test_what_a_failure_left_undone_is_done_by_the_next_run(box: Box, tmp_path: Path) -> None:
    by_hand(box, "Debian 12 2026-05-22")
    by_hand(box, "Debian 12 2026-08-22", os_hidden=True)
    path = proposed(box, tmp_path / "proposal.yaml")
    box.proxy.faults.append(Fault("PATCH", "", answer=403, after_matches=1))
    with pytest.raises(ImagecycleError, match="403"):
        apply(box, path)
    box.proxy.faults.clear()
    assert apply(box, path) == 1
    assert {image.properties["imagecycle_state"] for image in box.glance.images()} == {
        "current",
        "superseded",
    }


def test_the_command_proposes_then_adopts_all_without_a_conflict(box: Box, run: Run) -> None:
    by_hand(box, "Debian 12 2026-05-22")
    by_hand(box, "Debian 12 2026-08-22")
    by_hand(box, "Debian 12 20260822")
    rule = ("--cloud", "faulty", "--pattern", PATTERN)
    done = run(*rule)
    assert done.returncode == 0, done.stderr
    assert "1 to adopt, 2 in conflict, 0 ours already, 0 left alone" in done.stdout
    assert box.proxy.mutations() == []
    assert run(*rule, "--yes", "--dry-run").returncode == 0
    assert box.proxy.mutations() == []
    assert run(*rule, "--yes").returncode == 0
    verdicts = [row["verdict"] for row in json.loads(run(*rule, "--json").stdout)]
    assert sorted(verdicts) == ["conflict", "conflict", "ours already"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cloud", "devcloud"], "Give --pattern or --patterns."),
        (["--pattern", "x=>a-b"], "Missing option '--cloud'"),
        (["--cloud", "devclod", "--pattern", "x=>a-b"], "unknown cloud: devclod"),
        (["--cloud", "devcloud", "--pattern", "("], "not a pattern: ("),
        (["--cloud", "devcloud", "--patterns", "/nothing.yaml"], "cannot be read"),
        (["--apply", "/nothing.yaml"], "cannot be read"),
        (["--apply", "x", "--cloud", "devcloud"], "takes no other option but --dry-run"),
    ],
)
def test_bad_usage_is_named(box: Box, run: Run, words: list[str], message: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
