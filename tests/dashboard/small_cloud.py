"""A small stand-in for a cloud, as far as Horizon and the panels ask its services, with bad days.

Images are filtered as Glance documents it: by visibility, hidden or not, properties, and ids.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

DEFAULT_LIMIT = 25
_OF_VERSIONS = ("compute/v2.1", "volume", "volume/v3")
_PARAMETERS = {"limit", "marker", "sort", "visibility", "member_status", "os_hidden", "id"}


@dataclass(frozen=True)
class Fault:
    """What a service does instead of answering."""

    status: int | None = None
    """Answers with this status"""
    silent_for: float = 0
    """Says nothing for so many seconds, and hangs up"""
    drips_for: float = 0
    """Tells its answer in small pieces for so many seconds, and hangs up"""
    cut: bool = False
    """Hangs up in the middle of its answer"""
    body: bytes | None = None
    """Answers 200 with this"""
    after: int = 0
    """How many requests are answered first"""


@dataclass
class SmallCloud:
    """What there is in it."""

    images: Sequence[Mapping[str, Any]] = ()
    servers: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[Mapping[str, Any]] = ()
    flavors: Sequence[Mapping[str, Any]] = ()
    page: int = 1000
    """Records that an answer of Glance or Nova has at most"""
    faults: dict[str, Fault] = field(default_factory=dict)
    """By service: ``image``, ``compute``, ``volume``"""
    asked: list[str] = field(default_factory=list)
    """The requests that came, without those about versions"""
    url: str = ""

    @property
    def services(self) -> dict[str, str]:
        """Addresses by type of service, as in Keystone's catalog."""
        return {
            "identity": f"{self.url}/identity/v3",
            "image": f"{self.url}/image",
            "compute": f"{self.url}/compute/v2.1",
            "volumev3": f"{self.url}/volume/v3",
        }

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        """Status and document."""
        if path == "/image/v2/images":
            return self._images(query)
        if path == "/image/v2/schemas/image":
            return 200, {"name": "image", "properties": {}}
        if path == "/compute/v2.1/flavors/detail":
            return 200, {"flavors": [] if "marker" in query else self.flavors}
        if path == "/compute/v2.1/servers/detail":
            return 200, {"servers": self._from_marker(self.servers, query, self.page)}
        if path.startswith("/volume/v3") and path.endswith("/volumes/detail"):
            return 200, {"volumes": self.volumes}
        if path.startswith("/volume/v3") and "transfer" in path:
            return 200, {"transfers": []}
        return 200, self._of_the_frame(path.strip("/"))

    def _of_the_frame(self, path: str) -> Any:
        """What Horizon asks for each of its pages: versions, and the user's projects."""
        version = {"status": "CURRENT", "updated": "2024-01-01T00:00:00Z", "links": []}
        if path == "compute/v2.1":
            return {"version": {**version, "id": "v2.1", "version": "2.96", "min_version": "2.1"}}
        if path == "volume":
            link = {"rel": "self", "href": f"{self.url}/volume/v3/"}
            version |= {"id": "v3.0", "version": "3.71", "min_version": "3.0", "links": [link]}
            return {"versions": [version]}
        if path.endswith("/projects"):
            return {"projects": [], "links": {}}
        link = {"rel": "self", "href": f"{self.url}/identity/v3/"}
        return {"version": {**version, "status": "stable", "id": "v3.14", "links": [link]}}

    def _images(self, query: Mapping[str, str]) -> tuple[int, Any]:
        limit = min(int(query.get("limit", DEFAULT_LIMIT)), self.page)
        chosen = [image for image in self.images if _fits(image, query)]
        if query.get("sort") == "name:asc":
            chosen.sort(key=lambda image: str(image.get("name")))
        shown = self._from_marker(chosen, query, limit)
        document: dict[str, Any] = {"images": shown}
        if shown and len(shown) == limit:
            marker = {**query, "marker": shown[-1]["id"]}
            document["next"] = f"/v2/images?{urlencode(marker)}"
        return 200, document

    def _from_marker(
        self, records: Sequence[Mapping[str, Any]], query: Mapping[str, str], limit: int
    ) -> Sequence[Mapping[str, Any]]:
        ids = [record["id"] for record in records]
        first = ids.index(query["marker"]) + 1 if "marker" in query else 0
        return records[first : first + min(limit, int(query.get("limit", limit)))]


def _fits(image: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    if bool(image.get("os_hidden")) != (query.get("os_hidden") == "true"):
        return False
    visibility = query.get("visibility")
    # without a word about it, community images are left out
    if visibility is None and image["visibility"] == "community":
        return False
    if visibility not in (None, "all") and image["visibility"] != visibility:
        return False
    if "id" in query and image["id"] not in query["id"].removeprefix("in:").split(","):
        return False
    others = {name: value for name, value in query.items() if name not in _PARAMETERS}
    return all(image.get(name) == value for name, value in others.items())


@contextlib.contextmanager
def serving(cloud: SmallCloud) -> Iterator[SmallCloud]:
    """On a free port of loopback, for the length of a ``with`` block."""
    ending = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            """Horizon's client for Nova has its token checked by Keystone."""
            self.rfile.read(int(self.headers["Content-Length"]))
            token = {"methods": ["token"], "expires_at": "2100-01-01T00:00:00.000000Z"}
            self.tell(201, json.dumps({"token": token}).encode(), **{"X-Subject-Token": "token"})

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            service = address.path.split("/")[1]
            fault = cloud.faults.get(service)
            if address.path.strip("/") in _OF_VERSIONS:
                fault = None  # this asks Horizon's frame, for its own pages
            if address.path.strip("/") not in _OF_VERSIONS and service != "identity":
                cloud.asked.append(self.path)
            before = [path for path in cloud.asked[:-1] if path.startswith(f"/{service}/")]
            if fault and len(before) >= fault.after:
                self.fail(fault, json.dumps(cloud.answer(address.path, _query(address))[1]))
                return
            status, document = cloud.answer(address.path, _query(address))
            self.tell(status, json.dumps(document).encode())

        def fail(self, fault: Fault, document: str) -> None:
            if fault.silent_for:
                self.close_connection = True
                ending.wait(fault.silent_for)
            elif fault.drips_for or fault.cut:
                self.close_connection = True
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(document) + 10**6))
                self.end_headers()
                until = time.monotonic() + fault.drips_for
                self.wfile.write(document[: len(document) // 2].encode())
                while time.monotonic() < until and not ending.wait(0.1):
                    self.wfile.write(b" ")
            elif fault.body is not None:
                self.tell(200, fault.body)
            else:
                self.tell(fault.status or 500, b"{}")

        def tell(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients hang up; that is what tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield cloud
    finally:
        ending.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _query(address: Any) -> dict[str, str]:
    return dict(parse_qsl(address.query))
