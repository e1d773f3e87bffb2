"""What will become of an installation by apt: found out by this machine's apt, in its own folder.

Nothing of this machine is changed: apt gets settings, lists and a record of installed packages that
lie in that folder. It believes the keys of this machine's apt for the builder's sources, and those
of the catalog for the sources that they belong to, as the guest's apt will. See apt.conf(5).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from imagecycle import command
from imagecycle.errors import CommandFailed, ImagecycleError
from imagecycle.model import Repository
from imagecycle.systems import openpgp
from imagecycle.systems.package_manager import Outlook, Wanted

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
TIME_LIMIT = 600.0
_NOWHERE = "/nowhere"
"""Of which apt warns that it is not there"""
_SETTINGS = """\
Dir "{root}/";
Dir::State::status "{root}/status";
Dir::State::lists "{root}/lists";
Dir::Cache "{root}/cache";
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "{root}/sources.list.d";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "{nowhere}";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "{nowhere}";
Dir::Etc::trusted "/usr/share/keyrings/debian-archive-keyring.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d/";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Get::List-Cleanup "false";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
"""
_UNKNOWN = re.compile(
    r"^E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate)", re.M
)
_NEW = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)
_SIZES = re.compile(r"^(Installed-Size|Size): (\d+)$", re.MULTILINE)


def stanza(repository: Repository, key: str) -> str:
    """A package source in the form of sources.list(5), "DEB822-STYLE FORMAT"."""
    lines = ["Types: deb", f"URIs: {repository.url}", f"Suites: {repository.suite}"]
    if repository.components:
        lines.append(f"Components: {' '.join(repository.components)}")
    return "\n".join([*lines, f"Signed-By: {key}", ""])


def key_name(repository: Repository, content: bytes) -> str:
    """The name of a key's file, from whose ending apt knows its form."""
    armoured = openpgp.ARMOURED in content
    return f"{repository.name}.{'asc' if armoured else 'gpg'}"


def outlook(wanted: Wanted, root: Path) -> Outlook:
    """See :meth:`imagecycle.systems.package_manager.PackageManager.outlook`."""
    if not (wanted.sources or wanted.repositories):
        return Outlook()
    _arrange(wanted, root)
    _update(wanted, root)
    if not (wanted.sources and wanted.packages):
        return Outlook()  # what is not here may be in the image's own sources
    words = ["--simulate", "install", "--", *wanted.packages]
    done = _apt(root, "apt-get", words, check=False)
    if done.returncode == 0:
        return Outlook(needed=_needed(root, done.stdout))
    said = done.stdout + done.stderr
    unknown = tuple(first or second for first, second in _UNKNOWN.findall(said))
    if unknown:
        return Outlook(unknown=tuple(dict.fromkeys(unknown)))
    return Outlook(reason=_reason(said))


def _arrange(wanted: Wanted, root: Path) -> None:
    parts, keys = root / "sources.list.d", root / "keys"
    for folder in (parts, keys):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (parts, keys, root / "lists" / "partial", root / "cache" / "archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    architecture = ARCHITECTURES.get(wanted.arch, wanted.arch)
    (root / "apt.conf").write_text(
        _SETTINGS.format(root=root, nowhere=_NOWHERE, architecture=architecture)
    )
    (root / "status").write_bytes(wanted.installed)
    (root / "sources.list").write_text("".join(f"{line}\n" for line in wanted.sources))
    for one in wanted.repositories:
        content = one.key.read_bytes()
        key = keys / key_name(one, content)
        key.write_bytes(content)
        (parts / f"{one.name}.sources").write_text(stanza(one, str(key)))


def _update(wanted: Wanted, root: Path) -> None:
    done = _apt(root, "apt-get", ["-q", "update"], check=False)
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).splitlines()
    warnings = [line for line in said if line.startswith("W: ") and _NOWHERE not in line]
    lines = [*(line for line in said if line.startswith("E: ")), *warnings]
    for one in wanted.repositories:
        of_it = [line[3:] for line in lines if one.url in line]
        if of_it:
            raise ImagecycleError(
                f"{one.place}: the package source {one.name} cannot be used: {_why(of_it)}",
                hint="compare url, suite, components and key with what its vendor says",
            )
    raise ImagecycleError(
        f"the package mirror cannot be used: {_why([line[3:] for line in lines])}",
        hint="check the mirror in the site's settings, and `imagecycle doctor`",
    )


def _why(said: Sequence[str]) -> str:
    """Of apt's complaints, the one that tells most: of signatures before what follows from it."""
    telling = [line for line in said if "signature" in line.lower() or "GPG error" in line]
    return (telling or list(said) or ["apt does not say why"])[0]


def _reason(said: str) -> str:
    """Why packages cannot be installed together."""
    _, found, rest = said.partition("have unmet dependencies:\n")
    if found:
        lines = [line.strip() for line in rest.splitlines() if line.startswith(" ")]
        return "; ".join(lines[:3])
    errors = [line[3:] for line in said.splitlines() if line.startswith("E: ")]
    return errors[0] if errors else "apt does not say why"


def _needed(root: Path, simulated: str) -> int:
    """Bytes of what is new, and of the packages' files that are there at the same time."""
    new = [f"{name}={version}" for name, version in _NEW.findall(simulated)]
    if not new:
        return 0
    shown = _apt(root, "apt-cache", ["show", "--no-all-versions", *new]).stdout
    return sum(
        int(size) * (1024 if name == "Installed-Size" else 1)
        for name, size in _SIZES.findall(shown)
    )


def _apt(root: Path, program: str, words: list[str], *, check: bool = True) -> command.Completed:
    env = {"APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C.UTF-8"}
    try:
        return command.run([program, *words], env=env, timeout=TIME_LIMIT, check=check)
    except CommandFailed as failure:
        raise ImagecycleError(f"apt failed: {_reason(failure.output)}") from None
