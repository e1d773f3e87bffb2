"""A stand-in for the WinRM service of a Windows machine: HTTPS, Basic, NTLM and Negotiate.

The protocol is strict: a request that Windows would not understand is answered with an error and
remembered in ``guest.complaints``. Faults can be asked for by attributes of :class:`WinRM`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import spnego
from spnego.channel_bindings import GssChannelBindings

from standin.windows import wsman
from standin.windows.guest import Guest
from standin.windows.shells import Shells

_LARGEST = 512_000  # bytes; Windows' MaxEnvelopeSizekb is 500


class WinRM:
    """The service, for the length of a ``with`` block.

    :param certificate: the files of certificate and key.
    :param methods: the ways of authenticating that are enabled.
    :param bound: whether a login over NTLM must be bound to the TLS connection. Windows' default is
        to accept also those that are not.
    """

    def __init__(
        self,
        guest: Guest,
        certificate: tuple[Path, Path],
        *,
        user: str = "Administrator",
        password: str = "correct horse",
        methods: tuple[str, ...] = ("Negotiate", "Basic"),
        bound: bool = False,
        activity_ids: bool = True,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.guest, self.user, self.password = guest, user, password
        self.methods, self.bound = methods, bound
        self.downtime = 0.2
        """Seconds that a restart takes"""
        self.chunked = False
        """Whether answers come in chunks, as Windows sends long ones"""
        self.starting = 0
        """How many requests are answered with 503"""
        self.break_off: set[str] = set()
        """The actions in the middle of whose answer the connection is reset, once each"""
        self.refuse: dict[str, wsman.Fault] = {}
        """Faults by action, once each"""
        self.restart: Callable[[], None] = self.reboot
        """What a command that restarts the machine does"""
        self.logins = 0
        self._address = address
        self._folder = certificate[0].parent
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*certificate)
        der = ssl.PEM_cert_to_DER_cert(certificate[0].read_text())
        self.fingerprint = hashlib.sha256(der).hexdigest()
        end_point = b"tls-server-end-point:" + hashlib.sha256(der).digest()
        self.bindings = GssChannelBindings(application_data=end_point)
        self._server = self._listen(port)
        self.port = self._server.server_address[1]
        party = wsman.Party("127.0.0.1", f"https://127.0.0.1:{self.port}/wsman", activity_ids)
        self.shells = Shells(guest, party)

    def __enter__(self) -> Self:
        users = self._folder / "ntlm-users"
        domain = self.guest.hostname
        lines = (f"{where}:{self.user}:{self.password}\n" for where in ("", domain))
        users.write_text("".join(lines))
        self._before = os.environ.get("NTLM_USER_FILE")
        os.environ["NTLM_USER_FILE"] = str(users)  # where pyspnego looks
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["NTLM_USER_FILE"]
        else:
            os.environ["NTLM_USER_FILE"] = self._before
        self._close()

    def reboot(self) -> None:
        """Go away, with all shells, and come back after the downtime."""
        threading.Thread(target=self._reboot, daemon=True).start()

    def _reboot(self) -> None:
        self._close()
        time.sleep(self.downtime)
        self.shells.expire()
        self.guest.boots += 1
        for happens in self.guest.on_restart:
            happens()
        self._server = self._listen(self.port)

    def _listen(self, port: int) -> _Server:
        server = _Server((self._address, port), _Handler, bind_and_activate=True)
        server.service, server.tls = self, self._tls
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.drop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    service: WinRM
    tls: ssl.SSLContext

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*arguments, **options)

    def get_request(self) -> tuple[socket.socket, Any]:
        raw, address = super().get_request()
        raw.settimeout(30)
        connection = self.tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        pass  # a client that went away, or did not like the certificate

    def drop(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                # ssl's own shutdown would let who reads go on without TLS
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._context: Any = None
        self._user = ""

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        service = self.server.service
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the machine went away meanwhile
            self.close_connection = True
            return
        if service.starting:
            service.starting -= 1
            self._answer(503, b"")
        elif self.path != "/wsman":
            self._answer(404, b"")
        elif self._authenticated():
            self._serve(service, body)

    def _serve(self, service: WinRM, body: bytes) -> None:
        try:
            if len(body) > _LARGEST:
                raise wsman.Malformed(f"{len(body)} bytes are more than Windows takes")
            kind = self.headers.get("Content-Type", "")
            if not kind.lower().startswith("application/soap+xml") or "utf-8" not in kind.lower():
                raise wsman.Malformed(f"Content-Type: {kind}")
            request = wsman.read(body)
            try:
                if request.action in service.refuse:
                    raise service.refuse.pop(request.action)
                status, answer = 200, service.shells.handle(request, self._user)
            except wsman.Fault as fault:
                status, answer = 500, wsman.refused(service.shells.party, request, fault)
        except wsman.Malformed as error:
            service.guest.complaints.append(str(error))
            self._answer(400, b"")
            return
        if request.action in service.break_off:
            service.break_off.discard(request.action)
            self._break_off(answer)
            return
        self._answer(status, answer)
        if service.shells.restart:
            service.shells.restart = False
            service.restart()

    def _authenticated(self) -> bool:
        scheme, _, word = (self.headers.get("Authorization") or "").partition(" ")
        service = self.server.service
        if scheme == "Basic" and "Basic" in service.methods:
            user, _, password = base64.b64decode(word).decode().partition(":")
            if (user, password) == (service.user, service.password):
                self._user = user
                service.logins += 1
                return True
        elif scheme in ("NTLM", "Negotiate") and scheme in service.methods:
            return self._negotiated(scheme, base64.b64decode(word))
        elif not scheme and self._user:
            return True  # NTLM lets a connection in, not a request
        self._refuse()
        return False

    def _negotiated(self, scheme: str, token: bytes) -> bool:
        service = self.server.service
        if self._context is None:
            plain = token.startswith(b"NTLMSSP\0")
            bindings = service.bindings if service.bound else None
            self._context = spnego.server(
                protocol="ntlm" if plain else "negotiate", channel_bindings=bindings
            )
        try:
            answer = self._context.step(token)
        except spnego.exceptions.SpnegoError:
            self._context = None
            self._refuse()
            return False
        if not self._context.complete:
            self._refuse(f"{scheme} {base64.b64encode(answer or b'').decode()}")
            return False
        self._user = service.user
        self._context = None
        service.logins += 1
        return True

    def _refuse(self, challenge: str = "") -> None:
        methods = self.server.service.methods
        words = {"Basic": 'Basic realm="WSMAN"'}
        challenges = [challenge] if challenge else [words.get(name, name) for name in methods]
        self.send_response(401)
        for word in challenges:
            self.send_header("WWW-Authenticate", word)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        if not self.server.service.chunked:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 700):
            piece = body[start : start + 700]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _break_off(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.close_connection = True
        socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
