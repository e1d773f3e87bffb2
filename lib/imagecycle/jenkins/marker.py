"""The mark by which a job or view is known as one of this library's.

It is a comment at the end of the description, where it survives every edit that leaves the
description alone, and comes with the list of all jobs in one request. It names the owner, so that
two libraries can share a controller; the job, so that a copy or a renamed job is nobody's; and the
digest of what was sent, so that what is unchanged is not sent again.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.parsers import expat
from xml.sax.saxutils import escape

OWNER = re.compile(r"[A-Za-z0-9_.-]+")
_MARK = re.compile(
    r"<!-- imagecycle owner=(?P<owner>[A-Za-z0-9_.-]+) job=(?P<job>\S+)"
    r" sha256=(?P<digest>[0-9a-f]{64}) -->"
)


_JOB_BUILDERS = "<!-- Managed by Jenkins Job Builder -->"
"""With this one in it, ``jenkins-jobs --delete-old`` of another library would delete our jobs"""


@dataclass(frozen=True)
class Mark:
    """Who owns a job, which one it was made as, and the digest of its XML."""

    owner: str
    job: str
    digest: str

    def __str__(self) -> str:
        job = quote(self.job, safe="/")
        return f"<!-- imagecycle owner={self.owner} job={job} sha256={self.digest} -->"


def find(description: str) -> Mark | None:
    """The mark in a description, if there is one; of several the last."""
    found = list(_MARK.finditer(description or ""))
    if not found:
        return None
    last = found[-1]
    return Mark(last["owner"], unquote(last["job"]), last["digest"])


def digest(xml: str) -> str:
    """The SHA-256 of a job's XML as it is rendered."""
    return hashlib.sha256(xml.encode()).hexdigest()


def put(xml: str, mark: Mark) -> str:
    """A job's or view's XML with the mark at the end of its description, otherwise as it was."""
    data = xml.replace(escape(_JOB_BUILDERS), "").encode()
    end = _end_of_description(data)
    if end is None:
        return _put_new(xml, mark)
    before = data[:end].rstrip()
    gap = b"" if before.endswith(b">") else b"\n\n"
    return (before + gap + escape(str(mark)).encode() + data[end:]).decode()


def _end_of_description(data: bytes) -> int | None:
    """Where the end tag of the root's description begins; the rest is not even read."""
    depth = 0
    parser = expat.ParserCreate()

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        if depth == 1 and name == "description":
            raise _Found(parser.CurrentByteIndex)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)
    except _Found as found:
        return found.place if data.startswith(b"</", found.place) else None
    return None


class _Found(Exception):
    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def _put_new(xml: str, mark: Mark) -> str:
    """The same where there is no description, or an empty one."""
    root = ET.fromstring(xml)
    described = root.find("description")
    if described is None:
        described = ET.Element("description")
        root.insert(0, described)
    described.text = str(mark)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
