"""Runs in Horizon's own Python: writes a translation that marks every text, to see which have none.

Arguments: the file for translators, and the folder to write ``LANGUAGE/LC_MESSAGES/django.mo`` in.
"""

import io
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

LANGUAGE = "de"
"""One of Horizon's own, so that it takes it from a browser"""


def main(template: str, folder: str) -> None:
    """Write it."""
    pofile: Any = import_module("babel.messages.pofile")
    mofile: Any = import_module("babel.messages.mofile")
    text = Path(template).read_text()
    text = text.replace("nplurals=INTEGER; plural=EXPRESSION", "nplurals=2; plural=(n != 1)")
    catalog = pofile.read_po(io.StringIO(text), locale=LANGUAGE)
    for message in catalog:
        if message.id:
            plural = isinstance(message.id, tuple)
            message.string = tuple(map(marked, message.id)) if plural else marked(message.id)
            message.flags.discard("fuzzy")
    place = Path(folder) / LANGUAGE / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / "django.mo").open("wb") as stream:
        mofile.write_mo(stream, catalog)


def marked(text: str) -> str:
    """A text that can be told from one without a translation."""
    return f"\u27e6{text}\u27e7"


if __name__ == "__main__":
    main(*sys.argv[1:])
