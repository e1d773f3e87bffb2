from pathlib import Path

from imagecycle.devcloud import config
from imagecycle.devcloud.layout import NOBODY, Layout
from imagecycle.metadata import definitions, schema


def test_what_is_not_inherited_is_what_the_schema_says() -> None:
    assert set(config.NOT_INHERITED) == set(schema.NOT_INHERITED)


def test_the_settings_are_printed_for_other_clouds() -> None:
    lines = definitions.as_settings().splitlines()
    (nova,) = [line for line in lines if line.startswith("non_inheritable_image_properties = ")]
    (cinder,) = [line for line in lines if line.startswith("glance_core_properties = ")]
    for line in (nova, cinder):
        assert set(schema.NOT_INHERITED) < set(line.partition(" = ")[2].split(","))


def test_glance_protects_properties_unless_told_otherwise(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "venv")
    layout.make()
    config.write(layout, NOBODY)
    assert "property_protection_file" in (layout.etc / "glance-api.conf").read_text()
    layout.unprotected.touch()
    config.write(layout, NOBODY)
    assert "property_protection_file" not in (layout.etc / "glance-api.conf").read_text()
