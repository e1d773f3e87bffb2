"""Asks services, several at once, and no longer than a page may take.

Whatever a service does instead of answering becomes :class:`NotTold`, which the page shows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from horizon import exceptions

_SECONDS = 20.0
_LONGEST = 3600.0
IMAGES, COMPUTE, VOLUMES = _("The image service"), _("The compute service"), _("The volume service")
_STATUS = ("http_status", "status_code", "code")
"""Where the clients' exceptions have it"""


class NotTold(Exception):
    """A service that refused, failed, or gave an answer that is none.

    :param why: for people, translated when it is shown, since a thread has no language.
    """

    def __init__(self, why: Any, **words: Any) -> None:
        super().__init__()
        self._why = why
        self._words = words

    @property
    def why(self) -> str:
        """In the language of the page."""
        return str(self._why) % {name: str(word) for name, word in self._words.items()}


@dataclass(frozen=True)
class Question:
    """What one service is asked."""

    who: Any
    """The service, in words"""
    ask: Callable[[], Any]


def seconds() -> float:
    """How long a page may wait for all services together; as by default, where Horizon's settings
    say what is no such time."""
    try:
        told = float(getattr(settings, "IMAGECYCLE_TIMEOUT", _SECONDS))
    except (TypeError, ValueError):
        return _SECONDS
    return told if 0 < told <= _LONGEST else _SECONDS


class Deadline:
    """The moment until which a page waits."""

    def __init__(self) -> None:
        self._at = time.monotonic() + seconds()

    def answers(self, questions: Sequence[Question], *, part: float = 1.0) -> list[Any]:
        """What each service tells, asked at the same time; a :class:`NotTold` where it does not.

        What is under way when the time is over is left to end by itself.

        :param part: of the time that is left; the rest is for further questions.
        """
        asked = [futures.Future[Any]() for _question in questions]
        for future, question in zip(asked, questions, strict=True):
            threading.Thread(target=_fulfil, args=(future, question), daemon=True).start()
        left = max(0.0, self._at - time.monotonic())
        futures.wait(asked, timeout=part * left)
        return [
            _answer(future) if future.done() else _too_slow(question, part * left)
            for future, question in zip(asked, questions, strict=True)
        ]


def reason(who: Any, error: Exception) -> NotTold:
    """What a failure means for people."""
    if isinstance(error, NotTold):
        return error
    status = _status(error)
    if isinstance(error, exceptions.ServiceCatalogException):
        return NotTold(_("%(who)s is not part of this cloud."), who=who)
    if status == 401 or isinstance(error, exceptions.NotAuthorized):
        return NotTold(_("%(who)s does not accept your session: log out and in again."), who=who)
    if status == 403:
        return NotTold(_("%(who)s does not allow you to see this."), who=who)
    if status is not None:
        return NotTold(_("%(who)s failed with status %(status)s."), who=who, status=status)
    if isinstance(error, (KeyError, TypeError, ValueError, AttributeError)):
        return NotTold(_("%(who)s gave an answer that makes no sense."), who=who)
    return NotTold(_("%(who)s does not answer."), who=who)


def _answer(future: futures.Future[Any]) -> Any:
    error = future.exception()
    return future.result() if error is None else error


def _fulfil(future: futures.Future[Any], question: Question) -> None:
    try:
        future.set_result(question.ask())
    except Exception as error:
        future.set_exception(reason(question.who, error))


def _too_slow(question: Question, waited: float) -> NotTold:
    why = _("%(who)s has not answered in time (%(seconds)s s).")
    return NotTold(why, who=question.who, seconds=f"{waited:.1f}")


def _status(error: Exception) -> int | None:
    for name in _STATUS:
        value = getattr(error, name, None)
        if isinstance(value, int):
            return value
    return None
