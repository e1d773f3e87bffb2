from dashboard.documents import document, image_id
from imagecycle_dashboard import families, holdings
from imagecycle_dashboard.holdings import Made


def made(name: str) -> Made:
    return Made(name, name, "ACTIVE")


DOCUMENTS = [
    document(1),
    document(2, imagecycle_release="20260822", imagecycle_state="superseded"),
    document(3, imagecycle_release="20260522", imagecycle_state="retired", visibility="shared"),
    document(4, imagecycle_release="20260501", imagecycle_state="revoked", visibility="shared"),
]


def held(*servers: tuple[str, int]) -> list[holdings.Holding]:
    newest = families.newest(families.releases(DOCUMENTS))
    found = holdings.gather([(made(name), image_id(number)) for name, number in servers], [])
    return holdings.holdings(found, families.trusted(DOCUMENTS, newest), newest)


def test_servers_and_volumes_are_together_by_their_image() -> None:
    found = holdings.gather(
        [(made("a"), "one"), (made("b"), "two"), (made("c"), "one")],
        [(made("v"), "two", []), (made("w"), "", ["a"])],
    )
    assert [(one.image_id, [s.name for s in one.servers], len(one.volumes)) for one in found] == [
        ("one", ["a", "c"], 0),
        ("two", ["b"], 1),
    ]


def test_a_server_that_boots_from_a_volume_is_of_that_volumes_image() -> None:
    (found,) = holdings.gather([(made("a"), "")], [(made("v"), "one", ["a"])])
    assert (found.image_id, found.count) == ("one", 2)


def test_a_server_of_nothing_known_is_left_out() -> None:
    assert holdings.gather([(made("a"), "")], []) == []


def test_what_was_revoked_comes_first_and_the_newest_last() -> None:
    found = held(("new", 1), ("old", 2), ("older", 3), ("bad", 4))
    assert [one.release.state for one in found] == ["revoked", "retired", "superseded", "current"]


def test_it_is_told_how_far_behind_a_server_is() -> None:
    (newest,) = held(("new", 1))
    assert (newest.is_behind, newest.days_behind) == (False, 0)
    (old,) = held(("old", 2))
    assert (old.is_behind, old.days_behind) == (True, 92)
    assert old.newest is not None
    assert old.newest.image_id == image_id(1)


def test_an_image_that_is_no_release_is_not_among_them() -> None:
    assert held(("mine", 99)) == []


def test_it_is_told_what_an_update_would_bring() -> None:
    documents = [
        document(1, imagecycle_checks="50", patchlevel="12.12", maintained_until="2030-06-30"),
        document(
            2, imagecycle_release="20260822", imagecycle_state="superseded", patchlevel="12.11"
        ),
    ]
    newest = families.newest(families.releases(documents))
    made_of = holdings.gather([(made("old"), image_id(2)), (made("new"), image_id(1))], [])
    old, new = holdings.holdings(made_of, families.trusted(documents, newest), newest)
    assert [(one.what, one.before, one.after) for one in old.update if one.is_property] == [
        ("patchlevel", "12.11", "12.12")
    ]
    assert [one.what for one in old.update if not one.is_property] == ["end_of_support"]
    assert new.update == []


def test_a_server_whose_image_is_gone_is_told_apart_from_those_of_other_images() -> None:
    found = holdings.gather(
        [(made("a"), image_id(1)), (made("b"), image_id(7)), (made("c"), "no id")], []
    )
    unseen = holdings.unseen(found, [document(1, of_nobody=True)])
    assert [one.image_id for one in unseen] == [image_id(7)]
