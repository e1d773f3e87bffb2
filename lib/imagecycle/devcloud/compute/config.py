"""The configuration files of MariaDB's users: Placement, Neutron and Nova; and RabbitMQ's."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from imagecycle.artifacts import write_text
from imagecycle.devcloud.config import REGION
from imagecycle.devcloud.layout import HOST, Identity, Layout

HOSTS = ("devcloud-compute-1", "devcloud-compute-2")
"""The hypervisors: two, so that a server can be resized from one to the other."""
DATABASES = ("nova_api", "nova", "nova_cell0", "placement", "neutron")

_COMMON = """\
[DEFAULT]
use_stderr = true
log_options = false
transport_url = {messages}

[oslo_concurrency]
lock_path = {run}

[oslo_messaging_notifications]
driver = noop

[oslo_messaging_rabbit]
# Only the death of this machine could be noticed by them.
heartbeat_in_pthread = false

"""

_TOKEN = """\
[{section}]
auth_type = password
auth_url = {keystone}
user_domain_name = Default
project_domain_name = Default
project_name = service
username = {user}
password = {password}
region_name = {region}

"""

_CHECKED_TOKENS = "www_authenticate_uri = {keystone}\n"

_NOVA = """\
[api_database]
connection = {nova_api}

[database]
connection = {nova}
max_pool_size = 20

[glance]
region_name = {region}

[compute]
max_concurrent_builds = 10

[scheduler]
workers = 1

[conductor]
workers = 1

[filter_scheduler]
track_instance_changes = false
"""

_NOVA_DEFAULT = """\
compute_driver = fake.DevcloudDriver
host = devcloud
my_ip = 127.0.0.1
state_path = {data}/nova
enabled_apis = osapi_compute
allow_resize_to_same_host = false
# a resize of a stopped server waits so long for it to shut down
shutdown_timeout = 1
resize_confirm_window = 0
block_device_allocate_retries_interval = 0
graceful_shutdown_timeout = 1
manager_shutdown_timeout = 1
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
periodic_fuzzy_delay = 0
"""

_COMPUTE = """\
[DEFAULT]
host = {host}
state_path = {data}/{host}

[compute]
# its disks are as fake as the rest: it must not matter how full this machine's are
"""

_NEUTRON_DEFAULT = """\
core_plugin = ml2
service_plugins =
state_path = {data}/neutron
api_paste_config = {venv}/etc/neutron/api-paste.ini
auth_strategy = keystone
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
"""

_NEUTRON = """\
[database]
connection = {neutron}

[ml2]
type_drivers = local
tenant_network_types = local
mechanism_drivers =
"""

_PLACEMENT = """\
[api]
auth_strategy = keystone

[placement_database]
connection = {placement}
"""

_RABBITMQ = """\
listeners.tcp.1 = {host}:{port}
default_user = imagecycle
default_pass = {password}
log.console = true
log.console.level = warning
log.file = false
"""


def write(layout: Layout, identity: Identity, etc: Path, socket: Path) -> None:
    """Write what the services read.

    :param etc: the folder for the files.
    :param socket: the database's socket.
    """
    places = {
        "data": layout.data,
        "run": layout.run,
        "venv": layout.venv,
        "keystone": identity.url("keystone"),
        "region": REGION,
        "messages": f"rabbit://imagecycle:{identity.passwords['rabbitmq']}"
        f"@{HOST}:{identity.ports['rabbitmq']}/",
        **{name: _database(name, socket) for name in DATABASES},
    }

    def tokens(section: str, user: str) -> str:
        password = identity.passwords[user]
        return _TOKEN.format(**places, section=section, user=user, password=password)

    def checked(user: str) -> str:
        return (
            tokens("keystone_authtoken", user).rstrip("\n")
            + "\n"
            + (_CHECKED_TOKENS.format(**places) + "\n")
        )

    common = _COMMON.format(**places)
    texts = {
        "nova.conf": common.replace("\n\n", "\n" + _NOVA_DEFAULT.format(**places) + "\n", 1)
        + checked("nova")
        + tokens("placement", "nova")
        + tokens("neutron", "nova")
        + tokens("service_user", "nova")
        + _NOVA.format(**places),
        "neutron.conf": common.replace("\n\n", "\n" + _NEUTRON_DEFAULT.format(**places) + "\n", 1)
        + checked("neutron")
        + _NEUTRON.format(**places),
        "placement.conf": common + checked("placement") + _PLACEMENT.format(**places),
        "rabbitmq.conf": _RABBITMQ.format(
            host=HOST,
            port=identity.ports["rabbitmq"],
            password=identity.passwords["rabbitmq"],
        ),
        **{f"{host}.conf": _COMPUTE.format(**places, host=host) for host in HOSTS},
    }
    for name, text in texts.items():
        write_text(etc / name, text, mode=0o600)
    for folder in ("nova", "neutron", *HOSTS):
        (layout.data / folder).mkdir(exist_ok=True)


def cell_database(name: str) -> str:
    """A cell's database for Nova's records, which takes the place from the configuration."""
    return f"{{scheme}}://root@localhost/{name}?{{query}}"


CELL_MESSAGES = "{scheme}://{username}:{password}@{hostname}:{port}/"


def _database(name: str, socket: Path) -> str:
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={quote(str(socket))}&charset=utf8mb3"
