import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest

from families import artifact, family
from imagecycle import catalog
from imagecycle.catalog import declaration, maintenance_terms
from imagecycle.errors import UsageError
from imagecycle.lifecycle.steps import members_digest
from imagecycle.metadata import evidence, identity, schema, validation
from imagecycle.metadata.property_types import Kind
from imagecycle.model import Release, State
from imagecycle.site import CATALOG

AGREED = """
    image_build_date image_original_user image_source image_description replace_frequency
    uuid_validity provided_until hotfix_hours os_purpose maintained_until
"""


def test_every_example_is_right() -> None:
    assert validation.problems({one.name: one.example for one in schema.PROPERTIES}) == []


def test_names_and_titles_are_unique() -> None:
    assert len(schema.BY_NAME) == len(schema.PROPERTIES)
    assert len({one.title for one in schema.PROPERTIES}) == len(schema.PROPERTIES)


def test_every_property_that_imagecycle_names_is_in_the_schema() -> None:
    named = {
        value
        for name, value in vars(identity).items()
        if name.isupper() and isinstance(value, str) and value.startswith(schema.PREFIX)
    } - {identity.PREFIX}
    assert named == {name for name in schema.BY_NAME if name.startswith(schema.PREFIX)}


def test_every_property_of_a_release_is_in_the_schema_or_the_catalogs_own(tmp_path: Path) -> None:
    proven = evidence.gather(artifact(tmp_path, "20261122", size=2**17))
    written = (
        identity.properties(family(end_of_support=datetime.date(2028, 6, 30)), proven).keys()
        - family().properties.keys()
    )
    assert written <= schema.BY_NAME.keys()
    assert validation.missing(dict.fromkeys(written, "")) == []


def test_the_schema_has_what_public_clouds_agreed_on() -> None:
    named = set(AGREED.split())
    assert named <= schema.BY_NAME.keys()
    assert {schema.BY_NAME[name].origin for name in named} == {schema.Origin.PUBLIC_CLOUDS}


def test_the_families_of_the_catalog_keep_to_the_schema(tmp_path: Path) -> None:
    proven = evidence.gather(artifact(tmp_path, "20261122", size=2**17))
    for one in catalog.load(CATALOG):
        identity.properties(one, proven)


def test_the_catalog_takes_exactly_the_words_of_the_schema() -> None:
    def words(section: Any, key: str) -> tuple[str, ...]:
        return tuple(section.model_fields[key].annotation.__args__)

    assert words(declaration.Promised, "replace_frequency") == maintenance_terms.FREQUENCIES
    assert words(declaration.Flavour, "purpose") == maintenance_terms.PURPOSES
    assert words(declaration.Declaration, "type") == schema.BY_NAME["os_type"].kind.allowed


VALUES = {
    "image_build_date": (
        ["2026-11-22", "2026-11-22 12:00", "2026-11-22 23:59:59"],
        ["2026-02-30", "2026-11-22T12:00:00Z", "2026-11-22 24:00", "22.11.2026", "", "2026-11-22 "],
    ),
    "uuid_validity": (
        ["none", "notice", "forever", "last-1", "last-12", "2028-06-30"],
        ["last-0", "last-", "None", "2028-06-31", "2028", "forever\n", "none none"],
    ),
    "provided_until": (["none", "notice", "2028-06-30"], ["forever", "last-3", "2028-13-01"]),
    "replace_frequency": (["quarterly", "never", "critical_bug"], ["Quarterly", "sometimes", ""]),
    "hotfix_hours": (["0", "48"], ["-1", "48h", "1.5", "048", "", "٤٨"]),
    "image_source": (
        ["private", "https://images.example/debian-12", "ftp://images.example/x"],
        ["Private", "images.example", "https://", "https://a b", "file:///srv"],
    ),
    "image_description": (
        ["Debian 12", "x", "Grüße: 2026-02-30"],
        ["", " x", "x ", "a\nb", "a\tb"],
    ),
    "maintained_until": (["2028-06-30"], ["none", "2028-6-30", "2027-02-29"]),
    "imagecycle_family": (
        ["debian-12-x86_64-server", "rocky-9.4-aarch64-base"],
        ["debian", "Debian-12", "debian--12", "debian 12", "-debian-12"],
    ),
    "imagecycle_release": (
        ["20261122", "20261122.1", "20261122.12"],
        ["20261122.0", "20260230", "2026-11-22", "20261122.", "tomorrow"],
    ),
    "imagecycle_state": (["current", "revoked"], ["Current", "new"]),
    "imagecycle_build_date": (
        ["2026-11-22T12:00:00+00:00", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00.123456-05:30"],
        ["2026-11-22T12:00:00", "2026-11-22 12:00:00+00:00", "2026-02-30T12:00:00Z"],
    ),
    "imagecycle_input_digest": (["0f" * 32], ["0F" * 32, "0f" * 31, "0f" * 64]),
    "license_included": (["true", "false"], ["True", "1", "yes"]),
    "imagecycle_shared_with": (["", members_digest(["a"])], ["-", "3:"]),
    "imagecycle_language": (["en-US", "sr-Latn-RS"], ["en", "english", "en_US"]),
    "imagecycle_license_channel": (["kms", "evaluation"], ["KMS", "volume", ""]),
    "imagecycle_successor": (["39ae4cf7-de9c-4b0a-87cc-4210a8af80a9"], ["39ae4cf7"]),
}


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        (name, value, right)
        for name, both in VALUES.items()
        for values, right in zip(both, (True, False), strict=True)
        for value in values
    ],
)
def test_a_value_is_right_or_wrong(name: str, value: str, right: bool) -> None:
    assert (validation.problems({name: value}) == []) is right


def test_every_kind_of_value_was_tried() -> None:
    tried: set[Kind] = {schema.BY_NAME[name].kind for name in VALUES}
    untried = {one.name for one in schema.PROPERTIES if one.kind not in tried}
    assert untried == {
        *("architecture", "hw_firmware_type", "os_distro", "os_purpose", "os_type", "os_version"),
        *("image_original_user", "os_admin_user"),
        *("imagecycle_security_profile", "imagecycle_security_score"),
        *("imagecycle_checks", "imagecycle_disk_sha512", "imagecycle_flavour"),
    }


def test_a_release_is_right_exactly_when_the_model_takes_it() -> None:
    for value, right in (
        (v, i == 0) for i, vs in enumerate(VALUES["imagecycle_release"]) for v in vs
    ):
        try:
            Release.parse(value)
            taken = True
        except UsageError:
            taken = False
        assert taken is right, value


def test_patterns_mean_the_same_to_json_schema() -> None:
    """Unanchored, a pattern of JSON schema would find its value anywhere."""
    for one in schema.PROPERTIES:
        if one.kind.pattern:
            assert one.kind.pattern.startswith("^") and one.kind.pattern.endswith("$"), one.name
            re.compile(one.kind.pattern)
        json.dumps(one.kind.as_json_schema())


def test_states_are_those_of_the_model() -> None:
    assert schema.BY_NAME[identity.STATE].kind.allowed == tuple(state.value for state in State)


def test_an_unknown_property_of_ours_is_answered_with_the_nearest() -> None:
    assert validation.problems({"imagecycle_famly": "x"}) == [
        "property imagecycle_famly is not in the schema; did you mean imagecycle_family?"
    ]


def test_properties_of_nova_and_others_are_none_of_our_business() -> None:
    assert validation.problems({"hw_disk_bus": "virtio", "trait:CUSTOM_GPU": "required"}) == []


def test_what_glance_could_not_keep_is_refused() -> None:
    assert "at most 255 characters" in validation.problems({"x" * 256: "y"})[0]
    assert "65535 bytes" in validation.problems({"hw_note": "ü" * 40_000})[0]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(validation.InvalidProperties) as caught:
        validation.validate({"os_type": "linux\x1b[31m", "hotfix_hours": "two"}, "x 20261122")
    lines = caught.value.message.splitlines()
    assert lines[0].startswith("x 20261122: property os_type: expected linux or windows, found ")
    assert "\x1b" not in lines[0]
    assert lines[1].endswith('found "two"')
    assert "x 20261122: property imagecycle_family is missing" in lines
    assert caught.value.exit_code == 2
