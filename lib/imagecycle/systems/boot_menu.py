"""The boot menus of install media, made to start the installer by themselves.

A medium has one menu for each way to boot. Vendors say different things in them, above all where
the installer's own files are; so the entry that installs is found in the vendor's menu and gets
more arguments, and nothing else of it changes. ISOLINUX: "SYSLINUX" documentation, ``config``;
GRUB: its manual, "Writing a configuration file".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SEPARATOR = "---"
"""What comes after it on the kernel's command line, the installers of Debian and Ubuntu pass on to
the system that they install"""
_INSTALLS = re.compile(r"\binstall", re.IGNORECASE)
_DOES_NOT = re.compile(
    r"rescue|check|test|troubleshoot|memory|boot from|hard *disk|local|firmware|basic|safe|graphic"
    r"|speech|accessible|expert|automated|oem|utility|vnc|text mode",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    r"^\s*(menuentry|submenu)\s+(?:--\S+\s+)*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.MULTILINE
)
_LINUX = re.compile(r"^(\s*(?:linux|linuxefi|\$linux|\$\{linux\})\s+)(\S+)([^\n]*)$", re.MULTILINE)


class NoEntry(Exception):
    """A menu without an entry that installs; the text names those that there are."""


@dataclass(frozen=True)
class Entry:
    """One entry of a menu."""

    title: str
    kernel: str
    arguments: str
    """With ``initrd=`` in the words of ISOLINUX"""


def isolinux(configurations: Mapping[str, str], more: str) -> str:
    """A configuration of ISOLINUX that boots the entry that installs, with more arguments.

    :param configurations: the texts of the medium's own, by name; they may include one another.
    :raises NoEntry: when none of them installs.
    """
    entries = [entry for text in configurations.values() for entry in isolinux_entries(text)]
    entry = _chosen(entries)
    return (
        "default imagecycle\nprompt 0\ntimeout 1\nlabel imagecycle\n"
        f"  kernel {entry.kernel}\n  append {_with(entry.arguments, more)}\n"
    )


def isolinux_entries(text: str) -> list[Entry]:
    """The entries of a configuration of ISOLINUX."""
    found: list[Entry] = []
    for part in re.split(r"^\s*label\s+", text, flags=re.MULTILINE | re.IGNORECASE)[1:]:
        said = {
            word.lower(): rest
            for word, rest in re.findall(r"^\s*(\w+)[ \t]+(.+?)\s*$", part, re.MULTILINE)
        }
        titles = re.findall(r"^\s*menu\s+label\s+(.+?)\s*$", part, re.MULTILINE | re.IGNORECASE)
        title = (titles[0] if titles else part.split()[0]).replace("^", "")
        kernel = said.get("kernel") or said.get("linux") or ""
        arguments = said.get("append", "")
        if "initrd" in said and "initrd=" not in arguments:
            arguments = f"initrd={said['initrd']} {arguments}"
        if kernel and not kernel.endswith((".c32", ".0", ".bin")):
            found.append(Entry(title, kernel, arguments))
    return found


def grub(text: str, more: str) -> str:
    """A menu of GRUB that boots the entry that installs at once, with more arguments.

    :raises NoEntry: when none of its entries installs.
    """
    places = _grub_entries(text)
    entry = _chosen([entry for _, entry, _, _ in places])
    number, start, end = next((n, s, e) for n, one, s, e in places if one is entry)
    quoted = more.replace(";", "\\;")
    changed = _LINUX.sub(
        lambda line: f"{line[1]}{line[2]} {_with(line[3].strip(), quoted)}",
        text[start:end],
        count=1,
    )
    at_once = f'\nset default="{number}"\nset timeout=0\nset timeout_style=hidden\n'
    return text[:start] + changed + text[end:] + at_once


def grub_entries(text: str) -> list[Entry]:
    """The entries at the top of a menu of GRUB, without those of submenus."""
    return [entry for _, entry, _, _ in _grub_entries(text)]


def _grub_entries(text: str) -> list[tuple[int, Entry, int, int]]:
    """Each entry with its number in the menu, and where its body begins and ends."""
    found: list[tuple[int, Entry, int, int]] = []
    number, position = 0, 0
    while match := _ENTRY.search(text, position):
        start = text.find("{", match.end())
        end = _closing(text, start)
        if match[1] == "menuentry" and (line := _LINUX.search(text, start, end)):
            title = match[2] or match[3] or match[4] or ""
            found.append((number, Entry(title, line[2], line[3].strip()), start, end))
        number, position = number + 1, max(end, match.end())
    return found


def _closing(text: str, start: int) -> int:
    """Where the block that begins with the brace at ``start`` ends."""
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{" and text[position - 1] != "$":
            depth += 1
        elif text[position] == "}" and not re.search(
            r"\$\{\w*$", text[max(0, position - 60) : position]
        ):
            depth -= 1
            if depth == 0:
                return position
    return len(text)


def _chosen(entries: Sequence[Entry]) -> Entry:
    fitting = [entry for entry in entries if not _DOES_NOT.search(entry.title)]
    installing = [entry for entry in fitting if _INSTALLS.search(entry.title)]
    for entry in (*installing, *(one for one in fitting if "linux" in one.title.lower())):
        return entry
    known = ", ".join(entry.title for entry in entries) or "no entries at all"
    raise NoEntry(f"nothing in the boot menu installs; it has {known}")


def _with(arguments: str, more: str) -> str:
    """More arguments, among those that are the installer's own."""
    before, separator, after = arguments.partition(SEPARATOR)
    words = f"{before.strip()} {more}".strip()
    return f"{words} {separator}{after}".rstrip() if separator else words
