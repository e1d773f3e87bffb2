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

OWNER = re.compile(r"[A-Za-z0-9_.-]+")
_MARK = re.compile(
    r"<!-- imagecycle owner=(?P<owner>[A-Za-z0-9_.-]+) job=(?P<job>\S+)"
    r" sha256=(?P<digest>[0-9a-f]{64}) -->"
)


_JOB_BUILDERS = re.compile(r"<!-- Managed by Jenkins Job Builder -->")
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
    """The SHA-256 of XML, the same in whichever order its writer puts attributes."""
    return hashlib.sha256(ET.canonicalize(xml).encode()).hexdigest()


def put(xml: str, mark: Mark) -> str:
    """A job's or view's XML with the mark at the end of its description."""
    root = ET.fromstring(xml)
    described = root.find("description")
    if described is None:
        described = ET.Element("description")
        root.insert(0, described)
    text = _JOB_BUILDERS.sub("", _MARK.sub("", described.text or "")).rstrip()
    described.text = f"{text}\n\n{mark}".lstrip()
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
