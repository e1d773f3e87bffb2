import json
from pathlib import Path

from imagecycle.metadata import definitions, schema

PAGE = Path(__file__).parents[2] / "docs" / "metadata.rst"


def test_the_page_has_the_table_of_the_schema() -> None:
    """When this fails: replace the table by what `imagecycle metadata show --rst` prints."""
    assert PAGE.read_text().endswith(f"\n\n{definitions.as_rst()}")


def test_the_namespace_leaves_out_what_openstack_defines_itself() -> None:
    defined = definitions.as_namespace().properties
    assert "os_distro" not in defined
    assert {"imagecycle_family", "image_build_date", "uuid_validity"} <= defined.keys()


def test_what_imagecycle_alone_writes_is_read_only_to_people() -> None:
    defined = definitions.as_namespace().properties
    assert {name for name, one in defined.items() if one.get("readonly")} == {
        name for name in defined if name.startswith(schema.PREFIX)
    }


def test_definitions_fit_glance() -> None:
    """The limits are those of its JSON schema of a namespace."""
    namespace = definitions.as_namespace()
    assert len(namespace.title) <= 80
    assert len(namespace.description) <= 500
    for name, one in namespace.properties.items():
        assert len(name) <= 80
        assert one["type"] in ("string", "integer")


def test_the_schema_is_told_to_programs() -> None:
    rows = {row["name"]: row for row in json.loads(definitions.as_json())}
    assert rows.keys() == schema.BY_NAME.keys()
    assert rows["replace_frequency"]["enum"][1] == "quarterly"
    assert rows["hotfix_hours"]["type"] == "string"  # as Glance keeps it
