"""Catalog files put together: what a file extends, and the same file in the folders of a site.

A catalog is one folder or several, each over those before it. A file of a later folder adds to the
file of the same name in the earlier ones, and changes what it says anew. ``extends`` names another
file of the same folder or an earlier one, which is put together in the same way first; so what a
site says of one system does not reach those that extend it in an earlier folder.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagecycle import yamlfile
from imagecycle.errors import InvalidFile, Problem, suggestion
from imagecycle.yamlfile import Place, Spot, YamlFile


class Layers:
    """The folders of a catalog, the one that counts most last."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folders)
        # many files extend the same one; nobody changes what was read
        self._read = functools.cache(yamlfile.read)

    def __str__(self) -> str:
        return ", ".join(str(folder) for folder in self.folders)

    def names(self) -> list[str]:
        """The names of all catalog files, each once."""
        return sorted({path.name for folder in self.folders for path in folder.glob("*.yaml")})

    def misnamed(self) -> Iterator[Problem]:
        """Files that look like catalog files and are none, and folders that are not there."""
        for folder in self.folders:
            for path in folder.glob("*.yml"):
                yield Problem(path, 1, "expected the ending .yaml")
            if len(self.folders) > 1 and not folder.is_dir():
                yield Problem(folder, 1, "there is no such folder; see `catalog` of the site")

    def file(self, name: str) -> YamlFile:
        """A catalog file with all that it is put together from.

        :raises InvalidFile: when one of the parts is no YAML, or extends what it must not.
        """
        return self._put_together(name, len(self.folders), ())

    def template(self, name: str) -> Path | None:
        """The template of that name in the folder that counts most."""
        found = [folder / name for folder in self.folders if (folder / name).is_file()]
        return found[-1] if found else None

    def others(self, pattern: str, *names: str) -> list[str]:
        """The names of other files, to suggest one."""
        found = {path.name for folder in self.folders for path in folder.glob(pattern)}
        return sorted(found.difference(names))

    def _put_together(self, name: str, height: int, below: tuple[Path, ...]) -> YamlFile:
        """The file ``name`` of the first ``height`` folders."""
        places = [
            (level, folder / name)
            for level, folder in enumerate(self.folders[:height])
            if (folder / name).is_file()
        ]
        level, path = places[-1]
        file = self._read(path)
        if not isinstance(file.content, dict):
            return file
        parents = [self._put_together(name, level, below)] if places[:-1] else []
        if "extends" in file.content:
            parents.append(self._extended(file, level + 1, (*below, path)))
        for parent in parents:
            if not isinstance(parent.content, dict):
                return parent
        return _merged_files([*parents, _without(file, "extends")])

    def _extended(self, file: YamlFile, height: int, below: tuple[Path, ...]) -> YamlFile:
        name = file.content["extends"]
        found = [
            folder / str(name)
            for folder in self.folders[:height]
            if isinstance(name, str) and name and (folder / name).is_file()
        ]
        if found and (found[-1] in below or found[-1].name == file.path.name):
            message = f"extends: {name} extends this file"
            raise InvalidFile([file.problem(("extends",), message)])
        if not found:
            message = f"extends: there is no {name} beside this file"
            message += suggestion(str(name), self.others("*.yaml", str(name), file.path.name))
            raise InvalidFile([file.problem(("extends",), message)])
        return self._put_together(str(name), height, below)


def _without(file: YamlFile, key: str) -> YamlFile:
    content = {name: value for name, value in file.content.items() if name != key}
    return YamlFile(file.path, content, file.spots)


def _merged_files(files: Sequence[YamlFile]) -> YamlFile:
    """One file of several, those that count most last."""
    content: dict[Any, Any] = {}
    spots: dict[Place, Spot] = {}
    for file in files:
        gone = list(_taken_away(content, file.content, ()))
        content = merged(content, file.content)
        spots = {
            place: spot
            for place, spot in spots.items()
            if not any(place[: len(one)] == one for one in gone)
        }
        spots |= file.spots
    return YamlFile(files[-1].path, content, spots)


def merged(parent: Mapping[Any, Any], child: Mapping[Any, Any]) -> dict[Any, Any]:
    """Sections are merged key by key; anything else of the child replaces the parent's.

    ``null`` in the place of a section takes it away.
    """
    found = dict(parent)
    for key, value in child.items():
        if isinstance(parent.get(key), dict) and value is None:
            del found[key]
        elif isinstance(value, dict) and isinstance(parent.get(key), dict):
            found[key] = merged(parent[key], value)
        else:
            found[key] = value
    return found


def _taken_away(
    parent: Mapping[Any, Any], child: Mapping[Any, Any], place: Place
) -> Iterator[Place]:
    """The places of what a child takes away or replaces as a whole."""
    for key, value in child.items():
        if key not in parent:
            continue
        if isinstance(value, dict) and isinstance(parent[key], dict):
            yield from _taken_away(parent[key], value, (*place, str(key)))
        else:
            yield (*place, str(key))
