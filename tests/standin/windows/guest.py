"""A Windows machine as far as WinRM shows it: what it answers to which command and script.

It runs no PowerShell. A script must be readable to the grammar of PowerShell, and it must be known
word for word: what nobody has declared is answered as Windows answers an unknown command, and is
remembered as a complaint, which fails the test.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

import tree_sitter_powershell
from tree_sitter import Language, Parser

from imagecycle.machine.winrm_script import BOOTSTRAP

BOOT_TIME = "(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"
_ASSIGNMENT = re.compile(r"\$(\w+) = '((?:[^']|'')*)'\n")
_ENCODED = re.compile(r"powershell(?:\.exe)?\s.*-encodedcommand\s+(\S+)\s*", re.I | re.S)
_RESTART = re.compile(r"shutdown(?:\.exe)? /r( /[a-z]+( \S+)?)*", re.I)


@dataclass(frozen=True)
class Answer:
    """What a command prints, part by part: seconds to wait first, stream, bytes."""

    parts: tuple[tuple[float, str, bytes], ...] = ()
    status: int = 0
    restarts: bool = False
    wants_input: bool = False


def said(text: str, status: int = 0) -> Answer:
    """An answer that comes at once."""
    return Answer(((0.0, "stdout", text.encode()),), status)


def failed(message: str, status: int = 1) -> Answer:
    """PowerShell's error, written in XML as it does when its standard error is no console."""
    lines = "".join(
        f'<S S="Error">{escape(line)}_x000D__x000A_</S>' for line in message.split("\n")
    )
    document = (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" '
        'xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Object</T></TN><MS><S N="Activity">'
        f"Preparing modules for first use.</S></MS></Obj>{lines}</Objs>"
    )
    return Answer(((0.0, "stderr", document.encode()),), status)


@dataclass
class Guest:
    """What one machine is and knows."""

    hostname: str = "WIN-STANDIN"
    version: str = "10.0.20348.2700"
    boots: int = 1
    commands: dict[str, Answer] = field(default_factory=dict)
    """Lines of cmd.exe"""
    scripts: dict[str, Callable[[dict[str, str]], Answer]] = field(default_factory=dict)
    """PowerShell scripts by their text; the function gets the values that come before it"""
    complaints: list[str] = field(default_factory=list)
    on_restart: list[Callable[[], None]] = field(default_factory=list)
    """What else happens when the machine restarts"""

    def answer(self, line: str, stdin: bytes | None) -> Answer:
        """What the machine answers.

        :param stdin: None while standard input is open; an answer may want it first.
        """
        if line in self.commands:
            return self.commands[line]
        if encoded := _ENCODED.fullmatch(line):
            script = base64.b64decode(encoded[1]).decode("utf-16-le")
            if script != BOOTSTRAP:
                return self._script(script)
            if stdin is None:
                return Answer(wants_input=True)
            return self._script(base64.b64decode(stdin, validate=True).decode())
        if _RESTART.fullmatch(line):
            return Answer(restarts=True)
        if ended := re.fullmatch(r"exit (?:/b )?(-?\d+)", line):
            return Answer(status=int(ended[1]))
        if line == "hostname":
            return said(f"{self.hostname}\r\n")
        if line == "ver":
            return said(f"\r\nMicrosoft Windows [Version {self.version}]\r\n")
        self.complaints.append(f"unknown command: {line}")
        word = line.split()[0] if line.strip() else ""
        text = (
            f"'{word}' is not recognized as an internal or external command,\r\n"
            "operable program or batch file.\r\n"
        )
        return Answer(((0.0, "stderr", text.encode()),), 1)

    def _script(self, text: str) -> Answer:
        if problem := unreadable(text):
            return failed(f"{problem}\n    + FullyQualifiedErrorId : ParserError")
        values, text = assignments(text)
        if text in self.scripts:
            return self.scripts[text](values)
        if text == BOOT_TIME:
            return said(f"{133_000_000_000_000_000 + self.boots}\r\n")
        self.complaints.append(f"unknown script: {text}")
        return failed("The term is not recognized as the name of a cmdlet\n    + CommandNotFound")


def assignments(text: str) -> tuple[dict[str, str], str]:
    """The variables that are set before a script, and the script."""
    values: dict[str, str] = {}
    while assignment := _ASSIGNMENT.match(text):
        values[assignment[1]] = assignment[2].replace("''", "'")
        text = text[assignment.end() :]
    return values, text


def unreadable(script: str) -> str:
    """What is wrong with a script's grammar; nothing when it can be read."""
    source = script.encode()
    tree = Parser(Language(tree_sitter_powershell.language())).parse(source)
    if not tree.root_node.has_error:
        return ""
    stack = [tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            line, column = node.start_point
            rest = source[node.start_byte : node.start_byte + 40].decode(errors="replace")
            return f"At line:{line + 1} char:{column + 1}: {rest}"
        stack.extend(
            child for child in reversed(node.children) if child.has_error or child.is_missing
        )
    return "unreadable"
