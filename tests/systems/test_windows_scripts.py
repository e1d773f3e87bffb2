"""The scripts for Windows keep to what can be read, and to a few habits."""

import re
from collections.abc import Iterator

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from imagecycle.systems import windows_script
from standin.windows.guest import unreadable

POWERSHELL = windows_script.names(".ps1")
BATCH = windows_script.names(".cmd")
COMMAND = re.compile(r"[A-Z][A-Za-z]+-[A-Z][A-Za-z]+|[a-z]+\.exe|\$\w+")
"""A cmdlet by its full name, a program, or what a variable holds: no alias"""


def nodes(script: str) -> Iterator[Node]:
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.encode())
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children)


@pytest.mark.parametrize("name", POWERSHELL)
def test_a_script_can_be_read(name: str) -> None:
    assert unreadable(windows_script.text(name)) == ""


@pytest.mark.parametrize("name", POWERSHELL)
def test_a_script_is_strict_and_ends_at_the_first_error(name: str) -> None:
    lines = [line for line in windows_script.text(name).splitlines() if not line.startswith("#")]
    code = "\n".join(lines)
    code = re.sub(r"\Aparam \((?:.|\n)*?\n\)\n", "", code)
    assert code.startswith("Set-StrictMode -Version 2.0\n$ErrorActionPreference = 'Stop'\n")


@pytest.mark.parametrize("name", POWERSHELL)
def test_a_script_says_what_it_is_for_and_uses_no_alias(name: str) -> None:
    script = windows_script.text(name)
    assert re.match(r"# [A-Z].*\.\n", script)
    assert max(map(len, script.splitlines())) <= 100
    for node in nodes(script):
        if node.type == "command_name":
            assert node.text is not None
            assert COMMAND.fullmatch(node.text.decode()), node.text


@pytest.mark.parametrize("name", BATCH)
def test_a_batch_file_has_the_ends_of_lines_that_labels_need(name: str) -> None:
    data = (windows_script.FOLDER / name).read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
