"""A mail server that takes messages, or does not: for the tests of what is sent."""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """Where it listens, what it does not take, and what it took."""

    port: int = 0
    refused: set[str] = field(default_factory=set)
    """Addresses that it does not know"""
    goes_away_after: int | None = None
    """Hang up without a word once it has taken so many messages"""
    refuses_data: bool = False
    silent: bool = False
    """Accept connections and say nothing"""
    taken: list[tuple[list[str], email.message.EmailMessage]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def serving() -> Iterator[MailServer]:
    """The server on a free port of loopback, for the length of a ``with`` block."""
    state = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            if state.silent:
                state.ended.wait(30)
                return
            recipients: list[str] = []
            self.say("220 mail.example.org ready")
            while line := self.rfile.readline():
                word, _, rest = line.decode().strip().partition(" ")
                if state.goes_away_after == len(state.taken) and word.upper() == "MAIL":
                    return
                match word.upper():
                    case "EHLO":
                        self.say("250 mail.example.org")
                    case "MAIL" | "RSET" | "NOOP":
                        recipients = []
                        self.say("250 well")
                    case "RCPT":
                        address = rest.partition("<")[2].partition(">")[0]
                        if address in state.refused:
                            self.say("550 no such user here")
                        else:
                            recipients.append(address)
                            self.say("250 well")
                    case "DATA":
                        self.say("354 go on")
                        self.data(recipients)
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("502 not here")

        def data(self, recipients: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            if state.refuses_data:
                self.say("554 looks like spam")
                return
            mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            state.taken.append((recipients, mail))
            self.say("250 taken")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
