"""Tables of the keys that a file may have, made from the model that validates it.

The directive ``keys`` takes the model's place, such as ``imagecycle.site:Site``. Keys that stand in
the option ``:without:`` are left out, since another table explains them.
"""

import importlib
import re
import typing

import pydantic
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from command_pages import marked_up
from imagecycle import shipped


class Keys(SphinxDirective):
    """One table: key, what it expects, its default."""

    required_arguments = 1
    option_spec = {"without": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].partition(":")
        model: type[pydantic.BaseModel] = getattr(importlib.import_module(module), name)
        hidden = self.options.get("without", "").split()
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 20 55 25", ""]
        lines += ["   * - Key", "     - Meaning", "     - Default"]
        for key, field in model.model_fields.items():
            if key not in hidden:
                lines += [
                    f"   * - ``{key}``",
                    f"     - {meaning(field)}",
                    f"     - {default(field)}",
                ]
        found = nodes.Element()
        self.state.nested_parse(StringList(lines, source=__file__), self.content_offset, found)
        return found.children


def meaning(field: FieldInfo) -> str:
    """The field's description, as a sentence; values that stand at its beginning are code."""
    text = field.description or ""
    values = "|".join(re.escape(value) for value in literals(field.annotation) if value)
    if values and re.match(rf"({values})\b", text):
        text = re.sub(rf"\b({values})\b", r"`\1`", text)
    text = marked_up(text)
    return text[:1].upper() + text[1:]


def literals(kind: typing.Any) -> set[str]:
    """The words that a field of this type takes."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return {one for one in arguments if isinstance(one, str)}
    return {value for one in arguments for value in literals(one)}


def default(field: FieldInfo) -> str:
    """The value that counts when the key is absent."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, pydantic.BaseModel):
        return "see below"
    if value is None or value in ("", [], (), {}):
        return "none"
    if value in (shipped.JOBS, shipped.CATALOG, (shipped.CATALOG,)):
        return "the shipped one"
    return f"``{value}``"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("keys", Keys)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
