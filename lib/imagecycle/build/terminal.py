"""What a terminal shows that was written to: for installers that draw dialogs on a serial console.

Knows of ECMA-48 and the VT102 what such programs use: positions, erasing, scrolling, and the set of
characters for lines, which become blanks here. Colours are left out. A guest may write anything: a
library for this, pyte 0.8.2, ends with a TypeError where a sequence has more numbers than expected.
"""

from __future__ import annotations

import re

ROWS, COLUMNS = 24, 80
"""Of a serial console that nobody has told its size"""

_TOKEN = re.compile(
    r"\x1b\[(?P<numbers>[0-9;?]*)(?P<word>[@A-Za-z])|\x1b(?P<set>[()])(?P<name>[0-9A-Z])"
    r"|\x1b(?P<short>.)|(?P<control>[\x00-\x1f])|(?P<text>[^\x00-\x1f]+)",
    re.DOTALL,
)
_LINES = str.maketrans(dict.fromkeys("`afgjklmnopqrstuvwx~", " "))
"""What the letters are in the set of characters for lines, as far as it is drawn with"""
_OTHER_LINES = re.compile("[\u2500-\u259f]")


class Terminal:
    """A screen of rows and columns, with a cursor."""

    def __init__(self, rows: int = ROWS, columns: int = COLUMNS) -> None:
        self.rows, self.columns = rows, columns
        self._reset()

    def _reset(self) -> None:
        self._row = self._column = 0
        self._top, self._bottom = 0, self.rows
        self._cells = [self._blank() for _ in range(self.rows)]
        self._draws = {"(": False, ")": True}
        self._set = "("

    def write(self, said: bytes) -> None:
        """Take in what a program has written."""
        for token in _TOKEN.finditer(said.decode(errors="replace")):
            if text := token["text"]:
                self._put(text)
            elif token["control"]:
                self._control(token["control"])
            elif token["word"]:
                numbers = [int(one or 0) for one in token["numbers"].lstrip("?").split(";")]
                self._obey(token["word"], numbers)
            elif token["set"]:
                self._draws[token["set"]] = token["name"] == "0"
            elif token["short"] == "M":
                self._up()
            elif token["short"] == "c":
                self._reset()

    def lines(self) -> list[str]:
        """The rows, without blanks at their ends."""
        return ["".join(row).rstrip() for row in self._cells]

    def _blank(self) -> list[str]:
        return [" "] * self.columns

    def _put(self, text: str) -> None:
        if self._draws[self._set]:
            text = text.translate(_LINES)
        for letter in _OTHER_LINES.sub(" ", text):
            if self._column >= self.columns:
                self._column = 0
                self._down()
            self._cells[self._row][self._column] = letter
            self._column += 1

    def _control(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._down()
        elif letter == "\b":
            self._column = max(0, min(self._column, self.columns) - 1)
        elif letter == "\t":
            self._column = min(self.columns - 1, (self._column // 8 + 1) * 8)
        elif letter in "\x0e\x0f":
            self._set = ")" if letter == "\x0e" else "("

    def _down(self) -> None:
        if self._row + 1 == self._bottom:
            del self._cells[self._top]
            self._cells.insert(self._bottom - 1, self._blank())
        else:
            self._row = min(self.rows - 1, self._row + 1)

    def _up(self) -> None:
        if self._row == self._top:
            del self._cells[self._bottom - 1]
            self._cells.insert(self._top, self._blank())
        else:
            self._row = max(0, self._row - 1)

    def _obey(self, word: str, numbers: list[int]) -> None:
        first = max(1, numbers[0])
        row = self._cells[self._row]
        column = min(self._column, self.columns - 1)
        if word in "Hf":
            self._move(first - 1, max(1, *numbers[1:2], 0) - 1)
        elif word == "d":
            self._move(first - 1, column)
        elif word in "G`":
            self._move(self._row, first - 1)
        elif word in "ABCD":
            down, right = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[word]
            self._move(self._row + down * first, column + right * first)
        elif word == "J":
            self._erase(numbers[0])
        elif word == "K":
            begin = column if numbers[0] == 0 else 0
            end = column + 1 if numbers[0] == 1 else self.columns
            row[begin:end] = " " * (end - begin)
        elif word == "X":
            end = min(self.columns, column + first)
            row[column:end] = " " * (end - column)
        elif word == "P":
            self._cells[self._row] = (row[:column] + row[column + first :] + self._blank())[
                : self.columns
            ]
        elif word == "@":
            self._cells[self._row] = (row[:column] + [" "] * first + row[column:])[: self.columns]
        elif word in "LM":
            for _ in range(min(first, self.rows)):
                gone, new = (self._bottom - 1, self._row) if word == "L" else (self._row, None)
                del self._cells[gone]
                self._cells.insert(self._bottom - 1 if new is None else new, self._blank())
        elif word == "r":
            end = max([*numbers[1:2], 0]) or self.rows
            if first - 1 < end <= self.rows:
                self._top, self._bottom = first - 1, end
                self._move(0, 0)

    def _move(self, row: int, column: int) -> None:
        self._row = max(0, min(self.rows - 1, row))
        self._column = max(0, min(self.columns - 1, column))

    def _erase(self, part: int) -> None:
        column = min(self._column, self.columns - 1)
        for number, row in enumerate(self._cells):
            if part == 2 or (number > self._row if part == 0 else number < self._row):
                row[:] = self._blank()
        row = self._cells[self._row]
        if part == 0:
            row[column:] = " " * (self.columns - column)
        elif part == 1:
            row[: column + 1] = " " * (column + 1)
