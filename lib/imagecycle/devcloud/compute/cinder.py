"""Cinder's processes."""

from __future__ import annotations

from imagecycle.devcloud.compute.forked import Family, Worker
from imagecycle.devcloud.services import Api

_CONFIG = ("cinder.conf",)
API = Api(
    "cinder-api",
    "volumes (Cinder)",
    "cinder.wsgi.api",
    {},
    package="cinder",
    config=_CONFIG,
)
VOLUMES_GATE = "volumes"
"""To be opened when there are messages (RabbitMQ)."""
SCHEDULER_GATE = "volume-scheduler"
"""To be opened when the storage works: the scheduler asks it once what it can, and then waits for a
minute until it tells of itself."""
VOLUME = Worker(
    "cinder-volume", "storage (fake)", "cinder.cmd.volume", _CONFIG, VOLUMES_GATE, "cinder"
)
SCHEDULER = Worker(
    "cinder-scheduler",
    "Cinder's scheduler",
    "cinder.cmd.scheduler",
    _CONFIG,
    SCHEDULER_GATE,
    "cinder",
)
FAMILY = Family("cinder", (API, VOLUME, SCHEDULER))
