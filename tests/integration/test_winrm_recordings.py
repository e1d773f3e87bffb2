"""The stand-in for WinRM answers as real Windows answered when pypsrp's authors recorded it.

The recordings are in pypsrp's source distribution, which is downloaded: conversations between a
client and Windows, request by request. The recorded requests are replayed, and the answers compared
in names, namespaces, attributes, order, states and codes; not in identifiers, words and moments.
"""

import base64
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from standin.windows import wsman
from standin.windows.guest import Answer, Guest
from standin.windows.shells import Shells, structure

pytestmark = pytest.mark.integration

NAMES = (
    "bad_cmd_id",
    "environment",
    "extra_opts",
    "fail_poll_process",
    "no_cmd_shell",
    "noprofile",
    "open_already_opened",
    "operation_timeout",
    "send",
    "standard",
    "stderr_rc",
    "unicode",
)
_ID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.I)
_RSP = f"{{{wsman.SHELL}}}"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pypsrp")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pypsrp"]
    subprocess.run([*pip, "--dest", folder, "pypsrp==0.9.1"], check=True, timeout=120)
    with tarfile.open(folder / "pypsrp-0.9.1.tar.gz") as archive:
        for name in NAMES:
            path = f"pypsrp-0.9.1/tests/tests_pypsrp/responses/test_winrs_{name}.yml"
            member = archive.extractfile(path)
            assert member is not None
            (folder / f"{name}.yml").write_bytes(member.read())
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_recorded_requests_get_answers_of_the_recorded_structure(
    recordings: Path, name: str
) -> None:
    messages = yaml.safe_load((recordings / f"{name}.yml").read_text())["messages"]
    guest = declared(messages)
    activity_ids = ":ActivityId>" in messages[0]["response"]
    party = wsman.Party("127.0.0.1", "https://127.0.0.1:5986/wsman", activity_ids)
    shells = Shells(guest, party)
    ours: dict[str, str] = {}
    compared = 0
    for message in messages:
        # what the recorded machine called its shells and commands, in our words
        sent = _ID.sub(lambda found, ours=ours: ours.get(found[0], found[0]), message["request"])
        sent = re.sub(r"PT\d+S</wsman:OperationTimeout", "PT0.6S</wsman:OperationTimeout", sent)
        request = wsman.read(sent.encode())
        try:
            answer = shells.handle(request, "vagrant")
        except wsman.Fault as fault:
            assert "transport_error" in message
            answer = wsman.refused(party, request, fault)
        recorded = message["response"].encode()
        assert structure(answer) == structure(recorded)
        ours.update(zip(identifiers(recorded), identifiers(answer), strict=True))
        compared += 1
    assert compared >= 2
    assert guest.complaints == []


def declared(messages: list[dict[str, Any]]) -> Guest:
    """A machine that prints for every recorded command what the recorded one printed."""
    guest = Guest()
    lines: list[str] = []
    parts: list[list[tuple[float, str, bytes]]] = []
    status = [0]
    wait = 0.0
    for message in messages:
        request = ElementTree.fromstring(message["request"])
        command = request.find(f".//{_RSP}CommandLine")
        if command is not None and "transport_error" not in message:
            lines.append(" ".join(element.text or "" for element in command))
            parts.append([])
        if request.find(f".//{_RSP}Receive") is None:
            continue
        if "transport_error" in message:
            wait += 0.6 if wait else 0.9  # a time limit that passed, and half of the next
            continue
        for stream in ElementTree.fromstring(message["response"]).iter(f"{_RSP}Stream"):
            if stream.text:
                data = base64.b64decode(stream.text)
                parts[-1].append((wait, stream.get("Name", ""), data))
                wait = 0.0
        code = ElementTree.fromstring(message["response"]).find(f".//{_RSP}ExitCode")
        status = [int(code.text or 0)] if code is not None else status
    for line, output in zip(lines, parts, strict=True):
        guest.commands[line] = Answer(tuple(output), status[0])
    return guest


def identifiers(answer: bytes) -> list[str]:
    """The shell and the command that an answer names first."""
    root = ElementTree.fromstring(answer)
    found = [root.findtext(f".//{_RSP}{name}") for name in ("ShellId", "CommandId")]
    return [identifier for identifier in found if identifier]
