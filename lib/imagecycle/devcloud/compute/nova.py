"""Nova's and Placement's processes."""

from __future__ import annotations

from imagecycle.devcloud.compute.config import HOSTS
from imagecycle.devcloud.compute.forked import Family, Worker
from imagecycle.devcloud.services import Api

PLACEMENT = Api(
    "placement",
    "resources (Placement)",
    "placement.wsgi.api",
    {"OS_PLACEMENT_CONFIG_DIR": "{etc}"},
    package="openstack-placement",
)
API = Api(
    "nova-api",
    "compute (Nova)",
    "nova.wsgi.osapi_compute",
    {"OS_NOVA_CONFIG_DIR": "{etc}", "OS_NOVA_CONFIG_FILES": "nova-api-paste.ini;nova.conf"},
    package="nova",
)
WORKERS_GATE = "workers"
"""To be opened when there are messages (RabbitMQ), Keystone and Placement."""
COMPUTES_GATE = "computes"
"""To be opened when the conductor works: a hypervisor asks it first, and is slow to ask again."""
CONDUCTOR = Worker(
    "nova-conductor", "Nova's conductor", "nova.cmd.conductor", ("nova.conf",), WORKERS_GATE, "nova"
)
SCHEDULER = Worker(
    "nova-scheduler", "Nova's scheduler", "nova.cmd.scheduler", ("nova.conf",), WORKERS_GATE, "nova"
)
COMPUTES = tuple(
    Worker(
        f"nova-compute-{number}",
        f"hypervisor {number} (fake)",
        "nova.cmd.compute",
        ("nova-compute.conf", f"{host}.conf"),
        COMPUTES_GATE,
        "nova",
    )
    for number, host in enumerate(HOSTS, 1)
)
FAMILY = Family("nova", (PLACEMENT, CONDUCTOR, SCHEDULER, API, *COMPUTES))
