from pathlib import Path

import pytest

from imagecycle.adoption.patterns import Match, first_match, parse, read
from imagecycle.errors import InvalidFile, UsageError
from imagecycle.model import Release

DEBIAN = (
    r"Debian (?P<version>\d+) (?P<arch>\S+)(?: (?P<date>[\d.-]+))?=>debian-{version}-{arch}-server"
)


def test_named_groups_make_up_the_family_and_the_date_the_release() -> None:
    assert parse(DEBIAN).match("Debian 12 x86_64 2026-08-22") == Match(
        "debian-12-x86_64-server", Release.parse("20260822")
    )


def test_without_a_family_the_groups_os_arch_and_flavour_make_it_up() -> None:
    pattern = parse(r"(?P<os>.*?) \((?P<arch>\S+)\) (?P<flavour>\w+) (?P<date>\d+)\.(?P<serial>\d)")
    assert pattern.match("Windows Server  2022 (x86_64) Core 20260822.2") == Match(
        "windows-server-2022-x86_64-core", Release.parse("20260822.2")
    )


def test_a_name_must_fit_as_a_whole() -> None:
    assert parse(DEBIAN).match("my Debian 12 x86_64") is None
    assert parse(DEBIAN).match("Debian 12 x86_64 with tools") is None


def test_a_name_without_a_date_leaves_the_release_open() -> None:
    assert parse(DEBIAN).match("Debian 12 x86_64") == Match("debian-12-x86_64-server")


@pytest.mark.parametrize("date", ["2026-02-30", "20260", "2026-8-22", "260822", "202608221"])
def test_what_is_no_date_is_said(date: str) -> None:
    assert parse(DEBIAN).match(f"Debian 12 x86_64 {date}") == Match(wrong=f'"{date}" is no date')


def test_what_is_no_family_is_said() -> None:
    assert parse("(?P<x>.*)=>{x}").match("Debian!") == Match(
        wrong='the pattern makes "debian!" of it, which is no family'
    )


def test_the_first_pattern_that_fits_wins() -> None:
    patterns = [parse("Debian.*=>debian-12-x86_64-server"), parse(".*=>other-1-x86_64-base")]
    assert first_match(patterns, "Debian 12") == Match("debian-12-x86_64-server")
    assert first_match(patterns, "CentOS") == Match("other-1-x86_64-base")
    assert first_match([], "Debian 12") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Debian (=>debian-12-x86_64-server", "no regular expression: missing ), unterminated"),
        ("Debian=>debian-{version}-server", "wants the group version; the groups are none"),
        (r"(?P<v>\d)=>debian-{w}", "wants the group w; the groups are v"),
        (r"Debian=>debian-{}", "wants the group {}"),
        (r"Debian=>debian-{v", "expected '}' before end of string"),
        (r"(?P<os>.*)", "wants the group arch"),
        ("Debian=>", "the family is empty"),
    ],
)
def test_a_wrong_pattern_is_named(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert f"not a pattern: {text}" in caught.value.message
    assert message in caught.value.message
    assert "an example" in caught.value.hint


def test_patterns_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "patterns.yaml"
    path.write_text(
        "- pattern: 'Debian (?P<v>\\d+)'\n  family: debian-{v}-x86_64-server\n"
        "- pattern: '(?P<os>\\w+) (?P<arch>\\w+) (?P<flavour>\\w+)'\n"
    )
    assert first_match(read(path), "Debian 12") == Match("debian-12-x86_64-server")
    assert first_match(read(path), "Rocky x86_64 base") == Match("rocky-x86_64-base")


def test_every_mistake_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "patterns.yaml"
    path.write_text("- pattern: '('\n  family: a-b\n- patern: x\n- pattern: x\n  famly: a-b\n")
    with pytest.raises(InvalidFile) as caught:
        read(path)
    lines = caught.value.message.replace(f"{path}:", "").splitlines()
    assert lines[0].startswith("1: no regular expression")
    assert lines[1].startswith("3: expected a section with pattern")
    assert lines[2] == "5: unknown key famly; did you mean family?"


@pytest.mark.parametrize("text", ["", "pattern: x\n", "[]\n"])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "patterns.yaml"
    path.write_text(text)
    with pytest.raises(InvalidFile, match="expected a list such as"):
        read(path)
