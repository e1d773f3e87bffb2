"""A stand-in for a Jenkins controller: the REST interface that the client uses, with faults.

Written from python-jenkins's and Jenkins's documented behaviour: crumbs bound to a session, fields
chosen with ``tree``, a ``config.xml`` that is not kept as it was sent, redirects after changes,
queue items that are forgotten, and 503 while it starts. Builds are played by the test.
"""

from __future__ import annotations

import itertools
import re
import secrets
import ssl
import threading
import time
from collections import Counter
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standin.items import FOLDER_XML, FREESTYLE_XML, Build, Fault, Thing
from standin.rest import handler


class StandIn:
    """The controller; its state and faults are the test's to set."""

    def __init__(
        self,
        *,
        prefix: str = "",
        user: str = "operator",
        token: str = "",
        crumbs: bool = True,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.prefix = prefix
        self.user = user
        self.token = token or secrets.token_hex(16)
        self.crumbs = crumbs
        self.sessions: dict[str, str] = {}
        self.root = Thing("", FOLDER_XML)
        self.plugins: list[dict[str, Any]] = []
        self.queue: dict[int, dict[str, Any]] = {}
        self.queue_ids = itertools.count(1)
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.delay = 0.0
        self.hold_queue = False
        self.forgets_descriptions = False
        self.down = False
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}{prefix}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    # -- what tests do to it -------------------------------------------------------------------
    def add(self, name: str, xml: str = FREESTYLE_XML.format("")) -> Thing:
        """Make a job or folder, as a person does."""
        *above, short = name.split("/")
        parent = self.find(above)
        assert parent is not None
        path = "".join(f"/job/{part}" for part in name.split("/"))
        parent.children[short] = Thing(short, xml, f"{self.url}{path}/")
        return parent.children[short]

    def find(self, path: list[str] | str) -> Thing | None:
        thing: Thing | None = self.root
        for part in path.split("/") if isinstance(path, str) else path:
            thing = thing.children.get(part) if thing else None
        return thing

    def jobs(self, folder: str = "") -> dict[str, Thing]:
        parent = self.find(folder) if folder else self.root
        assert parent is not None
        return parent.children

    def sent(self) -> Counter[str]:
        """How many requests of each kind came: ``GET``, ``createItem``, ``config.xml`` ..."""
        return Counter(
            "GET" if method == "GET" else path.partition("?")[0].rsplit("/", 1)[-1]
            for method, path in self.requests
        )

    def fail(self, pattern: str, fault: str, times: int = 1, *, after: bool = False) -> None:
        """Answer the next requests that match with a status, or ``cut`` the connection.

        :param after: only once the request has been carried out.
        """
        self.faults.append(Fault(re.compile(pattern), fault, times, after))

    def restart(self, *, forget_queue: bool = False) -> None:
        """What a restart does to running builds, sessions and, when it is killed, the queue."""
        with self.lock:
            self.sessions.clear()
            for thing in self._everything():
                for build in thing.builds:
                    if build.building:
                        build.ends(None)
                if forget_queue:
                    thing.queue_id = None
            if forget_queue:
                self.queue.clear()

    def starts(self, job: str, *, upstream: tuple[str, int] | None = None) -> None:
        """A job is put into the queue by something else."""
        thing = self.find(job)
        assert thing is not None
        causes = (
            [{"upstreamProject": upstream[0], "upstreamBuild": upstream[1]}] if upstream else []
        )
        self.enqueue(thing, {}, causes)

    def take_from_queue(self) -> list[Build]:
        """Executors take all that waits."""
        with self.lock:
            taken = []
            for identifier, item in list(self.queue.items()):
                if "executable" not in item and not item.get("cancelled"):
                    taken.append(self._begin(identifier, item))
            return taken

    def _begin(self, identifier: int, item: dict[str, Any]) -> Build:
        thing: Thing = item["thing"]
        number, thing.next_number = thing.next_number, thing.next_number + 1
        causes, parameters = item["causes"], item["parameters"]
        url = f"{thing.url}{number}/"
        build = Build(number, identifier, url, causes, parameters, int(time.time() * 1000))
        thing.builds.insert(0, build)
        thing.queue_id = None
        item["executable"] = {"number": number, "url": url}
        return build

    def enqueue(
        self, thing: Thing, parameters: dict[str, str], causes: list[dict[str, Any]]
    ) -> int:
        with self.lock:
            identifier = next(self.queue_ids)
            self.queue[identifier] = {
                "thing": thing,
                "parameters": parameters,
                "causes": causes,
                "why": "Waiting for next available executor on 'imagecycle'",
            }
            thing.queue_id, thing.queue_causes = identifier, causes
            if not self.hold_queue:
                self._begin(identifier, self.queue[identifier])
            return identifier

    def _everything(self) -> list[Thing]:
        found, todo = [], [self.root]
        while todo:
            thing = todo.pop()
            found.append(thing)
            todo += thing.children.values()
        return found
