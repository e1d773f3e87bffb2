"""Every word of the panels can be translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import imagecycle_dashboard

FOLDER = Path(imagecycle_dashboard.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.parent.name != "enabled")
_BLOCK = re.compile(r"{% blocktrans.*?%}(.*?){% endblocktrans %}", re.DOTALL)
_TRANS = re.compile(r"""{% trans (?:"([^"]*)"|'([^']*)') %}""")
_PLURAL = re.compile(r"{% plural %}")
_SHOWN_ATTRIBUTES = re.compile(r'(?:aria-label|title|placeholder|alt|data-label)="([^"]*)"')
_NOT_SHOWN = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def known() -> set[str]:
    """What the file for translators holds."""
    text = (FOLDER / "locale" / "django.pot").read_text()
    strings = re.findall(r'^msgid(?:_plural)? ((?:"(?:[^"\\]|\\.)*"\n?)+)', text, re.MULTILINE)
    return {"".join(ast.literal_eval(line) for line in one.splitlines()) for one in strings}


def of_template(path: Path) -> Iterator[str]:
    text = path.read_text()
    for block in _BLOCK.findall(text):
        for part in _PLURAL.split(block):
            words = re.sub(r"{{ *(\w+) *}}", r"%(\1)s", part)
            yield " ".join(line.strip() for line in words.strip().splitlines())
    for quoted in _TRANS.findall(text):
        yield "".join(quoted)


def of_module(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            yield ast.literal_eval(node.args[0])


def test_the_file_for_translators_has_every_word_and_no_other() -> None:
    """``scripts/messages`` makes it."""
    used = {word for path in TEMPLATES for word in of_template(path)}
    used |= {word for path in MODULES for word in of_module(path)}
    assert len(used) > 100
    assert used == known() - {""}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_word_outside_of_translation(path: Path) -> None:
    text = _TRANS.sub("", _BLOCK.sub("", path.read_text()))
    spoken = _SHOWN_ATTRIBUTES.findall(text)
    shown = re.sub(r"<[^>]*>", " ", _NOT_SHOWN.sub(" ", text))
    for part in (shown, *(_NOT_SHOWN.sub("", one) for one in spoken)):
        assert not re.search(r"[A-Za-z]", part), part.strip()


def test_pages_and_panels_have_translated_names() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                named = node.targets[0].id in ("page_title", "name")
                assert not (named and isinstance(node.value, ast.Constant)), (path, node.lineno)
