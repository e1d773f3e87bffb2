"""Calls to the controller's REST interface, each with a time limit.

python-jenkins logs in, brings the crumb and knows the addresses; here is what it leaves open: one
client for each thread, certificates, redirects, and what a controller says when it refuses, is
away, or starts. It would also ask before and after each change whether the job exists; that is
left out, so that a change is one request.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import requests
import urllib3

import jenkins
from imagecycle import log
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.jenkins.account import Account
from imagecycle.jenkins.client import Client, Refused, Unanswered, brief

PATIENCE = 300.0
"""Seconds that a controller which answered before may be away: a restart takes a few minutes"""
FIRST_PATIENCE = 1.0
"""The same for one that has never answered: its address may be wrong"""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


class Controller:
    """One controller; its calls may be made from several threads.

    Every call raises :class:`Refused` when the controller says no, and
    :class:`~imagecycle.errors.Unreachable` when it does not answer in time.

    :param patience: seconds that it may be away, in a restart, before a call is given up.
    """

    def __init__(self, account: Account, *, patience: float = PATIENCE) -> None:
        self.account = account
        self._patience = patience
        self._local = threading.local()
        self._seen = False
        self._said_away = False
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address, without an account."""
        return self.account.url

    def get(self, path: str, **query: str) -> Any:
        """A JSON document; asked for again while the controller is away."""
        text = self._patiently("GET", path, query).text
        try:
            return json.loads(text)
        except ValueError:
            raise ImagecycleError(
                f"{self.url}: {path} is not JSON", hint="check that JENKINS_URL is a Jenkins"
            ) from None

    def post(self, path: str, body: str | None = None, **query: str) -> None:
        """A change that may be made twice without harm; tried again while the controller is away.

        :param body: XML.
        """
        self._patiently("POST", path, query, body)

    def post_once(self, path: str, **query: str) -> requests.Response:
        """A change that must not be made twice.

        :raises Unanswered: when it may have been made.
        """
        return self._call("POST", path, query)

    def await_return(self) -> None:
        """Wait until a controller that is away answers again."""
        self._patiently("GET", "api/json", {"tree": "mode"})

    def tail(self, path: str, lines: int) -> list[str]:
        """The last lines of a text of any length."""
        with self._explained(path), self._answer("GET", path, {}, stream=True) as answer:
            answer.encoding = answer.encoding or "utf-8"
            found = answer.iter_lines(decode_unicode=True)
            return [self._shown(line) for line in collections.deque(found, lines)]

    def _patiently(
        self, method: str, path: str, query: dict[str, str], body: str | None = None
    ) -> requests.Response:
        away_since: float | None = None
        for attempt in _counted():
            try:
                return self._call(method, path, query, body)
            except Unreachable as error:
                now = time.monotonic()
                away_since = away_since or now
                patience = self._patience if self._seen else min(FIRST_PATIENCE, self._patience)
                if now - away_since >= patience:
                    raise
                self._say_away(error, patience)
            time.sleep(min(_PAUSES[min(attempt, len(_PAUSES) - 1)], self._patience))
        raise AssertionError

    def _say_away(self, error: Unreachable, patience: float) -> None:
        """Once for each absence, whichever thread noticed it first."""
        with self._lock:
            say = self._seen and not self._said_away
            self._said_away = True
        if say:
            log.warn(f"{error.message}; waiting up to {patience:.0f} s for it")

    def _call(
        self, method: str, path: str, query: dict[str, str], body: str | None = None
    ) -> requests.Response:
        with self._explained(path):
            try:
                answer = self._answer(method, path, query, body)
            except Refused as refused:
                if "crumb" not in refused.message:
                    raise
                self._local.client = None  # a restart has forgotten the session of our crumb
                answer = self._answer(method, path, query, body)
        self._seen = True
        self._said_away = False
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: str | None = None,
        *,
        stream: bool = False,
    ) -> requests.Response:
        request = requests.Request(
            method,
            f"{self.url}/{path}",
            params=query,
            data=body.encode() if body is not None else None,
            headers=dict(jenkins.DEFAULT_HEADERS) if body is not None else {},
        )
        answer: requests.Response = self._client().jenkins_request(
            request, add_crumb=method == "POST", stream=stream
        )
        return answer

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = Client(self.account)
        return client

    @contextlib.contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except (ImagecycleError, jenkins.JenkinsException, requests.RequestException) as error:
            raise self._in_words(error, path) from None

    def _in_words(self, error: Exception, path: str) -> ImagecycleError:
        """An error as ours, and without the token: a controller may repeat what it was sent."""
        ours = error if isinstance(error, ImagecycleError) else self._translated(error, path)
        ours.message = self._shown(ours.message)
        ours.args = (ours.message,)
        return ours

    def _shown(self, text: str) -> str:
        for secret in secrets_of(self.account):
            text = text.replace(secret, "***")
        return text

    def _translated(self, error: Exception, path: str) -> ImagecycleError:
        away = "check JENKINS_URL and that the controller runs, then run this again"
        if isinstance(error, jenkins.NotFoundException):
            return Refused(f"{self.url}: there is no {unquoted(path)}", 404)
        if isinstance(error, requests.exceptions.SSLError):
            return ImagecycleError(
                f"{self.url}: its certificate is not trusted: {brief(error)}",
                hint="name its authority with --ca-file or JENKINS_CA_FILE",
            )
        words = f"{self.url}: {brief(error)}"
        if isinstance(error, requests.ConnectionError) and _never_sent(error):
            return Unreachable(words, hint=away)
        if isinstance(error, requests.RequestException | jenkins.TimeoutException):
            return Unanswered(words, hint=away)
        return ImagecycleError(words, hint="check JENKINS_URL")


def secrets_of(account: Account) -> tuple[str, ...]:
    """What must not be shown: the token, and the form in which it is sent."""
    if not account.token:
        return ()
    sent = base64.b64encode(f"{account.user}:{account.token}".encode()).decode()
    return account.token, sent


def job_path(name: str, folder: str = "") -> str:
    """The address of a job below the controller's: ``a/b`` is ``job/a/job/b``."""
    parts = [part for part in f"{folder}/{name}".split("/") if part]
    return "/".join(f"job/{quote(part, safe='')}" for part in parts)


def unquoted(path: str) -> str:
    """An address in words: the job's name, or the path itself."""
    match = re.match(r"((?:job/[^/]+/?)+)", path)
    if match is None:
        return path
    return "job " + unquote("/".join(match[1].rstrip("/").split("/")[1::2]))


def _counted() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _never_sent(error: requests.ConnectionError) -> bool:
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, urllib3.exceptions.NewConnectionError)
