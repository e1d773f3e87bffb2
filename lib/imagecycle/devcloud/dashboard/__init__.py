"""The dashboard of the development cloud: a real Horizon with imagecycle's panels.

It has an environment of its own beside the cloud's, since it pins other versions, and runs as one
process on loopback: no memcached, no web server, sessions in its memory.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imagecycle.artifacts import write_text
from imagecycle.devcloud import accounts, install, services
from imagecycle.devcloud.config import REGION
from imagecycle.devcloud.dashboard import installation
from imagecycle.devcloud.layout import HOST, Identity, Layout
from imagecycle.devcloud.services import Program, Service

_ANSWER_LIMIT = 20.0
_PAGE = "/auth/login/"


@dataclass(frozen=True)
class Dashboard(Service):
    """Horizon, served by ``runners/dashboard.py``."""

    def python(self, layout: Layout) -> Path:
        return layout.dashboard_venv / "bin" / "python"

    def version(self, layout: Layout) -> str:
        return install.version(layout.dashboard_venv, "horizon")

    def program(self, layout: Layout, identity: Identity) -> Program:
        place = [HOST, str(identity.ports[self.name])]
        return "dashboard.py", [str(_settings_file(layout)), *place], {}

    def answers(self, layout: Layout, identity: Identity) -> bool:
        """Whether its page to log in can be read."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        address = f"{identity.url(self.name)}{_PAGE}"
        try:
            with opener.open(address, timeout=_ANSWER_LIMIT) as response:
                return bool(response.status == 200)
        except OSError:
            return False


DASHBOARD = Dashboard("dashboard", "dashboard (Horizon)")
SERVICES: Sequence[Service] = (DASHBOARD,)

_SETTINGS = """\
ALLOWED_HOSTS = ["{host}", "localhost"]
SECRET_KEY = "{secret}"
OPENSTACK_KEYSTONE_URL = "{keystone}"
OPENSTACK_KEYSTONE_DEFAULT_ROLE = "member"
DEFAULT_SERVICE_REGIONS = {{"*": "{region}"}}
# All of it is one process, so its memory can hold the sessions.
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {{"MAX_ENTRIES": 10000}},
    }}
}}
LAUNCH_INSTANCE_DEFAULTS = {{"create_volume": False}}
IMAGECYCLE_OPERATIONS = "{operations}"
{installed}
"""


def ensure_installed(layout: Layout) -> None:
    """Install what is missing; what runs of other panels is stopped.

    :raises ImagecycleError: when it cannot be installed.
    """
    if not installation.is_complete(layout):
        stop(layout)
        installation.ensure(layout)


def ensure_running(layout: Layout, identity: Identity) -> None:
    """Start it unless it runs, and make what Horizon wants of the cloud; Keystone must run.

    :raises ImagecycleError: when it does not come up.
    """
    text = _SETTINGS.format(
        host=HOST,
        secret=identity.passwords["dashboard"],
        keystone=identity.url("keystone"),
        region=REGION,
        operations=layout.operations_file,
        installed=installation.settings(layout),
    )
    write_text(_settings_file(layout), text, mode=0o600)
    if layout.with_compute.exists():
        accounts.ensure_network(identity)
    if services.pid_of(layout, DASHBOARD) is None:
        services.start(layout, identity, DASHBOARD)
    services.await_answer(layout, identity, DASHBOARD)


def stop(layout: Layout) -> list[Service]:
    """Stop it; returns what ran."""
    return [service for service in SERVICES if services.stop(layout, service)]


def _settings_file(layout: Layout) -> Path:
    return layout.etc / "horizon_settings.py"
