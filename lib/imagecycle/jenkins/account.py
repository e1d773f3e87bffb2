"""How to reach the controller: its address, an account and its API token.

They come from the environment (``JENKINS_URL``, ``JENKINS_USER``, ``JENKINS_TOKEN``,
``JENKINS_FOLDER``, ``JENKINS_CA_FILE``), and what is not there from a YAML file that only its owner
may read. The token is kept out of everything that is printed.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from imagecycle import yamlfile
from imagecycle.errors import InvalidFile, UsageError, suggestion

FILE_VARIABLE = "JENKINS_FILE"
DEFAULT_FILE = Path("~/.config/imagecycle/jenkins.yaml")
VARIABLES = {
    "url": "JENKINS_URL",
    "user": "JENKINS_USER",
    "token": "JENKINS_TOKEN",
    "folder": "JENKINS_FOLDER",
    "ca_file": "JENKINS_CA_FILE",
}
"""The settings by name, each with the variable that outranks the file"""


@dataclass(frozen=True)
class Account:
    """An account at a controller."""

    url: str = ""
    """Up to the path prefix, without a slash at its end: ``https://ci.example/jenkins``"""
    user: str = ""
    """Empty, with an empty token, for what everybody may see"""
    token: str = field(default="", repr=False)
    folder: str = ""
    """The Jenkins folder that the jobs live in, such as ``cloud/images``; empty for the top"""
    ca_file: str = ""
    """Certificates to trust instead of the machine's, in PEM"""
    insecure: bool = False
    """Trust any certificate"""


def load(
    file: Path | None = None,
    *,
    folder: str | None = None,
    ca_file: str | None = None,
    insecure: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Account:
    """Find the account.

    :param file: the file with what the environment lacks; by default the one that
        ``JENKINS_FILE`` names, else ``~/.config/imagecycle/jenkins.yaml`` where there is one.
    :param folder: outranks environment and file, as do ``ca_file`` and ``insecure``.
    :raises UsageError: when there is no address, only half of an account, or the file can be read
        by others.
    :raises InvalidFile: when the file has mistakes.
    """
    named = file or (Path(text) if (text := environment.get(FILE_VARIABLE)) else None)
    path = named or DEFAULT_FILE.expanduser()
    found = _read(path) if named is not None or path.exists() else {}
    found |= {name: text for name, key in VARIABLES.items() if (text := environment.get(key))}
    if folder is not None:
        found["folder"] = folder
    if ca_file is not None:
        found["ca_file"] = ca_file
    account = Account(**found, insecure=insecure)
    return _checked(account, path)


def _checked(account: Account, path: Path) -> Account:
    if not account.url:
        raise UsageError(
            "no Jenkins controller is configured",
            hint=f"set JENKINS_URL, JENKINS_USER and JENKINS_TOKEN, or write url, user and token "
            f"into {path}",
        )
    parts = _parts(account.url)
    if parts.username or parts.password:
        raise UsageError(
            "the controller's address contains an account",
            hint="take it out of the address, and set JENKINS_USER and JENKINS_TOKEN",
        )
    if bool(account.user) != bool(account.token):
        missing = "JENKINS_TOKEN" if account.user else "JENKINS_USER"
        raise UsageError(
            f"the account is incomplete: {missing} is not set",
            hint="a token is made in Jenkins under the account's name, Security, API Token",
        )
    if account.ca_file and not Path(account.ca_file).is_file():
        raise UsageError(
            f"no such file: {account.ca_file}", hint="check JENKINS_CA_FILE or --ca-file"
        )
    url = account.url.rstrip("/")
    return dataclasses.replace(account, url=url, folder=account.folder.strip("/"))


def _parts(url: str) -> SplitResult:
    """The parts of an address that a request can be made to.

    :raises UsageError: for any other.
    """
    import requests

    try:
        parts = urlsplit(url)
        requests.Request("GET", url).prepare()
        parts.hostname.encode("idna")  # type: ignore[union-attr]  # has one by now
        if parts.scheme in ("http", "https"):
            return parts
    except ValueError:
        pass
    raise UsageError(
        f"not the address of a controller: {re.sub('//[^/]*@', '//', url)}",
        hint="it begins with https:// or http://, such as https://ci.example/jenkins",
    )


def _read(path: Path) -> dict[str, str]:
    try:
        status = path.stat()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint=f"check {FILE_VARIABLE} or --account"
        ) from None
    if status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
        mode = stat.S_IMODE(status.st_mode)
        raise UsageError(
            f"{path} holds a token and has mode {mode:04o}: others may read it",
            hint=f"chown {os.geteuid()} {path}; chmod 600 {path}",
        )
    file = yamlfile.read(path)
    content = file.content if file.content is not None else {}
    if not isinstance(content, dict):
        raise InvalidFile([file.problem((), "expected settings, such as `url: https://...`")])
    problems = []
    for name, value in content.items():
        if name not in VARIABLES:
            near = suggestion(str(name), VARIABLES)
            words = near or f"; the settings are {', '.join(VARIABLES)}"
            problems.append(file.problem((name,), f"unknown setting {name}{words}"))
        elif not isinstance(value, str):
            problems.append(file.problem((name,), f"{name}: expected text in quotes"))
    if problems:
        raise InvalidFile(problems)
    return {str(name): value for name, value in content.items()}
