"""What the catalog means is no defect."""

from imagecycle.model import Explained
from imagecycle.verify.findings import Defects, Finding

CHECK = "ownership.every_file_is_explained"
DEFECTS = Defects(
    CHECK,
    frozenset({"/etc/motd"}),
    (Explained(CHECK, "/opt/agent/**", "the agent"), Explained("another.check", "/srv/**", "data")),
)


def test_a_finding_is_told_with_its_reason() -> None:
    assert DEFECTS([Finding("/etc/a", "is wrong"), Finding("/etc/b")]) == [
        "/etc/a: is wrong",
        "/etc/b",
    ]


def test_an_explained_finding_is_no_defect() -> None:
    assert DEFECTS([Finding("/opt/agent/bin/agent")]) == []


def test_an_explanation_holds_for_its_check_alone() -> None:
    assert DEFECTS([Finding("/srv/data")]) == ["/srv/data"]


def test_a_file_of_the_catalog_is_no_defect_unless_asked_for() -> None:
    found = [Finding("/etc/motd", "holds a password")]
    assert DEFECTS(found) == []
    assert DEFECTS(found, even_declared=True) == ["/etc/motd: holds a password"]


def test_the_same_finding_is_told_once() -> None:
    assert DEFECTS([Finding("/etc/a"), Finding("/etc/a")]) == ["/etc/a"]
