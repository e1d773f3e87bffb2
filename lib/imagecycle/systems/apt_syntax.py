"""Whether apt can read its settings and sources; see apt.conf(5), sources.list(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagecycle.systems.files import SystemFiles

_SETTINGS = ("/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*")
_IGNORED = re.compile(r".*(~|\.(bak|disabled|dpkg-\w+|save|orig|distUpgrade|ucf-\w+))")
_TOKEN = re.compile(
    r"(?P<skipped>\s+|//[^\n]*|#(?!clear|include)[^\n]*|/\*.*?\*/)"
    r"|(?P<text>\"[^\"\n]*\")|(?P<mark>[{};])|(?P<word>[^\s{};\"]+)|(?P<stray>\")",
    re.DOTALL,
)
_ONE_LINE = re.compile(r"deb(-src)?\s+(\[[^\]]*\]\s+)?\w[\w+.-]*:\S+\s+(\S+/|\S+\s+\S+.*)")
_FIELDS = ("types", "uris", "suites")


def broken(files: SystemFiles) -> list[tuple[str, str]]:
    """The files at which apt gives up, and why."""
    found = []
    for pattern in _SETTINGS:
        for path in files.glob(pattern):
            if not _IGNORED.fullmatch(path):
                what = _settings(files.read(path).decode(errors="replace"))
                found += [(path, what)] * bool(what)
    for pattern in ("/etc/apt/sources.list", "/etc/apt/sources.list.d/*"):
        for path in files.glob(pattern):
            text = files.read(path).decode(errors="replace")
            if path.endswith(".list"):
                found += [(path, f"says {line}") for line in _lines(text)]
            elif path.endswith(".sources"):
                found += [(path, f"leaves out {name}") for name in _stanzas(text)]
    return found


def _settings(text: str) -> str:
    """What is wrong with settings: words, values, braces and semicolons in their order."""
    depth = 0
    statement: list[str] = []
    for match in _TOKEN.finditer(text):
        if match["skipped"]:
            continue
        if match["stray"]:
            return "has a quotation mark that nothing closes"
        token = match[0]
        if token == "{":
            depth, statement = depth + 1, []
        elif token == "}":
            if statement:
                return f"lacks a semicolon after {' '.join(statement)[:60]}"
            depth -= 1
            if depth < 0:
                return "closes a brace that nothing opens"
        elif token == ";":
            statement = []
        else:
            statement.append(token)
            words = [one for one in statement if not one.startswith('"')]
            follows = len(words) > 2 or (len(words) == 2 and statement[1] != words[1])
            if follows and not words[0].startswith("#"):
                return f"lacks a semicolon after {' '.join(statement[:2])[:60]}"
    if statement:
        return f"lacks a semicolon after {' '.join(statement)[:60]}"
    return "has a brace that nothing closes" if depth else ""


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        bare = line.partition("#")[0].strip()
        if bare and not _ONE_LINE.fullmatch(bare) and not bare.startswith("deb cdrom:"):
            yield bare


def _stanzas(text: str) -> Iterator[str]:
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", bare):
        names = {name.lower() for name in re.findall(r"(?m)^([\w-]+):", stanza)}
        if stanza.strip() and "enabled" not in names:
            yield from (name for name in _FIELDS if name not in names)
