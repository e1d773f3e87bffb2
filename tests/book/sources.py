"""The documentation as its readers copy from it: blocks of code, inline code, commands in both."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from docutils import nodes
from docutils.core import publish_doctree

from imagecycle.cli import imagecycle

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
LIKE_SPHINX = """
.. role:: doc(literal)
.. role:: ref(literal)
.. role:: option(literal)

"""
"""What only Sphinx knows; the build of the book checks its links"""
ONLY_SPHINX = re.compile(
    r"^\.\. (toctree|keys|command-summaries|literalinclude|include|_)[^\n]*(\n( +[^\n]*)?)*", re.M
)
PLACEHOLDER = re.compile(r"\.\.\.|\[|\||\]")
OPTION = re.compile(r"--[a-z][a-z-]*")


def documents() -> list[Path]:
    """Everything that is documentation."""
    return [*sorted(ROOT.glob("*.rst")), *sorted((ROOT / "docs").glob("*.rst"))]


@dataclass(frozen=True)
class Block:
    """A literal block, or inline code (whose language is ``inline``)."""

    file: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """All code of a document; a block whose language is not given has the language ``none``."""
    text = ONLY_SPHINX.sub(lambda found: "\n" * found[0].count("\n"), path.read_text())
    settings = {"report_level": 3, "halt_level": 3}
    tree = publish_doctree(LIKE_SPHINX + text, str(path), settings_overrides=settings)
    offset = LIKE_SPHINX.count("\n")
    for node in tree.findall():
        if isinstance(node, nodes.literal_block):
            language = next((name for name in node["classes"] if name != "code"), "none")
        elif isinstance(node, nodes.literal):
            language = "inline"
        else:
            continue
        yield Block(path.name, (node.line or _line(node)) - offset, language, node.astext())


def _line(node: nodes.Node) -> int:
    while node.parent is not None and node.line is None:
        node = node.parent
    return node.line or 0


@dataclass(frozen=True)
class Command:
    """A call of imagecycle, or of another script of the checkout, as the documentation shows it."""

    where: str
    words: tuple[str, ...]
    """Without the program: ``build``, ``FAMILY``; or the name of a script that is no command"""
    is_inline: bool

    @property
    def is_whole(self) -> bool:
        """Whether it can be typed as it stands, and is no mere name of a command."""
        chain, rest = resolve(self.words)
        if isinstance(chain[-1], click.Group) or "--help" in rest or (self.is_inline and not rest):
            return False
        return not any(PLACEHOLDER.search(word) for word in self.words)


def commands(block: Block) -> Iterator[Command]:
    """The calls in a block. Inline code counts when it looks like a call."""
    text = block.text.replace("\n" if block.language == "inline" else "\\\n", " ")
    for line in text.splitlines():
        for words in _simple_commands(line.strip().removeprefix("$ ")):
            if called := _called(words):
                yield Command(f"{block}: {line.strip()}", called, block.language == "inline")


def _simple_commands(line: str) -> Iterator[list[str]]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # an apostrophe in what a command prints
        return
    found: list[str] = []
    for word in [*words, "|"]:
        if word in ("|", "&&", ";", ">"):
            yield found
            found = []
        else:
            found.append(word)


def _called(words: list[str]) -> tuple[str, ...]:
    words = words[1:] if words[:1] == ["sudo"] else words
    if not words:
        return ()
    folder, _, name = words[0].rpartition("/")
    if folder.endswith("scripts") and name not in ("", "imagecycle"):
        return (name, *words[1:])
    return tuple(words[1:]) if name == "imagecycle" else ()


def resolve(words: tuple[str, ...]) -> tuple[list[click.Command], list[str]]:
    """The command that is called with the groups above it, and the words after its name."""
    chain: list[click.Command] = [imagecycle]
    rest = list(words)
    while isinstance(chain[-1], click.Group) and rest:
        if rest[0].startswith("-"):
            del rest[: 2 if rest[0] == "--site" else 1]
            continue
        below = chain[-1].commands.get(rest[0])
        if below is None:
            break
        chain.append(below)
        del rest[0]
    return chain, rest


def options(chain: list[click.Command]) -> set[str]:
    """The options that a command and the groups above it know."""
    own = {
        name
        for command in chain
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return {*own, "--help", "-h"}
