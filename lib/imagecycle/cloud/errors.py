"""What OpenStack's client library raises, in words for people.

A service that does not answer or answers 5xx is an :class:`~imagecycle.errors.Unreachable`; an
answer that says no is a :class:`Refused` with its status. Both name the cloud and what was asked.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from html import unescape

from imagecycle.errors import ImagecycleError, Unreachable

_REASON_LIMIT = 300

_HINTS = {
    400: "the cloud does not take this request; its log says why",
    401: "check user, password and project of that entry in clouds.yaml",
    403: "ask the cloud's operator for the role that this needs",
    404: "it was removed meanwhile; run this again",
    409: "somebody else changes the same image; wait until that ends, then run this again",
    413: "the cloud's image store or the project's quota is full; make room, then run this again",
    429: "wait a while, then run this again",
}


class Refused(ImagecycleError):
    """A cloud answered that it will not do what was asked."""

    def __init__(self, message: str, status: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or _HINTS.get(status, "read the cloud's log"))
        self.status = status


class Incomplete(ImagecycleError):
    """A listing that may lack something, so that nothing may be decided from it."""


class Protected(Refused):
    """Glance is configured to keep a property from us (``property_protection_file``)."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(
            message,
            403,
            hint=f"Glance protects the property {name}: ask the cloud's operator to let this user "
            "create, update and delete imagecycle's properties (docs/metadata.rst)",
        )


@contextlib.contextmanager
def explained(cloud: str, doing: str, *, hints: Mapping[int, str] | None = None) -> Iterator[None]:
    """Turn the client library's exceptions into ours.

    :param doing: what was asked for, after the word "cannot": ``list images``.
    :param hints: what to do about an answer of 4xx, by its status, where it is something special.
    :raises Refused: for an answer of 4xx.
    :raises Unreachable: for an answer of 5xx, none, or none in time.
    """
    from keystoneauth1 import exceptions
    from requests.exceptions import InvalidJSONError, RequestException

    away = f"check that the cloud is up, then run this again{_start_hint(cloud)}"
    try:
        yield
    except exceptions.Unauthorized:
        raise Refused(f"{cloud}: Keystone refuses these credentials", 401) from None
    except exceptions.HttpError as error:
        status = error.http_status or 0
        message = f"{cloud}: cannot {doing}: {status} {_reason(error)}".rstrip()
        if status >= 500:
            raise Unreachable(message, hint=away) from None
        if status == 403 and (name := _protected_property(message)):
            raise Protected(message, name) from None
        raise Refused(message, status, hint=(hints or {}).get(status, "")) from None
    except exceptions.SSLError as error:
        why, hint = _distrust(error)
        raise Unreachable(f"{cloud}: cannot {doing}: {why}", hint=hint) from None
    except (exceptions.EndpointNotFound, exceptions.EmptyCatalog):
        raise ImagecycleError(
            f"{cloud}: cannot {doing}: its catalog has no such service",
            hint="check region_name and interface of that entry in clouds.yaml",
        ) from None
    except exceptions.ConnectTimeout:
        raise Unreachable(f"{cloud}: cannot {doing}: no answer in time", hint=away) from None
    except (exceptions.ConnectionError, exceptions.DiscoveryFailure) as error:
        raise Unreachable(f"{cloud}: cannot {doing}: {_brief(error)}", hint=away) from None
    except InvalidJSONError:
        raise Unreachable(
            f"{cloud}: cannot {doing}: an answer is no JSON document",
            hint="check what stands between here and that service",
        ) from None
    except RequestException as error:  # while a body is read
        raise Unreachable(f"{cloud}: cannot {doing}: {_brief(error)}", hint=away) from None
    except exceptions.ClientException as error:
        raise ImagecycleError(
            f"{cloud}: cannot {doing}: {_brief(error)}",
            hint="check that entry in clouds.yaml",
        ) from None


@contextlib.contextmanager
def sensible(cloud: str, doing: str) -> Iterator[None]:
    """For answers that are read in a ``with`` block: JSON, and yet not what was asked for.

    :param doing: what was asked for, after the word "cannot": ``list images``.
    :raises Unreachable: when such an answer cannot be read.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreachable(
            f"{cloud}: cannot {doing}: an answer makes no sense ({_brief(error)})",
            hint="check what stands between here and that service",
        ) from error


def _distrust(error: Exception) -> tuple[str, str]:
    """Why a certificate is not trusted, and the way out; OpenSSL's words stay for who searches."""
    found = re.search(r"certificate verify failed: (.+?)\.? \(_ssl", " ".join(str(error).split()))
    why = f"its certificate is not trusted: {found[1]}" if found else _brief(error)
    if "mismatch" in why:
        return why, "use an address that the certificate names, in clouds.yaml and in the catalog"
    if "expired" in why or "not yet valid" in why:
        return why, "the cloud's operator has to renew it; or the clock of this machine is wrong"
    return why, "set cacert of that entry in clouds.yaml to the cloud's certificate authority"


def _protected_property(message: str) -> str:
    """The property that Glance reserves for others; empty when it is about something else."""
    found = re.search(r"Attribute '(\S+)' is reserved|Property '?([^\s']+)'? is protected", message)
    return (found[1] or found[2]) if found else ""


def _start_hint(cloud: str) -> str:
    return "; start it with `imagecycle devcloud start`" if cloud.startswith("devcloud") else ""


def _reason(error: object) -> str:
    """What a service said: Glance in a small HTML page, Nova in a JSON document of its own."""
    response = getattr(error, "response", None)
    text = str(getattr(error, "details", None) or getattr(error, "message", None) or "")
    kind = response.headers.get("Content-Type", "") if response is not None else ""
    if response is not None and "html" in kind:
        text = re.sub(r"(?s)<head>.*?</head>|<h1>.*?</h1>|<[^>]*>", " ", response.text)
    elif response is not None and "json" in kind:
        text = _message(response.text) or text
    text = re.sub(r"\((HTTP \d+|Request-ID: [^)]*)\)", "", text)  # the status is told anyway
    return " ".join(unescape(text).split())[:_REASON_LIMIT]


def _message(text: str) -> str:
    """The message of ``{"forbidden": {"code": 403, "message": "..."}}``, if it is like that."""
    try:
        (content,) = json.loads(text).values()
        return str(content["message"])
    except (ValueError, AttributeError, KeyError, TypeError):
        return ""


def _brief(error: Exception) -> str:
    """The cause at the end of a chain of exceptions, without addresses of objects."""
    text = " ".join(str(error).split())
    for pattern, words in (
        (r"Connection refused", "the connection was refused"),
        (r"Name or service not known|name resolution", "its host name is not known"),
        (
            r"Connection (reset|aborted|broken)|Broken pipe|RemoteDisconnected|IncompleteRead",
            "the connection was cut",
        ),
        (r"timed out", "no answer in time"),
    ):
        if re.search(pattern, text):
            return words
    return text[:_REASON_LIMIT]
