from dataclasses import replace

from imagecycle.cloud.image import Image
from imagecycle.offering import stage
from imagecycle.offering.collection import Collection
from imagecycle.offering.offered_release import of_image
from offering.releases import image, image_id


def collected(*images: Image, records: tuple[str, ...] = ()) -> Collection:
    collection = Collection()
    stage.collect(images, collection, lambda: records)
    return collection


def test_families_come_by_system_and_newer_versions_first() -> None:
    found = collected(
        image(1, version="9", flavour="server"),
        image(2, version="12", flavour="server"),
        image(3, version="12", flavour="base"),
        image(4, version="sid", flavour="base"),
    )
    assert [family.slug for family in found.families()] == [
        "debian-12-x86_64-base",
        "debian-12-x86_64-server",
        "debian-9-x86_64-server",
        "debian-sid-x86_64-base",
    ]


def test_the_newest_of_two_current_releases_counts() -> None:
    found = collected(
        image(1, release="20261101"),
        image(2, release="20261122"),
        image(3, release="20261201", state="revoked"),
    )
    (family,) = found.families()
    assert family.current is not None
    assert family.current.release == family.described_by.release == "20261122"
    assert [one.release for one in found.releases(family.slug)] == [
        "20261201",
        "20261122",
        "20261101",
    ]


def test_a_family_without_a_current_release_is_described_by_its_newest() -> None:
    (family,) = collected(image(1, release="20261101", state="superseded")).families()
    assert family.current is None
    assert family.described_by.release == "20261101"


def test_candidates_and_copies_are_not_shown() -> None:
    found = collected(
        image(1, state="candidate"),
        image(2, imagecycle_image_id=image_id(9)),
        image(3, imagecycle_image_id=None),
        image(4, imagecycle_family=None),
    )
    assert found.count() == (0, 0)


def test_a_release_from_before_releases_named_themselves_is_known_from_records() -> None:
    found = collected(image(3, imagecycle_image_id=None), records=(image_id(3),))
    assert found.count() == (1, 1)


def test_an_image_that_is_listed_twice_counts_once_as_it_was_last() -> None:
    found = collected(image(1, state="current"), image(1, state="superseded"))
    (release,) = found.releases("debian-12-x86_64-server")
    assert release.state == "superseded"


def test_of_two_images_that_are_the_same_release_the_current_one_stays() -> None:
    one, other = of_image(image(1, state="superseded")), of_image(image(2))
    for order in ((one, other), (other, one)):
        with Collection() as collection:
            assert collection.add(order[0]) is None
            assert collection.add(order[1]) == one
            assert list(collection.releases(one.family)) == [other]


def test_of_two_releases_of_one_second_the_newer_one_is_the_newer_event() -> None:
    images = [image(1, release="20261122"), image(2, release="20260822", state="superseded")]
    found = collected(*(replace(one, created_at="2026-11-22T13:00:00Z") for one in images))
    assert [event.release.release for event in found.events(9)] == ["20261122", "20260822"]
    images = [image(2, release="20261122"), image(1, release="20260822", state="superseded")]
    found = collected(*(replace(one, created_at="2026-11-22T13:00:00Z") for one in images))
    assert [event.release.release for event in found.events(9)] == ["20261122", "20260822"]


def test_events_are_the_newest_publications_and_revocations() -> None:
    found = collected(
        image(1, release="20261101", state="revoked", imagecycle_revoked_at="2026-12-01T09:00:00Z"),
        image(2),
        image(3, flavour="base", state="superseded", imagecycle_revoked_at="2026-12-02T09:00:00Z"),
    )
    assert [(event.revoked, event.release.image_id) for event in found.events(3)] == [
        (True, image_id(1)),
        (False, image_id(3)),
        (False, image_id(2)),
    ]
