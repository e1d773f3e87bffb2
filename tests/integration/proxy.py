"""A proxy before a real service that does what networks and services do on bad days."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 2**16


@dataclass(frozen=True)
class Fault:
    """What befalls one request."""

    method: str
    """Empty for any"""
    path: str
    """How its path ends; empty for any"""
    answer: int | None = None
    """Answer with this status instead of asking the service"""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of that answer"""
    silent_for: float = 0
    """Say nothing for so many seconds, then hang up, instead of asking the service"""
    cut_after: int | None = None
    """Hang up on both sides once this many bytes of its body have passed"""
    lose_answer: bool = False
    """Let the service do it, and hang up instead of telling the answer"""
    stall: threading.Event | None = None
    """Take no more of its body, after ``cut_after`` bytes, until this is set"""
    before: Callable[[], None] | None = None
    """Called before the service is asked"""
    after: Callable[[], None] | None = None
    """Called after the service has answered, before its answer is told"""
    times: int | None = None
    """How often it strikes; None for always"""
    after_matches: int = 0
    """How many requests that it fits are spared first"""


@dataclass
class Proxy:
    """Its address, its faults, and the requests that passed (method, path, status)."""

    port: int = 0
    scheme: str = "http"
    faults: list[Fault] = field(default_factory=list)
    _requests: list[tuple[str, str, int]] = field(default_factory=list)
    struck: dict[int, int] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)
    under_way: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def requests(self) -> list[tuple[str, str, int]]:
        """All that came, also those whose answer is only just under way."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.under_way, 90)
            return list(self._requests)

    def mutations(self) -> list[tuple[str, str, int]]:
        return [entry for entry in self.requests() if entry[0] not in ("GET", "HEAD")]

    def forget(self) -> None:
        """The requests that came so far."""
        self.requests()
        self._requests.clear()

    def reset(self) -> None:
        """As at the beginning: no request, no fault."""
        self.forget()
        self.faults.clear()
        self.struck.clear()

    def note(self, method: str, path: str, status: int) -> None:
        """A request has come and gone."""
        with self.changed:
            self._requests.append((method, path, status))
            self.under_way -= 1
            self.changed.notify_all()

    def fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method not in ("", method) or not path.partition("?")[0].endswith(fault.path):
                continue
            seen = self.struck[id(fault)] = self.struck.get(id(fault), 0) + 1
            if seen <= fault.after_matches:
                continue
            if fault.times is None or seen - fault.after_matches <= fault.times:
                return fault
        return None


class _Cut(Exception):
    pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up, or does not trust our certificate, is what tests are about."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*_)  # type: ignore[arg-type]


@contextlib.contextmanager
def running(upstream_port: int, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Proxy]:
    """A proxy before a service on loopback, for the length of a ``with`` block.

    :param certificate: the files of a certificate and its key: the proxy speaks TLS.
    """
    proxy = Proxy(scheme="https" if certificate else "http")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def relay(self) -> None:
            self.close_connection = True
            with proxy.changed:
                proxy.under_way += 1
            fault = proxy.fault(self.command, self.path)
            upstream = http.client.HTTPConnection("127.0.0.1", upstream_port, timeout=60)
            try:
                status = self.pass_on(upstream, fault)
            except (_Cut, OSError, http.client.HTTPException):
                status = 0
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
            finally:
                upstream.close()
            proxy.note(self.command, self.path, status)

        def pass_on(self, upstream: http.client.HTTPConnection, fault: Fault | None) -> int:
            if fault and fault.before:
                fault.before()
            if fault and fault.silent_for:
                proxy.closing.wait(fault.silent_for)
                raise _Cut
            if fault and fault.answer:
                self.send_response(fault.answer)
                for name, value in fault.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()
                return fault.answer
            upstream.putrequest(self.command, self.path, skip_host=True)
            for name, value in self.headers.items():
                if name.lower() != "connection":
                    upstream.putheader(name, value)
            upstream.putheader("Connection", "close")
            upstream.endheaders()
            self.pass_body(upstream, fault)
            answer = upstream.getresponse()
            body = answer.read()
            if fault and fault.after:
                fault.after()
            if fault and fault.lose_answer:
                raise _Cut
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            return answer.status

        def pass_body(self, upstream: http.client.HTTPConnection, fault: Fault | None) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            passed = 0
            while passed < length:
                if fault and fault.cut_after is not None and passed >= fault.cut_after:
                    if fault.stall is None:
                        raise _Cut
                    fault.stall.wait(60)
                    raise _Cut
                chunk = self.rfile.read1(min(CHUNK, length - passed))
                if not chunk:
                    raise _Cut
                upstream.send(chunk)
                passed += len(chunk)

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.relay)
    server = _Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # the handshake belongs to the thread of the connection, not to the one that takes all
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
