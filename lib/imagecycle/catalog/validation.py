"""A catalog file against its declaration: what is wrong with it, in words for its writer."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic

from imagecycle.catalog.declaration import Declaration
from imagecycle.errors import Problem, suggestion
from imagecycle.yamlfile import Place, YamlFile


def parse(file: YamlFile) -> tuple[Declaration | None, list[Problem]]:
    """A catalog file as a declaration, or all that is wrong with its keys and types."""
    try:
        return Declaration.model_validate(file.content), []
    except pydantic.ValidationError as error:
        return None, list(_problems(file, error))


def _problems(file: YamlFile, error: pydantic.ValidationError) -> Iterator[Problem]:
    seen: set[Place] = set()
    for detail in error.errors():
        place = tuple(part for part in detail["loc"] if part != "[key]")
        if place not in seen:  # one message per value is enough
            seen.add(place)
            is_key = detail["loc"][-1:] == ("[key]",) or detail["type"] == "invalid_key"
            yield file.problem(place, _words(file, place, detail["type"], is_key=is_key))


def _words(file: YamlFile, place: Place, kind: str, *, is_key: bool) -> str:
    where = ".".join(str(part) for part in place) or "the file"
    name = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        known = _keys(place[:-1])
        known_words = f"; the keys here are {', '.join(known)}"
        return f"unknown key {where}{suggestion(name, known) or known_words}"
    expected, options = _expected(place, is_key=is_key)
    if kind == "missing":
        return f"{where} is missing: expected {expected}"
    found = name if is_key else _found(file, place)
    return f"{where}: expected {expected}, found {found}{suggestion(found, options)}"


def _found(file: YamlFile, place: Place) -> str:
    """A value as its writer knows it."""
    value = file.content
    for part in place:
        value = value[part]
    if isinstance(value, dict | list):
        nothing = "an empty " if not value else "a "
        return nothing + ("section" if isinstance(value, dict) else "list")
    if value is None:
        return "nothing"
    text = file.spot(place).text or repr(value)
    if isinstance(value, str):
        if text.isdigit():
            return f'"{text}" (text; without quotes it is a number)'
        return text if text.strip() == text and text else repr(text)
    kind = {bool: "a truth value", int: "a number", float: "a number"}.get(type(value), "a date")
    return f"{text} ({kind}; in quotes it is text)"


def _expected(place: Place, *, is_key: bool) -> tuple[str, tuple[str, ...]]:
    """What a place wants, in words, and the allowed values where they are a fixed set."""
    kind, words = _kind_at(place, is_key=is_key)
    options = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
    return words or " or ".join(options) or "a section", options


def _keys(place: Place) -> list[str]:
    kind, _ = _kind_at(place, is_key=False)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return list(kind.model_fields)
    return []


def _kind_at(place: Place, *, is_key: bool) -> tuple[Any, str]:
    """The type and the description that the declaration gives to a place."""
    kind: Any = Declaration
    words = "keys such as name, distro and flavours"
    for number, part in enumerate(place):
        origin = typing.get_origin(kind)
        if origin is dict:
            kind = typing.get_args(kind)[0 if is_key and number == len(place) - 1 else 1]
            kind, words = _bare(kind)
        elif origin is list:
            kind, words = _bare(typing.get_args(kind)[0])
        elif isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            field = kind.model_fields.get(str(part))
            if field is None:
                return None, ""
            kind, words = _bare(field.annotation)[0], field.description or ""
    return kind, words or ("text" if kind is str else "")


def _bare(annotation: Any) -> tuple[Any, str]:
    """A type without what Annotated and Optional put around it, and its description."""
    words = ""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) is Annotated:
        annotation, field = typing.get_args(annotation)[:2]
        words = field.description or ""
    return annotation, words
