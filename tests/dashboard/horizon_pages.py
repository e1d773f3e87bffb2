"""Horizon's pages without a web server or a browser, from its own environment."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagecycle.devcloud import dashboard
from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.layout import CLEAN, Layout

PROJECT = "a1" * 16
_PROGRAM = Path(__file__).with_name("in_horizon.py")
_RUNNER = Path(dashboard.__file__).parents[1] / "runners" / "dashboard.py"
_SETTINGS = """\
SECRET_KEY = "of no server"
ALLOWED_HOSTS = ["testserver"]
OPENSTACK_KEYSTONE_URL = "http://127.0.0.1:9/v3"  # nobody logs in
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # the names of the static files alone are more than fit by default
        "OPTIONS": {{"MAX_ENTRIES": 10000}},
    }}
}}
{installed}
COMPRESS_PRECOMPILERS = ()  # style sheets take seconds to make, and are not looked at
"""


@dataclass(frozen=True)
class Answer:
    """A page."""

    status: int
    body: str
    """All of it"""
    location: str
    seconds: float
    """What Horizon took for it, its questions to the services included"""
    raised: str
    """The trace of what led to status 500"""

    @property
    def text(self) -> str:
        """What our part of the page says."""
        ours = self.body.partition('id="content_body"')[2].partition('id="footer"')[0]
        ours = re.sub(r"<(script|style).*?</\1>", " ", ours, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", ours)).split())


@dataclass(frozen=True)
class Pages:
    """A Horizon that answers."""

    process: subprocess.Popen[str]
    services: Mapping[str, str] = field(default_factory=dict)
    """Addresses by type of service; Keystone's among them"""
    token: str = "token"
    project: str = PROJECT

    def see(
        self,
        path: str,
        *,
        roles: Sequence[str] = ("member", "reader"),
        language: str = "en",
        **settings: Any,
    ) -> Answer:
        """Open a page.

        :param settings: of Horizon, for this page.
        """
        request = {
            "path": f"/{path}",
            "token": self.token,
            "project": self.project,
            "keystone": self.services["identity"],
            "roles": list(roles),
            "catalog": [_entry(kind, address) for kind, address in self.services.items()],
            "settings": settings,
            "headers": {"Accept-Language": language},
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, "Horizon has ended"
        return Answer(**json.loads(line))


def _entry(kind: str, address: str) -> dict[str, Any]:
    endpoint = {"region": "RegionOne", "region_id": "RegionOne", "url": address, "id": kind}
    faces = [{**endpoint, "interface": interface} for interface in ("public", "internal", "admin")]
    return {"type": kind, "name": kind, "endpoints": faces}


@contextlib.contextmanager
def running(layout: Layout, scratch: Path) -> Iterator[Pages]:
    """A Horizon for the length of a ``with`` block; its environment is made where it is missing.

    :param scratch: a folder for its settings and what it logs.
    """
    installation.ensure(layout)
    settings = scratch / "horizon_settings.py"
    installed = installation.settings(layout)
    settings.write_text(_SETTINGS.format(installed=installed))
    python = layout.dashboard_venv / "bin" / "python"
    with (scratch / "horizon.log").open("w") as log:
        process = subprocess.Popen(
            [python, _PROGRAM, _RUNNER, settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **CLEAN},
            cwd="/",
        )
        try:
            yield Pages(process)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
