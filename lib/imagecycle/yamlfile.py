"""YAML files that people write: their content, and the line that each value stands on.

Keys that occur twice are refused; YAML itself would silently take the last one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from imagecycle.errors import InvalidFile, Problem

Place = tuple[str | int, ...]
"""The way to a value: the keys and list positions from the top of the file."""


@dataclass(frozen=True)
class Spot:
    """Where a value stands, and how it is written there (empty unless it is a plain value)."""

    path: Path
    line: int
    text: str = ""


@dataclass(frozen=True)
class YamlFile:
    """The content of a file as plain Python values, with the spot of every value."""

    path: Path
    content: Any
    spots: dict[Place, Spot] = field(repr=False)

    def spot(self, place: Place) -> Spot:
        """Where a value stands; for a missing one, where it would belong."""
        found: Place = ()
        for part in place:
            for name in (part, str(part)):  # a key such as 12 has a spot as "12"
                if (*found, name) in self.spots:
                    found = (*found, name)
                    break
            else:
                break
        return self.spots.get(found, Spot(self.path, 1))

    def problem(self, place: Place, message: str) -> Problem:
        """A mistake at a place in this file."""
        spot = self.spot(place)
        return Problem(spot.path, spot.line, message)


def read(path: Path) -> YamlFile:
    """Read a file with one YAML document.

    :raises InvalidFile: when it cannot be read, is not YAML or has a key twice.
    """
    with _mistakes_named(path):
        text = path.read_text(encoding="utf-8")
        node = _composed(text, path)
        if node is None:
            return YamlFile(path, None, {})
        spots = dict(_spots(node, path, (), ()))  # before merged keys are put into their places
        return YamlFile(path, _Loader("").construct_document(node), spots)


def check(path: Path) -> None:
    """See that a file is YAML, whatever its tags mean, and has no key twice.

    :raises InvalidFile: when that is not so, or it cannot be read.
    """
    with _mistakes_named(path):
        _composed(path.read_text(encoding="utf-8"), path)


def _composed(text: str, path: Path) -> yaml.Node | None:
    node = _nodes(text)
    if node is not None and (doubles := list(_doubles(node, path, set()))):
        raise InvalidFile(doubles)
    return node


def _nodes(text: str) -> yaml.Node | None:
    """What the text is made of, read by libyaml where PyYAML has it, which takes a sixth as long.

    PyYAML's own parser says more clearly what is wrong, so it has the word then.
    """
    node: yaml.Node | None
    with contextlib.suppress(yaml.YAMLError, AttributeError):
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        return node
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return node


@contextlib.contextmanager
def _mistakes_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidFile([Problem(path, 1, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidFile([Problem(path, line, "expected text in UTF-8")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"not YAML: {error.problem or error.context}"
        raise InvalidFile([Problem(path, mark.line + 1 if mark else 1, message)]) from None
    except yaml.YAMLError as error:
        message = f"not YAML: {str(error).splitlines()[0]}"
        raise InvalidFile([Problem(path, 1, message)]) from None


class _Loader(yaml.SafeLoader):
    """Names the line of a value that looks like a date and is none, such as 2028-06-31."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, str(error), node.start_mark
            ) from None


def _doubles(node: yaml.Node, path: Path, seen: set[int]) -> Iterator[Problem]:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in first:
                    message = f"{key.value} stands here a second time; first on line "
                    yield Problem(path, line, message + str(first[key.value]))
                first.setdefault(key.value, line)
            yield from _doubles(value, path, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _doubles(item, path, seen)


def _spots(
    node: yaml.Node, path: Path, place: Place, above: tuple[int, ...]
) -> Iterator[tuple[Place, Spot]]:
    if id(node) in above:  # an alias of something that it is part of
        return
    above = (*above, id(node))
    if not place:
        yield place, Spot(path, node.start_mark.line + 1)
    children: list[tuple[str | int, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        children = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        children = [(number, item, item) for number, item in enumerate(node.value)]
    for name, start, value in children:
        text = value.value if isinstance(value, yaml.ScalarNode) else ""
        yield (*place, name), Spot(path, start.start_mark.line + 1, text)
        yield from _spots(value, path, (*place, name), above)
