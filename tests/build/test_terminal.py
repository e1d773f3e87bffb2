"""What a terminal shows that was written to."""

from __future__ import annotations

import pytest

from imagecycle.build.terminal import Terminal


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"one\r\ntwo", ["one", "two", ""]),
        (b"one\r\ntwo\r\nthree\r\nfour", ["two", "three", "four"]),  # it scrolls
        (b"\x1b[2;3Hat\x1b[1;1Hfirst", ["first", "  at", ""]),
        (b"wrong\rright\x1b[K", ["right", "", ""]),
        (b"abcdef\x1b[3D\x1b[K", ["abc", "", ""]),
        (b"old\x1b[2J\x1b[Hnew", ["new", "", ""]),
        (b"a\r\nb\r\nc\x1b[2;1H\x1b[J", ["a", "", ""]),
        (b"a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c", ""]),
        (b"a\r\nb\x1b[1;1H\x1b[Lx", ["x", "a", "b"]),
        (b"abc\x1b[1;2H\x1b[P", ["ac", "", ""]),
        (b"ac\x1b[1;2H\x1b[@b", ["abc", "", ""]),
        (b"\x1b[1;31mred\x1b[0m", ["red", "", ""]),
        (b"\x1b(0lqqk\x1b(Bl", ["    l", "", ""]),  # lines, which are drawn with letters
        (b"\x1b)0\x0eqq\x0fq", ["  q", "", ""]),
        ("\u250c\u2500 a".encode(), ["   a", "", ""]),
        (b"12345678901", ["1234567890", "1", ""]),
        (b"\x1b[99;99H\x1b[99;99Hx\x1b[0;0Hy", ["y", "", "         x"]),
    ],
)
def test_it_shows_what_is_meant(said: bytes, shown: list[str]) -> None:
    terminal = Terminal(3, 10)
    terminal.write(said)
    assert terminal.lines() == shown


def test_nothing_that_is_written_breaks_it() -> None:
    terminal = Terminal(3, 10)
    for word in "@ABCDGHJKLMPXdfhlmr":
        for numbers in ("", "0", "1", "99", "2;1", "1;99", "?25", ";", "0;0;0"):
            terminal.write(f"text\x1b[{numbers}{word}text\r\n".encode())
    terminal.write(bytes(range(256)))
    assert [len(row) for row in terminal._cells] == [10, 10, 10]
