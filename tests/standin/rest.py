"""The requests that the stand-in for a Jenkins controller answers, and how."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from standin.items import FREESTYLE_XML, Thing, document, saved
from standin.tree import pruned

if TYPE_CHECKING:
    from standin.controller import StandIn

STARTING = (
    "<html><head><title>Starting Jenkins</title></head><body>"
    "Please wait while Jenkins is getting ready to work ...</body></html>"
)


class Answer(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, text: str = "", **headers: str) -> None:
        super().__init__(status)
        self.status, self.text, self.headers = status, text, headers


def handler(controller: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        stand_in = controller

    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stand_in: StandIn

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def _handle(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with self.stand_in.lock:
            self.stand_in.requests.append((method, self.path))
        if self.stand_in.delay:
            time.sleep(self.stand_in.delay)
        answer = self._fault(method, after=False)
        if answer is None:
            try:
                self._authorise(method)
                with self.stand_in.lock:
                    answer = self._dispatch(method, body)
            except Answer as found:
                answer = found
            answer = self._fault(method, after=True) or answer
        if answer.status == 0:
            self.close_connection = True
            return
        self._send(answer)

    def _fault(self, method: str, *, after: bool) -> Answer | None:
        if self.stand_in.down and not after:
            return Answer(503, STARTING)
        for fault in self.stand_in.faults:
            if (
                fault.times
                and fault.after == after
                and fault.pattern.search(f"{method} {self.path}")
            ):
                fault.times -= 1
                return Answer(0) if fault.what == "cut" else Answer(int(fault.what), "a fault")
        return None

    def _send(self, answer: Answer) -> None:
        data = answer.text.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("X-Jenkins", "2.568.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _authorise(self, method: str) -> None:
        me = self.stand_in
        wanted = base64.b64encode(f"{me.user}:{me.token}".encode()).decode()
        given = self.headers.get("Authorization", "")
        if given != f"Basic {wanted}":
            page = (
                f"<html><head><title>Error 401 Invalid password/token</title></head>{given}</html>"
            )
            raise Answer(401, page)
        if method == "POST" and me.crumbs:
            session = self._session()
            if session is None or me.sessions.get(session) != self.headers.get("Jenkins-Crumb"):
                raise Answer(
                    403, "<title>Error 403 No valid crumb was included in the request</title>"
                )

    def _session(self) -> str | None:
        match = re.search(r"JSESSIONID=(\w+)", self.headers.get("Cookie", ""))
        return match[1] if match else None

    def _dispatch(self, method: str, body: str) -> Answer:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        if not address.path.startswith(f"{self.stand_in.prefix}/"):
            raise Answer(404, "no such context")
        parts = [unquote(part) for part in address.path.split("/") if part]
        parts = parts[len([part for part in self.stand_in.prefix.split("/") if part]) :]
        if parts[0] == "crumbIssuer":
            return self._crumb()
        if parts[0] == "pluginManager":
            return _json({"plugins": self.stand_in.plugins}, query.get("tree", ""))
        if parts[:2] == ["queue", "item"]:
            return self._queue_item(int(parts[2]), query)
        thing, parent = self.stand_in.root, self.stand_in.root
        while parts[:1] == ["job"]:
            found = thing.children.get(parts[1])
            if found is None:
                raise Answer(404, "no such job")
            thing, parent, parts = found, thing, parts[2:]
        if parts[:1] == ["view"]:
            return self._view(method, thing, parts[1], parts[2:], body)
        return self._thing(method, thing, parent, parts, query, body)

    def _crumb(self) -> Answer:
        if not self.stand_in.crumbs:
            raise Answer(404)
        session = self._session() or secrets.token_hex(8)
        crumb = self.stand_in.sessions.setdefault(session, secrets.token_hex(8))
        text = json.dumps({"crumbRequestField": "Jenkins-Crumb", "crumb": crumb})
        return Answer(200, text, Set_Cookie=f"JSESSIONID={session}; Path=/")

    def _queue_item(self, identifier: int, query: dict[str, str]) -> Answer:
        item = self.stand_in.queue.get(identifier)
        if item is None:
            raise Answer(404)
        shown = {key: item[key] for key in ("why", "cancelled", "executable") if key in item}
        return _json({"id": identifier, **shown}, query.get("tree", ""))

    def _view(self, method: str, parent: Thing, name: str, rest: list[str], body: str) -> Answer:
        if name not in parent.views:
            raise Answer(404)
        if rest == ["doDelete"] and method == "POST":
            del parent.views[name]
            return Answer(302, Location=f"{self.stand_in.url}/")
        if rest == ["config.xml"] and method == "POST":
            parent.views[name].xml = saved(body)
            return Answer(200)
        if rest == ["api", "json"]:
            return _json({"description": parent.views[name].description}, "")
        raise Answer(400)

    def _thing(
        self,
        method: str,
        thing: Thing,
        parent: Thing,
        rest: list[str],
        query: dict[str, str],
        body: str,
    ) -> Answer:
        me = self.stand_in
        if rest == ["api", "json"]:
            return _json(document(thing), query.get("tree", ""))
        if rest == ["config.xml"] and method == "GET":
            return Answer(200, f"<?xml version='1.1' encoding='UTF-8'?>\n{thing.xml}")
        if rest == ["config.xml"]:
            thing.xml = saved(body)
            return Answer(200)
        if rest == ["doDelete"] and method == "POST":
            del parent.children[thing.name]
            return Answer(302, Location=f"{me.url}/")
        if rest in (["createItem"], ["createView"]) and method == "POST":
            return self._create(thing, rest[0], query["name"], body)
        if rest == ["buildWithParameters"] and method == "POST":
            if not thing.buildable:
                raise Answer(409, f"<title>Error 409 {thing.name} is not buildable</title>")
            identifier = me.enqueue(thing, query, [{"userId": me.user}])
            return Answer(201, Location=f"{me.url}/queue/item/{identifier}/")
        if rest and rest[0].isdigit():
            build = next((one for one in thing.builds if one.number == int(rest[0])), None)
            if build is None:
                raise Answer(404)
            if rest[1:] == ["consoleText"]:
                return Answer(200, build.console, Content_Type="text/plain;charset=utf-8")
            return _json(build.shown(), query.get("tree", ""))
        raise Answer(404)

    def _create(self, folder: Thing, what: str, name: str, body: str) -> Answer:
        things = folder.children if what == "createItem" else folder.views
        if name in things:
            kind = "job" if what == "createItem" else "view"
            said = f"A {kind} already exists with the name \u2018{name}\u2019"
            raise Answer(400, X_Error=said.encode().decode("latin-1"))
        url = f"{folder.url or self.stand_in.url + '/'}job/{name}/"
        xml = FREESTYLE_XML.format("") if self.stand_in.forgets_descriptions else saved(body)
        things[name] = Thing(name, xml, url)
        if what == "createView":
            return Answer(302, Location=f"{self.stand_in.url}/view/{name}/")
        return Answer(200)


def _json(shown: Any, tree: str) -> Answer:
    return Answer(
        200, json.dumps(pruned(shown, tree)), Content_Type="application/json;charset=utf-8"
    )
