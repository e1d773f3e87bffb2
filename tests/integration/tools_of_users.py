"""Tools that users of a cloud find images with, installed once for the tests and kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

FOLDER = Path("/var/tmp/imagecycle-tests/tools")
ANSIBLE = ("ansible==12.3.0", "openstacksdk==4.5.0")
"""With its collections. That for OpenStack reads ``openstack.version``, which the tests' own
openstacksdk no longer has."""
PROVIDER = "github.com/terraform-provider-openstack/terraform-provider-openstack/v3@v3.4.0"
_LIMIT = 900


def ansible() -> Path:
    """The folder of Ansible's programs."""
    versions = "-".join(one.partition("==")[2] for one in ANSIBLE)
    return _kept(f"ansible-{versions}", _install_ansible) / "bin"


def provider() -> Path:
    """The folder with Terraform's provider for OpenStack, made from its source with Go."""
    return _kept(f"provider-{PROVIDER.partition('@')[2]}", _build_provider)


def terraform() -> str | None:
    """OpenTofu or Terraform, where the machine has one and can make the provider."""
    return (shutil.which("tofu") or shutil.which("terraform")) if shutil.which("go") else None


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = FOLDER / name / "complete"
        if not done.exists():
            shutil.rmtree(done.parent, ignore_errors=True)
            make(done.parent)
            done.touch()
        return done.parent


def _install_ansible(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    _run(*pip, "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile", *ANSIBLE)


def _build_provider(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        places = {"GOBIN": str(folder), "GOPATH": f"{scratch}/path", "GOCACHE": f"{scratch}/cache"}
        # modules are written read-only otherwise, and stay
        _run("go", "install", "-modcacherw", PROVIDER, env={**os.environ, **places})


def _run(*words: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(words, check=True, timeout=_LIMIT, env=env)
