"""The image meets the security profile that the catalog or the site asks for."""

from imagecycle.verify.security_results import ProfileResult


def test_reaches_its_score(profile: ProfileResult) -> None:
    """Servers fall short of the security guide that was promised for them."""
    enough = profile.score >= profile.least_score
    assert enough, f"{profile.title}: {profile.score:g} of 100, asked for {profile.least_score:g}"


def test_rules_are_met_or_accepted(profile: ProfileResult) -> None:
    """An audit finds every server at fault, and nobody has said why."""
    assert [str(rule) for rule in profile.defects] == []
