"""Answers one connection to the metadata service, on standard input and output.

QEMU starts this program for each connection that a guest makes to 169.254.169.254, so it uses
nothing but Python itself and is started without the site's packages::

    python3 -I -S metadata_answer.py FOLDER LOG

FOLDER holds what the service knows, one file for each address; a folder in it is answered with the
names in it, as Nova and EC2 do. Requests are noted in LOG.
"""

import os
import sys
from pathlib import Path

LINE_LIMIT = 8192
BODY_LIMIT = 65536
REQUESTS = 100
"""In one connection"""
NAMES = ".names"
"""The file that answers for a folder which is shown in words of its own"""


def main(folder: Path, log: Path) -> None:
    """Answer requests until the connection ends."""
    for _ in range(REQUESTS):
        request = sys.stdin.buffer.readline(LINE_LIMIT).decode("ascii", "replace").split()
        if len(request) != 3:
            return
        method, target, version = request
        keep = _rest_of_request() and version == "HTTP/1.1"
        status, body = answer(folder, method, target.partition("?")[0])
        with log.open("a") as stream:
            stream.write(f"{status} {ascii(method)[1:-1]} {ascii(target)[1:-1]}\n")
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: text/plain"]
        head += [] if keep else ["Connection: close"]
        sent = "\r\n".join([*head, "", ""]).encode() + (b"" if method == "HEAD" else body)
        sys.stdout.buffer.write(sent)
        sys.stdout.buffer.flush()
        if not keep:
            return


def _rest_of_request() -> bool:
    """Read headers and body; whether the connection may be used again."""
    length, keep = 0, True
    while (line := sys.stdin.buffer.readline(LINE_LIMIT).strip()) and b":" in line:
        name, _, value = line.lower().partition(b":")
        if name == b"content-length" and value.strip().isdigit():
            length = min(int(value), BODY_LIMIT)
        if name == b"connection" and value.strip() == b"close":
            keep = False
    sys.stdin.buffer.read(length)
    return keep


def answer(folder: Path, method: str, path: str) -> tuple[str, bytes]:
    """The status and the body for an address below the service's root."""
    if method not in ("GET", "HEAD"):  # EC2's tokens (IMDSv2) are nothing that OpenStack has
        return "405 Method Not Allowed", b""
    place = Path(os.path.normpath(folder / path.strip("/")))
    if not place.is_relative_to(folder):
        return "404 Not Found", b""
    if (place / NAMES).is_file():
        place /= NAMES
    if place.is_dir():
        slash = "" if path.startswith("/openstack") else "/"  # Nova names no folder as one
        names = sorted(p.name + (slash if p.is_dir() else "") for p in place.iterdir())
        return "200 OK", "\n".join(names).encode()
    if not place.is_file():
        return "404 Not Found", b""
    return "200 OK", place.read_bytes()


if __name__ == "__main__":
    main(Path(os.path.normpath(sys.argv[1])), Path(sys.argv[2]))
