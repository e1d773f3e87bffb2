"""The databases of the development cloud, made or brought up to the installed versions.

A schema is made in a copy that takes the place of the database when it is finished, so that a
start which is killed half-way leaves the old database, or none.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from imagecycle import command
from imagecycle.artifacts import write_text
from imagecycle.devcloud import install
from imagecycle.devcloud.config import REGION
from imagecycle.devcloud.layout import CLEAN, Identity, Layout
from imagecycle.errors import CommandFailed, ImagecycleError

_LIMIT = 180.0
_MANAGE = Path(__file__).with_name("runners") / "keystone_manage.py"


def is_prepared(layout: Layout) -> bool:
    """Whether the databases fit the installed versions and hold the accounts."""
    try:
        return bool(json.loads(_marker(layout).read_text())["digest"] == install.digest())
    except (OSError, ValueError, KeyError):
        return False


def mark_prepared(layout: Layout) -> None:
    """Remember that the databases are as they should be."""
    write_text(_marker(layout), json.dumps({"digest": install.digest()}))


def prepare(layout: Layout, identity: Identity) -> None:
    """Make both databases, Keystone's keys, and Keystone's first accounts.

    :raises ImagecycleError: when a step fails; its output is in the log folder.
    """
    output = layout.logs / "prepare.log"
    for service in ("keystone", "glance"):
        _copy(layout, service)
    glance = [
        str(layout.venv / "bin" / "glance-manage"),
        *("--config-file", str(layout.etc / "glance-api.new.conf"), "db_sync"),
    ]
    try:
        with command.background(glance, output=output, env=CLEAN, cwd=layout.folder) as glance_sync:
            command.run(
                _keystone(layout, identity.url("keystone")),
                timeout=_LIMIT,
                output=output,
                cwd=layout.folder,
                env={**CLEAN, "OS_BOOTSTRAP_PASSWORD": identity.passwords["admin"]},
            )
            command.finish(glance_sync, timeout=_LIMIT)
    except CommandFailed as failed:
        raise ImagecycleError(
            f"cannot make the databases of the development cloud: {failed.message}",
            hint=f"read {output}; `imagecycle devcloud stop --purge` begins again from nothing",
        ) from None
    for service in ("keystone", "glance"):
        _replace(layout, service)


def _keystone(layout: Layout, url: str) -> list[str]:
    keys = ("--keystone-user", layout.folder.owner(), "--keystone-group", layout.folder.group())
    urls = [
        *("--bootstrap-public-url", url, "--bootstrap-internal-url", url),
        *("--bootstrap-admin-url", url, "--bootstrap-region-id", REGION),
    ]
    return [
        *(str(layout.python), str(_MANAGE), str(layout.etc / "keystone.new.conf")),
        *("--", "fernet_setup", *keys, "--", "db_sync", "--", "bootstrap", *urls),
    ]


def _copy(layout: Layout, service: str) -> None:
    current = layout.data / f"{service}.sqlite"
    new = layout.data / f"{service}.sqlite.new"
    new.unlink(missing_ok=True)
    if current.exists():
        shutil.copyfile(current, new)


def _replace(layout: Layout, service: str) -> None:
    (layout.data / f"{service}.sqlite.new").replace(layout.data / f"{service}.sqlite")


def _marker(layout: Layout) -> Path:
    return layout.data / "prepared.json"
