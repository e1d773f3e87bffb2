"""What Windows prints, as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

_CLIXML = "#< CLIXML"
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")


def without_clixml(output: str) -> str:
    """What PowerShell means when it writes objects in XML to a standard error that is no console.

    Errors and warnings are kept; reports of progress are not. Text around the XML stays.
    """
    kept = []
    for piece in re.split(rf"(?={_CLIXML}\r?\n)", output):
        document = re.match(rf"{_CLIXML}\r?\n(<Objs.*?</Objs>)(.*)", piece, re.DOTALL)
        kept.append(piece if document is None else _said(document[1]) + document[2])
    return "".join(kept)


def _said(document: str) -> str:
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError:
        return document  # cut off: better as it is than not at all
    lines = [node.text or "" for node in root.iter() if _is_text(node)]
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), "".join(lines))


def _is_text(node: ElementTree.Element) -> bool:
    return node.tag.endswith("}S") and node.get("S", "") in ("Error", "error", "warning", "Warning")


def clean(output: bytes, secrets: tuple[str, ...] = ()) -> str:
    """Output in UTF-8 with plain ends of lines, errors readable, and ``***`` for every secret."""
    text = without_clixml(output.decode("utf-8", errors="replace").replace("\r\n", "\n"))
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text.replace("\r\n", "\n")


def last_line(output: bytes) -> str:
    """The last line that says something."""
    lines = clean(output).strip().splitlines()
    return lines[-1].strip() if lines else ""
