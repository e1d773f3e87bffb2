from pathlib import Path

import pytest

from imagecycle import yamlfile
from imagecycle.errors import InvalidFile


def read(folder: Path, text: str | bytes) -> yamlfile.YamlFile:
    path = folder / "file.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return yamlfile.read(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(InvalidFile) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_value_has_the_line_that_it_stands_on(tmp_path: Path) -> None:
    file = read(tmp_path, "a: 1\nb:\n  - c: 2\n    d: {e: 3,\n      f: 4}\n")
    lines = {place: spot.line for place, spot in file.spots.items()}
    assert lines[("a",)] == 1
    assert lines[("b", 0, "c")] == 3
    assert lines[("b", 0, "d", "e")] == 4
    assert lines[("b", 0, "d", "f")] == 5


def test_a_missing_value_gets_the_line_of_the_section_that_it_belongs_to(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 1\nb:\n  c: 1\n").spot(("b", "missing", "more")).line == 2


def test_a_number_as_a_key_has_a_spot(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 1\n12: x\n").spot((12,)).line == 2


def test_the_value_is_kept_as_it_was_written(tmp_path: Path) -> None:
    file = read(tmp_path, "a: no\n")
    assert file.content == {"a": False}
    assert file.spot(("a",)).text == "no"


def test_all_keys_that_stand_twice_are_named_with_their_first_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 3\n").splitlines() == [
        "file.yaml:2: c stands here a second time; first on line 2",
        "file.yaml:3: a stands here a second time; first on line 1",
    ]


def test_an_alias_is_no_double(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x {y: 1}\nb: *x\nc: {<<: *x, z: 2}\n").content["c"]["y"] == 1


def test_an_alias_of_itself_ends(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x\n  b: *x\n").spot(("a",)).line == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1\n", "file.yaml:3: not YAML: expected ',' or ']'"),
        ("a: 1\nb: 2028-06-31\n", "file.yaml:2: not YAML: day is out of range for month"),
        (b"a: 1\nb: \xff\n", "file.yaml:2: expected text in UTF-8"),
        ("a: 1\n? [b]\n: 2\n", "file.yaml:2: not YAML: found unhashable key"),
        ("a: \x07\n", "file.yaml:1: not YAML"),
        ("a: *b\n", "file.yaml:1: not YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", "file.yaml:2: not YAML: but found another document"),
    ],
)
def test_what_is_not_yaml_is_named_with_its_line(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    assert refusal(tmp_path, text).startswith(message)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"nothing\.yaml:1: cannot be read: No such file"):
        yamlfile.read(tmp_path / "nothing.yaml")
