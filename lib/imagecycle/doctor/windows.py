"""The doctor looks at what images of Windows need besides: media, programs, the KMS host."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from collections.abc import Iterable, Iterator

from imagecycle import catalog as catalogs
from imagecycle.doctor.finding import Finding, failed, ok, warning
from imagecycle.machine import platforms
from imagecycle.model import Family
from imagecycle.shipped import SETUP
from imagecycle.site import Site
from imagecycle.systems.windows_activation import KMS_PORT

CONNECT_LIMIT = 3.0
PROGRAMS = {
    "tesseract": "what Windows asks on its screen is not read",
    "ntfs-3g": "the disk of a release is opened in a virtual machine, which takes longer",
}


def windows(site: Site, fresh: bool) -> Finding:
    """What Windows needs, where media of it are configured."""
    families = [
        family
        for family in catalogs.load(site.catalog)
        if family.windows is not None and family.media.configured
    ]
    if not families:
        return ok("no medium of Windows is configured")
    missing = [
        f"windows.{key} ({what})"
        for key, what, found in (
            ("drivers", "the virtio-win ISO", site.windows.drivers),
            ("cloudbase_init", "the MSI of cloudbase-init", site.windows.cloudbase_init),
        )
        if found is None
    ]
    if missing:
        return failed(
            f"the site's settings name no {' and no '.join(missing)}",
            "name them with url and sha256; see docs/windows.rst",
        )
    if packages := {one for family in families for one in platforms.missing_for(family)}:
        return failed(f"machines of Windows need {', '.join(sorted(packages))}", SETUP)
    if absent := [f"no {name}: {means}" for name, means in PROGRAMS.items() if _absent(name)]:
        return warning("; ".join(absent), SETUP)
    if importlib.util.find_spec("hivex") is None:
        return warning("no python3-hivex: the registry of a release is not checked", SETUP)
    hosts = sorted(set(_kms_hosts(families, site)))
    if silent := [host for host in hosts if not _answers(host)]:
        return warning(
            f"no KMS host answers from here: {', '.join(silent)}",
            f"instances must reach it on TCP port {KMS_PORT}; this machine need not",
        )
    told = f"KMS at {', '.join(hosts)}" if hosts else "the KMS host is left to DNS"
    return ok(f"{len(families)} families; {told}")


def _absent(program: str) -> bool:
    return shutil.which(program) is None


def _kms_hosts(families: Iterable[Family], site: Site) -> Iterator[str]:
    for family in families:
        facts = family.windows
        if facts is None or facts.key != "kms" or not facts.context.activate:
            continue
        if host := facts.context.kms_host or site.windows.kms_host:
            yield host


def _answers(host: str) -> bool:
    name, _, port = host.partition(":")
    try:
        with socket.create_connection((name, int(port or KMS_PORT)), CONNECT_LIMIT):
            return True
    except OSError:
        return False
