"""WinRM's command shells: opened, used and deleted as Windows does it."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass, field
from xml.etree import ElementTree

from standin.windows import wsman
from standin.windows.guest import Answer, Guest
from standin.windows.wsman import PROVIDER, Fault, Malformed, Party, Request

_ENVELOPE = 100_000  # bytes of output in one answer; clients allow 150 KiB with base64 and all


@dataclass
class Command:
    """One command under way."""

    line: str
    answer: Answer | None = None
    began: float = 0.0
    stdin: bytes = b""
    closed: bool = False
    sent: int = 0
    """Parts of the answer that are on their way already"""


@dataclass
class Shell:
    """One open shell."""

    owner: str
    commands: dict[str, Command] = field(default_factory=dict)


@dataclass
class Shells:
    """All shells of one machine."""

    guest: Guest
    party: Party
    most: int = 30
    """How many a user may have open; Windows' MaxShellsPerUser is 30"""
    open: dict[str, Shell] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """The actions of all requests"""
    lock: threading.RLock = field(default_factory=threading.RLock)
    restart: bool = False
    """Whether a command has asked for a restart"""

    def handle(self, request: Request, user: str) -> bytes:
        """The answer to a request.

        :raises Fault: when it is refused.
        """
        self.seen.append(request.action)
        action = getattr(self, f"_{request.action.lower()}")
        body: str = action(request, user)
        return wsman.answer(self.party, request, body)

    def expire(self) -> None:
        """Let all shells end, as Windows does with those that nobody uses."""
        self.open.clear()

    def _create(self, request: Request, user: str) -> str:
        assert request.body is not None
        if len(self.open) >= self.most:
            raise Fault(
                2150859173,
                "Receiver",
                "QuotaLimit",
                "The WS-Management service cannot process the request. This user is allowed a "
                f"maximum number of {self.most} concurrent shells, which has been exceeded.",
            )
        shell = wsman.new_id()
        self.open[shell] = Shell(user)
        return wsman.created(self.party, shell, user, request.body)

    def _delete(self, request: Request, user: str) -> str:
        self._shell(request, user)
        del self.open[request.shell]
        return ""

    def _command(self, request: Request, user: str) -> str:
        shell = self._shell(request, user)
        assert request.body is not None
        words = [element.text or "" for element in request.body]
        if (
            request.options.get("WINRS_SKIP_CMD_SHELL", "").lower() == "true"
            and ":" not in words[0]
        ):
            text = "The system cannot find the file specified."
            raise Fault(2147942402, "Receiver", "InternalError", text, inner=PROVIDER)
        identifier = wsman.new_id()
        line = " ".join(words)
        command = Command(line)
        shell.commands[identifier] = command
        self._advance(command)
        inner = f"<rsp:CommandId>{identifier}</rsp:CommandId>"
        return f"<rsp:CommandResponse>{inner}</rsp:CommandResponse>"

    def _send(self, request: Request, user: str) -> str:
        shell = self._shell(request, user)
        assert request.body is not None
        for stream in request.body:
            command = self._of(shell, stream.get("CommandId"))
            if stream.get("Name") != "stdin" or command.closed:
                raise Malformed(f"input to {stream.get('Name')}, closed: {command.closed}")
            command.stdin += base64.b64decode(stream.text or "", validate=True)
            command.closed = (stream.get("End") or "").lower() == "true"
            self._advance(command)
        return "<rsp:SendResponse></rsp:SendResponse>"

    def _receive(self, request: Request, user: str) -> str:
        shell = self._shell(request, user)
        assert request.body is not None
        wanted = request.body[0]
        if wanted.text != "stdout stderr":
            raise Malformed(f"unknown streams {wanted.text}")
        identifier = wanted.get("CommandId")
        if identifier is None:
            detail = f"{wsman.NAMESPACES['w'].removesuffix('.xsd')}/faultDetail/InvalidValue"
            text = "The parameter is incorrect."
            raise Fault(87, "Sender", "InvalidParameter", text, detail=detail, inner=PROVIDER)
        command = self._of(shell, identifier)
        deadline = time.monotonic() + request.timeout
        while time.monotonic() < deadline:
            with self.lock:
                parts, status = self._due(command)
            if status is not None:
                del shell.commands[identifier]
            if parts or status is not None:
                return wsman.received(identifier, parts, status)
            time.sleep(0.01)
        raise Fault(
            2150858793,
            "Receiver",
            "TimedOut",
            "The WS-Management service cannot complete the operation within the time specified in "
            "OperationTimeout. ",
        )

    def _signal(self, request: Request, user: str) -> str:
        shell = self._shell(request, user)
        assert request.body is not None
        code = request.body[0].text or ""
        if code.lower() not in (signal.lower() for signal in wsman.SIGNALS):
            raise Malformed(f"unknown signal {code}")
        shell.commands.pop(request.body.get("CommandId") or "", None)
        return "<rsp:SignalResponse/>"

    def _advance(self, command: Command) -> None:
        """Let a command begin that has all that it wants."""
        answer = self.guest.answer(command.line, command.stdin if command.closed else None)
        if not answer.wants_input:
            command.answer, command.began = answer, time.monotonic()
            self.restart = self.restart or answer.restarts

    def _due(self, command: Command) -> tuple[list[tuple[str, bytes]], int | None]:
        """What can be sent of a command's output, and its status once all was."""
        if command.answer is None:
            return [], None
        due: list[tuple[str, bytes]] = []
        moment, size = command.began, 0
        for number, (delay, stream, data) in enumerate(command.answer.parts):
            moment += delay
            if number < command.sent:
                continue
            if moment > time.monotonic() or (due and size + len(data) > _ENVELOPE):
                return due, None
            due.append((stream, data))
            size += len(data)
            command.sent += 1
        return due, command.answer.status

    def _shell(self, request: Request, user: str) -> Shell:
        shell = self.open.get(request.shell)
        if shell is None or shell.owner != user:
            raise _unknown(
                f"The request for the Windows Remote Shell with ShellId {request.shell} failed "
                "because the shell was not found on the server. "
            )
        return shell

    def _of(self, shell: Shell, identifier: str | None) -> Command:
        command = shell.commands.get(identifier or "")
        if command is None:
            raise _unknown(
                "The Windows Remote Shell received a request to perform an operation on a command "
                "identifier that does not exist. "
            )
        return command


def _unknown(text: str) -> Fault:
    return Fault(
        2150858843,
        "Sender",
        "InvalidSelectors",
        "The WS-Management service cannot process the request because the request contained "
        "invalid selectors for the resource. ",
        detail=f"{wsman.NAMESPACES['w'].removesuffix('.xsd')}/faultDetail/UnexpectedSelectors",
        inner=text,
    )


def structure(data: bytes) -> list[str]:
    """Names, attributes and order of an answer's elements, without the values that vary.

    How output is cut into pieces is a matter of moments: pieces of one stream count as one.
    """
    found: list[str] = []

    def walk(element: ElementTree.Element, depth: int) -> None:
        attributes = " ".join(f"{name}" for name in element.attrib if name != "State")
        state = element.get("State", "").rpartition("/")[2]
        word = f"{'  ' * depth}{element.tag} {attributes} {state}".rstrip()
        if element.tag.endswith("}Stream"):
            word += f" {element.get('Name')}"
        if element.tag.endswith(("}Value", "}Action")):
            word += f" {element.text}"
        if element.tag.endswith("}WSManFault"):
            word += f" {element.get('Code')}"
        if not found or found[-1] != word or not element.tag.endswith("}Stream"):
            found.append(word)
        for child in element:
            walk(child, depth + 1)

    walk(ElementTree.fromstring(data), 0)
    return found
