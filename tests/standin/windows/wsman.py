"""WS-Management in the words of Windows' WinRM: requests read strictly, answers written.

The order and the names of elements and attributes are those of recorded answers of real Windows,
which a test compares with them; see ``tests/integration/test_winrm_recordings.py``.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
}
SHELL = NAMESPACES["rsp"]
CMD = f"{SHELL}/cmd"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
ACTIONS = {
    f"{NAMESPACES['x']}/Create": "Shell",
    f"{NAMESPACES['x']}/Delete": None,
    f"{SHELL}/Command": "CommandLine",
    f"{SHELL}/Send": "Send",
    f"{SHELL}/Receive": "Receive",
    f"{SHELL}/Signal": "Signal",
}
"""What Windows' command shell can be asked for, and the element that the body then has."""
OPTIONS = {
    "WINRS_NOPROFILE": "true|false",
    "WINRS_CODEPAGE": r"\d+",
    "WINRS_CONSOLEMODE_STDIN": "true|false",
    "WINRS_SKIP_CMD_SHELL": "true|false",
    "WSMAN_CMDSHELL_OPTION_KEEPALIVE": "true|false",
}
SIGNALS = tuple(f"{SHELL}/signal/{name}" for name in ("ctrl_c", "ctrl_break", "terminate"))
_HEADERS = {
    f"{{{NAMESPACES[prefix]}}}{name}"
    for prefix, name in (
        *(("a", name) for name in ("Action", "MessageID", "ReplyTo", "To")),
        *(("w", name) for name in ("Locale", "MaxEnvelopeSize", "OperationTimeout")),
        *(("w", name) for name in ("OptionSet", "ResourceURI", "SelectorSet")),
        *(("p", name) for name in ("DataLocale", "SessionId")),
    )
}


class Malformed(Exception):
    """A request that real Windows would not have understood; a defect of the client."""


class Fault(Exception):
    """A refusal in the words of WS-Management.

    :param code: Windows' own number.
    :param provider: whether the shell's plugin, and not the service, has refused.
    """

    def __init__(
        self, code: int, party: str, subcode: str, text: str, *, detail: str = "", inner: str = ""
    ) -> None:
        super().__init__(text)
        self.code, self.party, self.subcode, self.text = code, party, subcode, text
        self.detail, self.inner = detail, inner


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    message_id: str
    action: str
    body: ElementTree.Element | None
    shell: str
    timeout: float
    options: dict[str, str]


@dataclass(frozen=True)
class Party:
    """Who answers: what stands in every answer of one machine."""

    host: str
    address: str
    activity_ids: bool = True
    """Windows Server 2012 and later write them"""


def read(data: bytes) -> Request:
    """:raises Malformed: naming what is wrong."""
    try:
        envelope = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise Malformed(f"no XML: {error}") from None
    if envelope.tag != _tag("s", "Envelope") or [part.tag for part in envelope] != [
        _tag("s", "Header"),
        _tag("s", "Body"),
    ]:
        raise Malformed(f"no SOAP 1.2 envelope with header and body: {envelope.tag}")
    header, body = envelope
    for element in header:
        if element.tag not in _HEADERS:
            raise Malformed(f"unknown header {element.tag}")
    action = _text(header, "a", "Action")
    if action not in ACTIONS:
        raise Malformed(f"unknown action {action}")
    if _text(header, "w", "ResourceURI") != CMD:
        raise Malformed(f"unknown resource {_text(header, 'w', 'ResourceURI')}")
    reply = header.find(f"{_tag('a', 'ReplyTo')}/{_tag('a', 'Address')}")
    if reply is None or reply.text != ANONYMOUS:
        raise Malformed("ReplyTo must be the anonymous role")
    message_id = _text(header, "a", "MessageID")
    if not re.fullmatch(r"uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", message_id):
        raise Malformed(f"MessageID must be a UUID: {message_id}")
    if not _text(header, "w", "MaxEnvelopeSize").isdigit():
        raise Malformed("MaxEnvelopeSize must be a number")
    timeout = re.fullmatch(r"PT([\d.]+)S", _text(header, "w", "OperationTimeout"))
    if timeout is None:
        raise Malformed("OperationTimeout must be a number of seconds such as PT20S")
    content = _content(body, action)
    selectors = {s.get("Name"): s.text or "" for s in header.iter(_tag("w", "Selector"))}
    if action.endswith("/Create") == bool(selectors) or selectors.keys() - {"ShellId"}:
        raise Malformed(f"selectors {sorted(map(str, selectors))} with {action}")
    return Request(
        message_id=message_id,
        action=action.rsplit("/", 1)[1],
        body=content,
        shell=selectors.get("ShellId", ""),
        timeout=float(timeout[1]),
        options=_options(header),
    )


def _content(body: ElementTree.Element, action: str) -> ElementTree.Element | None:
    wanted = ACTIONS[action]
    found = [element.tag for element in body]
    if found != ([] if wanted is None else [_tag("rsp", wanted)]):
        raise Malformed(f"the body of {action} holds {found}")
    return None if wanted is None else body[0]


def _options(header: ElementTree.Element) -> dict[str, str]:
    options = {str(o.get("Name")): o.text or "" for o in header.iter(_tag("w", "Option"))}
    for name, value in options.items():
        if name not in OPTIONS or not re.fullmatch(OPTIONS[name], value, re.IGNORECASE):
            raise Malformed(f"unknown option {name} = {value}")
    return options


def _tag(prefix: str, name: str) -> str:
    return f"{{{NAMESPACES[prefix]}}}{name}"


def _text(parent: ElementTree.Element, prefix: str, name: str) -> str:
    found = parent.findall(_tag(prefix, name))
    if len(found) != 1 or not found[0].text:
        raise Malformed(f"{name} is wanted once, and not empty")
    return found[0].text


def answer(party: Party, request: Request, body: str) -> bytes:
    """An answer to a request."""
    kind = "x" if request.action in ("Create", "Delete") else "rsp"
    return _envelope(party, request, f"{NAMESPACES[kind]}/{request.action}Response", body)


def _envelope(party: Party, request: Request, action: str, body: str) -> bytes:
    declared = "".join(f' xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
    activity = f"<p:ActivityId>{new_id()}</p:ActivityId>" if party.activity_ids else ""
    return (
        f'<s:Envelope xml:lang="en-US"{declared}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{new_id()}</a:MessageID>{activity}<a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{request.message_id}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def refused(party: Party, request: Request, fault: Fault) -> bytes:
    """The answer to a request that cannot be served; it goes with the status 500."""
    detail = f"<w:FaultDetail>{fault.detail}</w:FaultDetail>" if fault.detail else ""
    words = escape(fault.text)
    inner = escape(fault.inner or fault.text)
    if fault.inner == PROVIDER:
        inner = (
            '<f:ProviderFault provider="Shell cmd plugin" '
            rf'path="%systemroot%\system32\winrscmd.dll">{words}</f:ProviderFault>'
        )
    body = (
        f"<s:Fault><s:Code><s:Value>s:{fault.party}</s:Value><s:Subcode>"
        f"<s:Value>w:{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{words}</s:Text></s:Reason><s:Detail>{detail}'
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        f'Code="{fault.code}" Machine="{party.host}"><f:Message>{inner}</f:Message>'
        "</f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(party, request, f"{NAMESPACES['w'].removesuffix('.xsd')}/fault", body)


PROVIDER = "provider"
"""As the inner text of a fault: the shell's plugin has refused."""


def created(party: Party, shell: str, owner: str, wanted: ElementTree.Element) -> str:
    """The body that describes a new shell as it was wanted."""
    given = {child.tag.rpartition("}")[2]: child for child in wanted}
    extra = ""
    if "Environment" in given:
        variables = "".join(
            f"<rsp:Variable Name={quoteattr(one.get('Name', ''))}>{escape(one.text or '')}"
            "</rsp:Variable>"
            for one in given["Environment"]
        )
        extra += f"<rsp:Environment>{variables}</rsp:Environment>"
    if "WorkingDirectory" in given:
        folder = escape(given["WorkingDirectory"].text or "")
        extra += f"<rsp:WorkingDirectory>{folder}</rsp:WorkingDirectory>"
    idle = given["IdleTimeOut"].text or "" if "IdleTimeOut" in given else "PT7200S"
    streams = {name: given[name].text or "" for name in ("InputStreams", "OutputStreams")}
    return (
        f"<x:ResourceCreated><a:Address>{party.address}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{CMD}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId>"
        f"<rsp:ResourceUri>{CMD}</rsp:ResourceUri><rsp:Owner>{escape(owner)}</rsp:Owner>"
        f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP>{extra}"
        f"<rsp:IdleTimeOut>{idle.removesuffix('S')}.000S</rsp:IdleTimeOut>"
        + "".join(f"<rsp:{name}>{value}</rsp:{name}>" for name, value in streams.items())
        + "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
        "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
    )


def received(command: str, parts: Sequence[tuple[str, bytes]], status: int | None) -> str:
    """The body with a command's output; ``status`` is None while it runs."""
    streams = "".join(
        f'<rsp:Stream Name="{stream}" CommandId="{command}">'
        f"{base64.b64encode(data).decode()}</rsp:Stream>"
        for stream, data in parts
    )
    state = f"{SHELL}/CommandState/{'Running' if status is None else 'Done'}"
    opening = f'<rsp:CommandState CommandId="{command}" State="{state}"'
    if status is None:
        return f"<rsp:ReceiveResponse>{streams}{opening}></rsp:CommandState></rsp:ReceiveResponse>"
    ends = "".join(
        f'<rsp:Stream Name="{stream}" CommandId="{command}" End="true"></rsp:Stream>'
        for stream in ("stdout", "stderr")
    )
    return (
        f"<rsp:ReceiveResponse>{streams}{ends}{opening}>"
        f"<rsp:ExitCode>{status}</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"
    )


def new_id() -> str:
    """A new identifier, in capitals as Windows writes them."""
    return str(uuid.uuid4()).upper()
