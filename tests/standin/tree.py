"""Jenkins's ``tree``: which fields of a document are asked for, and how many of a list."""

from __future__ import annotations

import re
from typing import Any


def pruned(document: Any, tree: str) -> Any:
    """A document with only what ``tree`` asks for; as it is without one."""
    return _pruned(document, _parsed(tree)) if tree else document


def _parsed(tree: str) -> dict[str, Any]:
    """``a,b[c]{0,5}`` as ``{a: (None, None), b: ({c: ...}, 5)}``."""
    tokens = iter([*re.findall(r"\{\d*,\d*\}|[\[\],]|[^\[\],{}]+", tree), "]"])
    return _fields(tokens)


def _fields(tokens: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    last = ""
    for token in tokens:
        if token == "]":
            break
        if token == "[":
            found[last] = (_fields(tokens), None)
        elif token.startswith("{"):
            found[last] = (found[last][0], int(token.strip("{}").split(",")[1]))
        elif token != ",":
            last = token
            found[last] = (None, None)
    return found


def _pruned(document: Any, fields: dict[str, Any]) -> Any:
    if isinstance(document, list):
        return [_pruned(one, fields) for one in document]
    if not isinstance(document, dict):
        return document
    shown: dict[str, Any] = {"_class": "hudson.model.Thing"}
    for name, (inner, limit) in fields.items():
        if name in document:
            value = document[name]
            value = value[:limit] if limit is not None else value
            shown[name] = _pruned(value, inner) if inner is not None else value
    return shown
