"""Messages to the projects that a retirement or a revocation affects: one for each project.

What a message says comes from a jinja2 template; its first line is the subject. The values that a
template may use are those of :data:`EXAMPLE`. An unknown one is an error before any message goes
out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from imagecycle.errors import UsageError
from imagecycle.model import ProjectUse

DEFAULT_TEMPLATE = Path(__file__).with_name("notice.txt.j2")
_SUBJECT = "subject:"


@dataclass(frozen=True)
class Fate:
    """An image, and what becomes or became of it."""

    id: str
    name: str
    family: str
    release: str
    state: str
    """``superseded``, ``retired`` or ``revoked``"""
    visibility: str
    since: str = ""
    """The day of its last change of state; empty when it is not known"""
    retires_on: str = ""
    """The day from which a superseded one is retired"""
    reason: str = ""
    successor: Mapping[str, str] | None = None
    """Id, name and release of the image to use instead"""

    @property
    def key(self) -> str:
        """What somebody is told once."""
        return f"{self.id} {self.state} {self.since}"


@dataclass(frozen=True)
class Affected:
    """A project, and the images that it uses."""

    project: str
    name: str
    addresses: tuple[str, ...]
    uses: Sequence[tuple[Fate, ProjectUse]]


@dataclass(frozen=True)
class Message:
    """What a project is told."""

    project: str
    name: str
    addresses: tuple[str, ...]
    subject: str
    body: str
    keys: tuple[str, ...]
    """Which images, in which state"""

    @property
    def id(self) -> str:
        """The same for the same news, so that a mail system can tell what came twice."""
        text = "\n".join((self.project, *self.keys))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.id,
            "project": {"id": self.project, "name": self.name},
            "to": list(self.addresses),
            "subject": self.subject,
            "body": self.body,
            "about": [key.split(" ")[0] for key in self.keys],
        }


def messages(
    affected: Sequence[Affected], *, cloud: str, signature: str = "", template: Path | None = None
) -> list[Message]:
    """One message for each project.

    :param template: the operator's; the package's own by default.
    :raises UsageError: when the template cannot be read, or uses a value that there is not.
    """
    path = template or DEFAULT_TEMPLATE
    compiled = _compiled(path)
    return [_message(each, compiled, path, cloud, signature) for each in affected]


def _compiled(path: Path) -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # plain text
    )
    try:
        return environment.from_string(path.read_text())
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {path}: {why}", hint="check --template") from None
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(
            f"{path}:{error.lineno}: {error.message}", hint="mend the template"
        ) from None


def _message(
    affected: Affected, template: jinja2.Template, path: Path, cloud: str, signature: str
) -> Message:
    images = [_values(fate, use) for fate, use in affected.uses]
    values = {
        "cloud": cloud,
        "project": {"id": affected.project, "name": affected.name},
        "images": images,
        "states": sorted({image["state"] for image in images}),
        "signature": signature,
    }
    try:
        text = template.render(values)
    except jinja2.UndefinedError as error:
        raise UsageError(
            f"{path}: {error.message}",
            hint=f"a template may use {', '.join(values)}; of an image {', '.join(images[0])}",
        ) from None
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise UsageError(f"{path}: {error}", hint="mend the template") from None
    first, _, body = text.lstrip().partition("\n")
    if not first.lower().startswith(_SUBJECT):
        raise UsageError(
            f"{path}: the message does not begin with its subject",
            hint="let the first line be `Subject: ...`",
        )
    return Message(
        affected.project,
        affected.name,
        affected.addresses,
        " ".join(first[len(_SUBJECT) :].split()),
        body.strip() + "\n",
        tuple(fate.key for fate, _ in affected.uses),
    )


def _values(fate: Fate, use: ProjectUse) -> dict[str, Any]:
    return {
        "id": fate.id,
        "name": fate.name,
        "family": fate.family,
        "release": fate.release,
        "state": fate.state,
        "visibility": fate.visibility,
        "since": fate.since,
        "retires_on": fate.retires_on,
        "reason": fate.reason,
        "successor": fate.successor,
        "servers": dict(use.servers),
        "volumes": use.volumes,
        "used_by": _used_by(use),
    }


def _used_by(use: ProjectUse) -> str:
    """``4 servers (3 ACTIVE, 1 SHUTOFF), 2 volumes``."""
    parts = []
    if total := sum(use.servers.values()):
        each = ", ".join(f"{count} {status}" for status, count in sorted(use.servers.items()))
        parts.append(f"{total} server{'' if total == 1 else 's'} ({each})")
    if use.volumes:
        parts.append(f"{use.volumes} volume{'' if use.volumes == 1 else 's'}")
    return ", ".join(parts)
