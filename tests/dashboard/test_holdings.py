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
