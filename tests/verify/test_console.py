from pathlib import Path

from imagecycle.verify import console
from imagecycle.verify.console import Reader


def test_text_is_without_what_only_a_terminal_understands(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m.\r\n\x1bc\x00end")
    assert console.read(path) == "[  OK  ] Started ssh.\nend"


def test_missing_log_reads_as_empty(tmp_path: Path) -> None:
    assert console.read(tmp_path / "nothing") == ""


def test_counters_of_systemd_tell_nothing() -> None:
    said = "[  *** ] A start job is running for /dev/vdz (12s / 1min 30s)\n"
    assert console.telling(said) == ""
    assert console.telling(said + "[  OK  ] Started ssh.\n") == "[  OK  ] Started ssh."


def test_reader_gives_each_part_once(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    reader = Reader(path)
    assert reader.fresh() == ""
    path.write_text("one ")
    assert reader.fresh() == "one "
    with path.open("a") as stream:
        stream.write("two")
    assert reader.fresh() == "two"
    assert reader.fresh() == ""


def test_reader_of_a_flood_looks_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("x" * 8 * Reader.CHUNK + "the end")
    said = Reader(path).fresh()
    assert said.endswith("the end")
    assert len(said) == Reader.CHUNK
