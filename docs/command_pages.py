"""A page of the book for each command, made from its help, and the list of commands.

The pages are written to ``docs/commands`` whenever the book is built, and are not kept in the
repository. The directive ``command-summaries`` lists the commands with one sentence for each.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from imagecycle.cli import imagecycle

FOLDER = "commands"
WIDTH = 10_000
"""Of a click context: lines are not to be wrapped here."""


def write_pages(app: Sphinx) -> None:
    """Write what has changed, and remove pages of commands that are gone."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    pages = {f"{name}.rst": page(name) for name in imagecycle.commands}
    pages["index.rst"] = index()
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            part = path.with_suffix(".partial")
            part.write_text(text)
            part.replace(path)


def index() -> str:
    """The page that lists all commands."""
    lines = [
        *title("Commands", "="),
        "Each command explains itself with ``--help``; these pages are made from the same text.",
        "",
        ".. command-summaries::",
        "",
        *title("Options of all commands", "-"),
        *describe_options(imagecycle, context_of(imagecycle, None)),
        ".. toctree::",
        "   :hidden:",
        "",
        *(f"   {name}" for name in sorted(imagecycle.commands)),
    ]
    return "\n".join(lines) + "\n"


def page(name: str) -> str:
    """The page of a command, with all commands below it."""
    return "\n".join(section(imagecycle.commands[name], context_of(imagecycle, None), "=-")) + "\n"


def section(command: click.Command, parent: click.Context, underlines: str) -> Iterator[str]:
    """What there is to say about a command: its usage, its help, its options."""
    context = context_of(command, parent)
    yield from title(context.command_path, underlines[0])
    yield from (
        "::",
        "",
        f"    {context.command_path} {' '.join(command.collect_usage_pieces(context))}",
    )
    yield ""
    yield from prose(command.help or "")
    yield from describe_options(command, context)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from section(below, context, underlines[1:])


def context_of(command: click.Command, parent: click.Context | None) -> click.Context:
    """As at a terminal that is never too narrow."""
    return click.Context(
        command,
        parent=parent,
        info_name=command.name,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
    )


def describe_options(command: click.Command, context: click.Context) -> Iterator[str]:
    """The options as Sphinx's own, so that other pages can refer to them."""
    yield from (f".. program:: {context.command_path}", "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            names = re.sub(r" / | \| ", ", ", record[0])
            yield from (f".. option:: {names}", "", f"    {marked_up(record[1])}", "")


def title(text: str, underline: str) -> list[str]:
    """A heading."""
    return [text, underline * len(text), ""]


def prose(text: str) -> Iterator[str]:
    """Paragraphs of a help text; those that click does not wrap stay as they are."""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from ("::", "", *(f"    {line}" for line in paragraph.splitlines()[1:]), "")
        else:
            yield from (marked_up(" ".join(paragraph.split())), "")


def marked_up(text: str) -> str:
    """Plain text with code between single backticks, as reStructuredText."""
    parts = text.split("`")
    for number, part in enumerate(parts):
        parts[number] = f"``{part}``" if number % 2 else re.sub(r"([\\*_|])", r"\\\1", part)
    return "".join(parts)


class CommandSummaries(SphinxDirective):
    """All commands with their first sentence; in HTML each is a link to its page."""

    def run(self) -> list[nodes.Node]:
        linked = self.env.app.builder.format == "html"
        lines = []
        for name, command in sorted(imagecycle.commands.items()):
            term = f":doc:`/{FOLDER}/{name}`" if linked else f"**{name}**"
            summary = command.get_short_help_str(WIDTH)
            lines += [term, f"    {marked_up(summary)}", ""]
        found = nodes.Element()
        self.state.nested_parse(StringList(lines, source=__file__), self.content_offset, found)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks which there are."""
    app.connect("builder-inited", write_pages)
    app.add_directive("command-summaries", CommandSummaries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
