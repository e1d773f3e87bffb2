from typing import Any

from dashboard.documents import PUBLISHER, document, image_id
from imagecycle_dashboard import families
from imagecycle_dashboard.releases import Release


def current(*documents: dict[str, Any]) -> dict[str, Release]:
    return families.newest(families.releases(documents))


def of(family: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    distro, version, arch, flavour = family.split("-", 3)
    return document(
        number,
        imagecycle_family=family,
        imagecycle_flavour=flavour,
        os_distro=distro,
        os_version=version,
        architecture=arch,
        image_description=f"{distro.capitalize()} {version} {flavour.capitalize()}: text",
        **changes,
    )


def test_families_are_the_choices_of_a_system_and_newer_versions_come_first() -> None:
    found = families.systems(
        current(
            of("debian-9-x86_64-server"),
            of("debian-12-x86_64-server"),
            of("debian-12-aarch64-server"),
            of("debian-12-x86_64-base"),
            of("alpine-3.20-x86_64-base"),
        ).values()
    )
    assert [(one.name, [family.family for family in one.families]) for one in found] == [
        ("Alpine 3.20", ["alpine-3.20-x86_64-base"]),
        (
            "Debian 12",
            ["debian-12-aarch64-server", "debian-12-x86_64-base", "debian-12-x86_64-server"],
        ),
        ("Debian 9", ["debian-9-x86_64-server"]),
    ]


def test_of_two_current_releases_the_newest_counts() -> None:
    found = current(
        document(1),
        document(2, imagecycle_release="20261122.10"),
        document(3, imagecycle_release="20261122.9"),
        document(4, imagecycle_release="20261201", imagecycle_state="superseded"),
    )
    assert found["debian-12-x86_64-server"].image_id == image_id(2)


def test_an_image_of_a_project_cannot_pass_for_a_current_release() -> None:
    forged = document(2, imagecycle_release="20991231", visibility="private", owner="mallory")
    found = current(document(1), forged)
    assert found["debian-12-x86_64-server"].image_id == image_id(1)


def test_an_image_that_somebody_shares_cannot_pass_for_an_older_release() -> None:
    documents = [
        document(1),
        document(2, imagecycle_release="20260822", imagecycle_state="superseded", os_hidden=True),
        document(3, imagecycle_release="20260522", imagecycle_state="retired", visibility="shared"),
        document(
            4,
            imagecycle_release="20260501",
            imagecycle_state="retired",
            visibility="shared",
            owner="mallory",
        ),
        of("debian-9-x86_64-server", 5),
    ]
    found = families.of_family(documents, "debian-12-x86_64-server")
    assert [release.image_id for release in found] == [image_id(1), image_id(2), image_id(3)]
    trusted = families.trusted(documents, current(*documents))
    assert image_id(4) not in trusted
    assert image_id(3) in trusted


def test_an_image_that_comes_twice_counts_once() -> None:
    assert len(families.of_family([document(1)] * 3, "debian-12-x86_64-server")) == 1


def test_every_word_of_a_search_must_be_there() -> None:
    found = current(of("debian-12-x86_64-server"), of("debian-12-aarch64-base")).values()
    assert len(families.matching(found, " DEBIAN  12 ")) == 2
    assert [one.family for one in families.matching(found, "base 12")] == ["debian-12-aarch64-base"]
    assert [one.family for one in families.matching(found, "", "x86_64")] == [
        "debian-12-x86_64-server"
    ]
    assert families.matching(found, "server", "aarch64") == []


def test_images_that_are_no_release_are_a_plain_list() -> None:
    release = document(1)
    documents = [
        release,
        document(2, of_nobody=True, name="zebra", owner="me", visibility="private"),
        document(3, name="A copy", imagecycle_image_id=image_id(1), owner="me"),
        document(4, of_nobody=True, name="saving", status="saving"),
        document(5, imagecycle_state="revoked", visibility="shared", owner=PUBLISHER),
        document(6, of_nobody=True, name=None),
    ]
    found = families.others(documents, [image_id(1)], "me")
    assert [(image.name, image.own) for image in found] == [
        ("", False),
        ("A copy", True),
        ("zebra", True),
    ]
