import pytest

from imagecycle.jenkins import plugins
from imagecycle.jenkins.controller import Controller
from imagecycle.jenkins.plugins import Verdict


def has(name: str, version: str, **more: bool) -> dict[str, object]:
    return {"shortName": name, "version": version, "enabled": True, "active": True, **more}


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ("1424.vc64a_edde7777", Verdict.OK),
        ("1500.v000", Verdict.OK),
        ("1423.v999", Verdict.OLDER),
        ("1.60", Verdict.OLDER),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, verdict: Verdict) -> None:
    (found,) = plugins.compare({"junit": "1424.vc64a_edde7777"}, [], [has("junit", version)])
    assert found.verdict is verdict


def test_missing_and_disabled_plugins_are_found() -> None:
    needed = {"junit": "1", "mailer": "1"}
    there = [has("mailer", "2", enabled=False), has("other", "1")]
    found = {one.plugin: one.verdict for one in plugins.compare(needed, ["git"], there)}
    assert found == {
        "git": Verdict.MISSING,
        "junit": Verdict.MISSING,
        "mailer": Verdict.DISABLED,
    }


def test_a_controller_lists_its_plugins(real: object, place: object) -> None:
    controller: Controller = place.controller  # type: ignore[attr-defined]
    for plugin in plugins.installed(controller):
        assert plugin["shortName"]
        assert plugin["version"]
