"""Secrets out of a text that a person will hand on, such as the trace of a defect.

What is masked: the values of variables whose names speak of secrets; the secrets in ``clouds.yaml``
and the other files that imagecycle reads accounts from; and whatever looks like a token, a private
key or a password by its shape.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import stat
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from imagecycle.site import DEFAULT_SITE_FILE

MASK = "***"
FILE_VARIABLES = (
    "OS_CLIENT_CONFIG_FILE",
    "OS_CLIENT_SECURE_FILE",
    "JENKINS_FILE",
    "IMAGECYCLE_SITE",
)
"""Variables that name YAML files with accounts. A file that another variable names may be anything:
YAML's reader takes seconds for a bundle of certificates."""
FILE_OPTIONS = ("--account", "--site")

_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|passcode|_pass$|^pass$|_pwd$|secret|token|api_?key|access_?key"
    r"|private_?key|credentials?$",
    re.IGNORECASE,
)
_SHORTEST = 4
"""Characters; masking shorter ones would leave nothing to read"""
_LARGEST = 2**20
"""Bytes of a file that is looked into"""
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_WRITTEN = re.compile(r"""^[\s\-{,]*["']?([\w-]+)["']?\s*:\s*(.+?)\s*$""", re.MULTILINE)

_HEADERS = "authorization|x-auth-token|x-subject-token|x-service-token|cookie|crumb"
_WORDS = r"(?:passw(?:or)?d|passphrase|passcode|secret|token|api_?key|access_?key)[\w-]{0,40}"
_QUOTED = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_PATTERNS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        # a private key, also with its line breaks as Python or JSON write them, or cut off
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            MASK,
        ),
        (rf"(?i)((?:{_HEADERS})['\"]?\s*[:=,]\s*b?['\"])[^'\"\n]*", rf"\1{MASK}"),
        (rf"(?i)((?:{_HEADERS})\s*:\s*)[^'\"\s][^'\"\n]*", rf"\1{MASK}"),
        (r"(?i)\b(bearer|basic|negotiate|ntlm)(\s+)[\w.~+/=-]{8,}", rf"\1\2{MASK}"),
        (r"\bgAAAA[\w-]{20,}={0,2}", MASK),  # Fernet, the tokens of Keystone
        (r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", MASK),  # JSON Web Tokens
        (r"(://[^\s/:@'\"]*:)[^\s/'\"]*@", rf"\1{MASK}@"),  # an account in an address
        (rf"(?i)({_WORDS}['\"]?\s*[:=]\s*b?)(?!['\"]\*\*\*)(?:{_QUOTED})", rf"\1{MASK}"),
        (rf"(?i)({_WORDS}\s*[:=]\s*)(?!b?['\"]|\*\*\*)[^\s'\",;)}}\]&(]+", rf"\1{MASK}"),
    )
)


def masked(text: str, secrets: Iterable[str]) -> str:
    """A text with :data:`MASK` in place of these secrets, and of what looks like one."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def known(environment: Mapping[str, str], arguments: Sequence[str], home: Path) -> set[str]:
    """The secrets that this run of the program was given.

    :param home: where the development cloud has its ``clouds.yaml``.
    """
    found = {value for name, value in environment.items() if _names_a_secret(name)}
    for path in _files(environment, arguments, home):
        found.update(_in_file(path))
    return {value for value in found if len(value.strip()) >= _SHORTEST}


def _files(environment: Mapping[str, str], arguments: Sequence[str], home: Path) -> Iterator[Path]:
    """Where accounts may stand; most of these files are not there."""
    yield from (Path(name) for key in FILE_VARIABLES if (name := environment.get(key)))
    for word, following in itertools.zip_longest(arguments, arguments[1:], fillvalue=""):
        option, equals, value = word.partition("=")
        if option in FILE_OPTIONS and (value if equals else following):
            yield Path(value if equals else following)
    own = Path(environment.get("HOME") or "/", ".config")
    folders = (Path(), own / "openstack", Path("/etc/openstack"), home / "devcloud")
    for folder in folders:
        for kind in ("yaml", "yml", "json"):
            yield from (folder / f"{name}.{kind}" for name in ("clouds", "secure"))
    yield own / "imagecycle" / "jenkins.yaml"
    yield DEFAULT_SITE_FILE


def _in_file(path: Path) -> Iterator[str]:
    """The secrets in a file; none of one that cannot be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return
        text = path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return
    for key, value in _WRITTEN.findall(text):  # also of a file that is no YAML
        if _names_a_secret(key):
            yield value.strip("'\"},")
    try:
        yield from _in_node(yaml.compose(text, Loader=_LOADER), set())
    except (yaml.YAMLError, ValueError, RecursionError):
        return


def _in_node(node: yaml.Node | None, seen: set[int]) -> Iterator[str]:
    """The secrets below a node of a YAML file, as they are written there, numbers too."""
    if id(node) in seen:
        return
    seen.add(id(node))  # an anchor may stand in itself
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(value, yaml.ScalarNode) and _names_a_secret(str(key.value)):
                yield str(value.value)
            else:
                yield from _in_node(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _in_node(value, seen)


def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and "askpass" not in name.lower()


def _forms(secret: str) -> Iterator[str]:
    """A secret as messages, addresses and headers may hold it."""
    for one in {secret, secret.strip()}:
        yield one
        yield repr(one)[1:-1]
        yield json.dumps(one)[1:-1]
        yield urllib.parse.quote(one, safe="")
        yield urllib.parse.quote_plus(one)
        yield base64.b64encode(one.encode(errors="surrogateescape")).decode()
