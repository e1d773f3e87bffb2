"""python-jenkins with our limits, certificates and errors.

Some of its private methods are replaced here; that is why its version is pinned.
"""

from __future__ import annotations

import logging
import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

import jenkins
from imagecycle.errors import ImagecycleError, Unreachable
from imagecycle.jenkins.account import Account

CONNECT_LIMIT = 10.0
"""Seconds in which the controller must take a connection"""
ANSWER_LIMIT = 60.0
"""Seconds of silence after which an answer is given up"""
_AWAY = (502, 503, 504)
_REASON_LIMIT = 300
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HINTS = {
    400: "the controller does not take this; its log says more",
    401: "check JENKINS_USER and JENKINS_TOKEN",
    403: "give the account that permission in Jenkins, or take another account",
    404: "check JENKINS_URL with its path, and the folder",
    409: "enable the job in Jenkins, then run this again",
}


class Refused(ImagecycleError):
    """The controller answered that it will not do what was asked."""

    def __init__(self, message: str, status: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint or _HINTS.get(status, "read the controller's log"))
        self.status = status


class Unanswered(Unreachable):
    """A request was sent and no answer came: whether it was done is not known."""


class Client(jenkins.Jenkins):  # type: ignore[misc]
    """One session with the controller; not to be shared between threads."""

    def __init__(self, account: Account) -> None:
        logging.disable(logging.WARNING)  # it would print the headers it is given to add
        try:
            super().__init__(f"{account.url}/", account.user or None, account.token or None)
        finally:
            logging.disable(logging.NOTSET)
        self._shown_url = account.url
        self._settings: dict[bool | None, dict[str, Any]] = {}
        self._headers: CaseInsensitiveDict[str] | None = None
        self._cookie: str | None = None
        self._session.verify = not account.insecure and (account.ca_file or True)
        if account.insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if urlsplit(account.url).hostname in _LOOPBACK:
            self._session.trust_env = False  # no proxy stands between a machine and itself

    def _request(self, req: requests.Request, stream: bool | None = None) -> requests.Response:
        if stream not in self._settings:  # proxies and certificates are the same for each request
            self._settings[stream] = self._session.merge_environment_settings(
                self.server, {}, stream, self._session.verify, None
            )
        answer: requests.Response = self._session.send(
            self._prepared(req),
            allow_redirects=False,  # after a change Jenkins sends us to a page nobody reads
            timeout=(CONNECT_LIMIT, ANSWER_LIMIT),
            **self._settings[stream],
        )
        if "Set-Cookie" in answer.headers:
            self._cookie = None
        return answer

    def _prepared(self, req: requests.Request) -> requests.PreparedRequest:
        """As the session prepares it, but what it adds to each request is worked out once."""
        auth = self._session.auth
        if req.auth or not isinstance(auth, HTTPBasicAuth | None):  # may add to each its own
            found: requests.PreparedRequest = self._session.prepare_request(req)
            return found
        if self._headers is None:
            common = self._session.prepare_request(requests.Request("GET", self.server))
            self._headers = common.headers
            self._headers.pop("Cookie", None)
        prepared = requests.PreparedRequest()
        prepared.prepare_method(req.method)
        prepared.prepare_url(req.url, req.params)
        prepared.headers = self._headers.copy()
        prepared.headers.update(req.headers)
        self._add_cookies(prepared)
        prepared.prepare_body(req.data, None)
        return prepared

    def _add_cookies(self, prepared: requests.PreparedRequest) -> None:
        """The session's, worked out once too unless one of them is only for a part or a time."""
        jar = self._session.cookies
        if self._cookie is None:
            prepared.prepare_cookies(jar)
            path = urlsplit(self.server).path
            if all(path.startswith(one.path) and one.expires is None for one in jar):
                self._cookie = prepared.headers.get("Cookie", "")
            return
        prepared._cookies = jar  # type: ignore[attr-defined]  # it is copied on a redirect
        if self._cookie:
            prepared.headers["Cookie"] = self._cookie

    def _response_handler(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == 404:
            raise jenkins.NotFoundException
        if status in _AWAY:
            raise Unreachable(
                f"{self._shown_url}: {_reason(response)}",
                hint="wait until the controller has started, then run this again",
            )
        if status >= 400:
            raise Refused(f"{self._shown_url}: {status} {_reason(response)}", status)
        if response.is_redirect and _leads_astray(response):
            where = response.headers["Location"].partition("?")[0]
            raise Refused(
                f"{self._shown_url} leads to {where}",
                status,
                hint="set JENKINS_URL to the address that the controller itself uses, "
                "and check JENKINS_USER and JENKINS_TOKEN",
            )
        return response


def _leads_astray(response: requests.Response) -> bool:
    """Whether a redirect is not the end of a change but the refusal of one."""
    location = response.headers.get("Location", "")
    if response.request.method == "GET" or "login" in location.lower():
        return True
    asked = urlsplit(response.request.url or "")
    return urlsplit(location).path == asked.path


def _reason(response: requests.Response) -> str:
    """What Jenkins says: in a header, or in the words of a page."""
    for name in ("X-Error", "X-Required-Permission"):
        if said := response.headers.get(name):
            missing = "the account lacks the permission " if name != "X-Error" else ""
            return f"{missing}{said}"[:_REASON_LIMIT]
    text = response.text
    if match := re.search(r"<title>(.*?)</title>", text, re.DOTALL):
        text = match[1]
    text = re.sub(r"<[^>]*>", " ", text)
    words = " ".join(unescape(text).split()) or str(response.reason)
    return re.sub(rf"^(Error )?{response.status_code} ", "", words)[:_REASON_LIMIT]


_CAUSES: tuple[tuple[str, str], ...] = (
    (r"CERTIFICATE_VERIFY_FAILED", "it is self-signed, or its authority is unknown"),
    (r"Connection refused", "the connection was refused"),
    (r"Name or service not known|name resolution", "its host name is not known"),
    (r"Connection reset|Broken pipe|RemoteDisconnected|aborted", "the connection was cut"),
    (r"timed out|Timeout", "no answer in time"),
)


def brief(error: BaseException) -> str:
    """The cause at the end of a chain of exceptions, in words where it is a known one."""
    text = " ".join(str(error).split())
    for pattern, words in _CAUSES:
        if re.search(pattern, text):
            return words
    return text[:_REASON_LIMIT]
