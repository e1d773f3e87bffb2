from pathlib import Path

from families import artifact, family
from imagecycle.artifacts import Artifact
from imagecycle.metadata import evidence, identity, package_changes


def made(root: Path, release: str, packages: dict[str, str], *, published: bool = True) -> Artifact:
    found = artifact(root, release, size=2**17, packages=packages)
    if published:
        found.write_record("publish", {"clouds": {"one": {}}})
    return found


def test_a_release_carries_what_changed_since_the_one_that_users_had(tmp_path: Path) -> None:
    made(tmp_path, "20260522", {"apt": "1"})
    made(tmp_path, "20260822", {"apt": "1", "jq": "1", "linux-6.1.0-40": "1"})
    made(tmp_path, "20261101", {"nothing": "1"}, published=False)
    new = made(
        tmp_path, "20261122", {"apt": "2", "jq": "1", "linux-6.1.0-41": "1"}, published=False
    )
    written = identity.properties(family(), evidence.gather(new))
    assert written[identity.CHANGES] == (
        "20260822: packages: 1 added, 1 removed, 1 changed (+linux-6.1.0-41, -linux-6.1.0-40, apt)"
    )


def test_nothing_is_said_where_nothing_is_known(tmp_path: Path) -> None:
    first = made(tmp_path, "20260522", {"apt": "1"})
    assert package_changes.since_published(first) == ""
    second = made(tmp_path, "20260822", {})
    assert package_changes.since_published(second) == ""
    third = made(tmp_path, "20261122", {"apt": "1"})
    assert package_changes.since_published(third) == "", "the packages before are not known"
    (first.folder / "publish.json").write_text("[")
    (second.folder / "publish.json").write_text("[]")
    assert package_changes.since_published(third) == ""


def test_what_does_not_fit_is_counted() -> None:
    before = {f"package{number}": "1" for number in range(1000)}
    now = {**dict.fromkeys(before, "2"), "new": "1"}
    words = package_changes.in_words(before, now, 100)
    assert words.startswith("packages: 1 added, 0 removed, 1000 changed (+new, package0, ")
    assert words.endswith(" more)")
    assert len(words) <= 100
    assert package_changes.in_words(before, before, 100) == "no package changed"
    assert package_changes.in_words({}, {"a" * 200: "1"}, 100) == (
        "packages: 1 added, 0 removed, 0 changed"
    )
