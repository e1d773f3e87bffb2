"""Where apt fetches packages from, as its files say; see sources.list(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagecycle.systems.files import SystemFiles
from imagecycle.systems.package_manager import Source

FILES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*")
_ONE_LINE = re.compile(
    r"\s*deb(?:-src)?\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<address>\S+)\s*(?P<suite>\S*)"
)
_TRUSTED = re.compile(r"(?i)\b(trusted|allow-insecure)\s*[=:]\s*(yes|true|1)\b")


def sources(files: SystemFiles) -> list[Source]:
    """All sources that are not commented out or disabled."""
    found = []
    for pattern in FILES:
        for path in files.glob(pattern):
            if path.endswith((".list", ".sources")):
                text = files.read(path).decode(errors="replace")
                read = _stanzas if path.endswith(".sources") else _lines
                found += list(read(path, text))
    return found


def _lines(path: str, text: str) -> Iterator[Source]:
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.partition("#")[0]):
            options = match["options"] or ""
            trusted, keys = bool(_TRUSTED.search(options)), _keys(options)
            yield Source(path, match["address"], trusted, match["suite"], keys)


def _stanzas(path: str, text: str) -> Iterator[Source]:
    """Of the deb822 form: fields, whose values may go on in indented lines."""
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", bare):
        fields = dict(re.findall(r"(?m)^([\w-]+):((?:.*(?:\n[ \t].*)*))", stanza))
        said = {name.lower(): value for name, value in fields.items()}
        if said.get("enabled", "").strip().lower() in ("no", "false", "0"):
            continue
        for address in said.get("uris", "").split():
            for suite in said.get("suites", "").split() or [""]:
                trusted, keys = bool(_TRUSTED.search(stanza)), _keys(stanza)
                yield Source(path, address, trusted, suite, keys)


def _keys(text: str) -> tuple[str, ...]:
    """The files that a source names for its signature; no fingerprints, nor keys within it."""
    said = re.search(r"(?im)\bsigned-by\s*[=:]\s*(/[^\s\]]+)", text)
    return tuple(said[1].split(",")) if said else ()
