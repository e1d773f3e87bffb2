"""The file in which an adoption is proposed: people read it, correct it and apply it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from imagecycle import yamlfile
from imagecycle.adoption.deciding import Candidate, Verdict
from imagecycle.artifacts import write_text
from imagecycle.errors import InvalidFile, Problem, suggestion
from imagecycle.lifecycle import plan as planning
from imagecycle.metadata import property_types
from imagecycle.model import Release
from imagecycle.yamlfile import YamlFile

FORMAT = "imagecycle adoption"
_HEAD = f"""\
# Images that were published by hand, and what imagecycle would take them for. Correct families and
# releases, remove images that are to stay as they are, then: imagecycle adopt --apply FILE
# Nothing but imagecycle's own properties is added. An image that changes meanwhile is refused.
format: {FORMAT}
schema: 1
"""
_CONFLICTS = """\
# Each of these claims the release of another image. To adopt one, move it up and give it a release
# of its own, such as 20261122.1.
"""
_LEFT = "# These stay as they are.\n"
_KEYS = ("id", "name", "family", "release", "digest", "remark")
_AGAIN = "make it again with `imagecycle adopt --cloud C --patterns FILE --out FILE`"


@dataclass(frozen=True)
class Entry:
    """One image that is to be adopted."""

    image_id: str
    family: str
    release: Release
    digest: str
    """Of the image as it was when this was proposed"""


@dataclass(frozen=True)
class Proposal:
    """What a file says."""

    path: Path
    cloud: str
    project: str
    """The id of the project whose images these are"""
    entries: Sequence[Entry]


def write(path: Path, cloud: str, project: str, candidates: Iterable[Candidate]) -> None:
    """Write what was proposed; conflicts and what is left alone stand below, as comments."""
    candidates = list(candidates)

    def part(*verdicts: Verdict) -> list[dict[str, str]]:
        return [_document(one) for one in candidates if one.verdict in verdicts]

    text = _HEAD + _yaml({"cloud": cloud, "project": project, "images": part(Verdict.ADOPT)})
    if conflicts := part(Verdict.CONFLICT):
        text += "\n" + _CONFLICTS + _commented(_yaml(conflicts))
    if left := part(Verdict.LEFT):
        text += "\n" + _LEFT + _commented(_yaml(left))
    write_text(path, text)


def read(path: Path) -> Proposal:
    """Read a proposal, corrected or not.

    :raises InvalidFile: naming every mistake with its line.
    """
    file = yamlfile.read(path)
    content = file.content
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidFile([Problem(path, 1, f"not a proposal of adoption; {_AGAIN}")])
    if content.get("schema") != 1:
        place = ("schema",)
        raise InvalidFile([file.problem(place, "written by another version of imagecycle")])
    problems = [
        file.problem((key,), f"{key}: expected text")
        for key in ("cloud", "project")
        if not isinstance(content.get(key), str)
    ]
    images = content.get("images")
    if not isinstance(images, list):
        problems.append(file.problem(("images",), "images: expected a list"))
        images = []
    entries: dict[tuple[str, Release], Entry] = {}
    for number, document in enumerate(images):
        entry, wrong = _entry(file, number, document)
        problems += wrong
        if entry is None:
            continue
        first = entries.setdefault((entry.family, entry.release), entry)
        if first is not entry:
            message = f"{entry.family} {entry.release} is image {first.image_id} already"
            problems.append(file.problem(("images", number), message))
    ids = [entry.image_id for entry in entries.values()]
    problems += [
        file.problem(("images", number, "id"), f"image {document['id']} stands here twice")
        for number, document in enumerate(images)
        if isinstance(document, dict) and ids.count(str(document.get("id"))) > 1
    ]
    if problems:
        raise InvalidFile(problems)
    return Proposal(path, content["cloud"], content["project"], tuple(entries.values()))


def as_json(candidates: Iterable[Candidate]) -> str:
    """What was proposed, for programs."""
    rows = [
        {"verdict": one.verdict.value, **_document(one), "state": one.state and one.state.value}
        for one in candidates
    ]
    return json.dumps(rows, indent=2) + "\n"


def _document(one: Candidate) -> dict[str, str]:
    document = {"id": one.image.id, "name": one.image.name}
    if one.release is not None:
        document |= {"family": one.family, "release": str(one.release)}
    if one.verdict in (Verdict.ADOPT, Verdict.CONFLICT):
        document["digest"] = planning.image_digest(one.image)
    if one.remark:
        document["remark"] = one.remark
    return document


def _entry(file: YamlFile, number: int, document: Any) -> tuple[Entry | None, list[Problem]]:
    place = ("images", number)
    if not isinstance(document, dict):
        return None, [file.problem(place, "expected a section with id, family, release, digest")]
    problems = [
        file.problem((*place, key), f"unknown key {key}{suggestion(str(key), _KEYS)}")
        for key in document
        if key not in _KEYS
    ]
    expected = {
        "id": property_types.IMAGE_ID,
        "family": property_types.FAMILY,
        "release": property_types.RELEASE,
        "digest": property_types.SHA256,
    }
    for key, kind in expected.items():
        value = document.get(key)
        text = file.spot((*place, key)).text if key == "release" else value
        if key not in document:
            problems.append(file.problem(place, f"{key} is missing: expected {kind.expected}"))
        elif not isinstance(text, str) or not kind.accepts(text):
            message = f"{key}: expected {kind.expected}, found {value}"
            problems.append(file.problem((*place, key), message))
    if problems:
        return None, problems
    # without quotes, YAML takes 20261122 for a number and 20261122.10 for another one
    release = Release.parse(file.spot((*place, "release")).text)
    return Entry(document["id"], document["family"], release, document["digest"]), []


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())
