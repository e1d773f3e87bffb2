import time
from pathlib import Path

import pytest

from imagecycle.verify import console, pictures, stalls
from imagecycle.verify.console import Reader
from imagecycle.verify.observer import KEPT_TEXT, MARKS
from imagecycle.verify.stalls import Situation


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


def test_titles_and_unknown_controls_do_not_reach_a_terminal() -> None:
    said = "a\x1b]0;taken\x07b\x1bP1$r0m\x1b\\c\x1b]52;c;eA==\x1b\\d\x9b2Je\x08\x1b[999"
    assert console.plain(said) == "abcd2Je[999"


FLOODS = (
    "\n",
    " ",
    "x",
    " \n",
    "Job x",
    "Job x (1s / ",
    "A start job is running for ",
    "login ",
    "\x1b[;;",
    "\x1b]x",
    "ALERT!  ",
    "Welcome to ",
    "dracut-initqueue[1]: ",
    "BdsDxe: failed to load Boot0001 ",
    "Calling 'http://169.254.169.254",
)
"""Parts of words that are looked for, without what should follow"""


@pytest.mark.parametrize("words", FLOODS)
def test_flood_of_half_a_sign_takes_no_time(words: str) -> None:
    flood = words * (KEPT_TEXT // len(words))
    begun = time.process_time()
    console.telling(console.plain(flood))
    stalls.judge(Situation(system=True, handed_over=True, still=1, busy=0.1, console=flood))
    assert not any(pattern.search(flood) for pattern in (*MARKS.values(), pictures.TROUBLE))
    assert time.process_time() - begun < 2.0  # 0.3 s, where it took minutes or an hour
