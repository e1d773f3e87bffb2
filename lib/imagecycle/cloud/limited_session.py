"""A cloud's session as client libraries take it: with our limits, retries and exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ConnectFailure, ConnectTimeout, UnknownConnectionError

from imagecycle.cloud.session import ANSWER_LIMIT, CloudSession, Retries

_ONCE = Retries(0)


class LimitedSession(Adapter):  # type: ignore[misc]
    """For one client. keystoneauth lets its adapters stand on one another.

    :param retries: by HTTP method; what is missing is sent once.
    :param timeout: as ``requests`` takes it; by default that of a short answer.
    """

    answer: Any = None
    """The last one, for what a client does not tell; of no use to several threads"""

    def __init__(
        self, cloud: CloudSession, retries: Mapping[str, Retries], timeout: Any = None
    ) -> None:
        super().__init__(cloud.session, auth=cloud.session.auth)
        self._retries = retries
        self._timeout = timeout or cloud.session.timeout or ANSWER_LIMIT

    def request(self, url: str, method: str, **more: Any) -> Any:
        """A service's answer, a ``requests.Response``.

        :raises keystoneauth1.exceptions.ClientException: for every failure, answers of 4xx and 5xx
            included, whatever the client would make of them: its own exceptions do not know all
            statuses, and lose the headers.
        """
        again = self._retries.get(method, _ONCE)
        more.setdefault("timeout", self._timeout)
        # glanceclient reads any body later, when nothing is tried again; images are meant to be
        more.update(raise_exc=True, stream=bool(more.get("stream")) and url.endswith("/file"))
        more.update(connect_retries=again.count, status_code_retries=again.count)
        more.update(retriable_status_codes=list(again.statuses))
        try:
            self.answer = super().request(url, method, **more)
        except (ConnectFailure, ConnectTimeout) as error:
            # glanceclient catches these, and tells less
            raise UnknownConnectionError(str(error), error) from None
        return self.answer

    def get_endpoint_data(self, *_: Any, **__: Any) -> None:
        """Nothing: a client uses the address that it is given, and asks no service for versions."""
