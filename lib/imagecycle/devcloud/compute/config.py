"""The configuration files of MariaDB's users, Placement, Neutron, Nova and Cinder; RabbitMQ's."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from imagecycle.artifacts import write_text
from imagecycle.devcloud.config import (
    LEFT_OUT_BY_CINDER,
    LEFT_OUT_BY_NOVA,
    NOT_INHERITED,
    REGION,
)
from imagecycle.devcloud.layout import HOST, Identity, Layout

HOSTS = ("devcloud-compute-1", "devcloud-compute-2")
"""The hypervisors: two, so that a server can be resized from one to the other."""
DATABASES = ("nova_api", "nova", "nova_cell0", "placement", "neutron", "cinder")

_DEFAULT = """\
[DEFAULT]
use_stderr = true
log_options = false
transport_url = {messages}
"""

_COMMON = """\

[oslo_concurrency]
lock_path = {run}

[oslo_messaging_notifications]
driver = noop

"""

_ACCOUNT = """\
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

_NOVA_DATABASES = """\
[api_database]
connection = {nova_api}

[database]
connection = {nova}
max_pool_size = 20

"""

_NOVA = """\
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
"""

_NEUTRON_DEFAULT = """\
core_plugin = ml2
service_plugins = router
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
project_network_types = local
mechanism_drivers = openvswitch
"""

_PLACEMENT = """\
[api]
auth_strategy = keystone

[placement_database]
connection = {placement}
"""

_CINDER_DEFAULT = """\
host = devcloud
my_ip = 127.0.0.1
state_path = {data}/cinder
api_paste_config = {venv}/etc/cinder/api-paste.ini
resource_query_filters_file = {venv}/etc/cinder/resource_filters.json
auth_strategy = keystone
enabled_backends = nothing
glance_api_servers = {glance}
quota_volumes = -1
quota_snapshots = -1
quota_gigabytes = -1
graceful_shutdown_timeout = 1
periodic_fuzzy_delay = 0
"""

_CINDER = """\
[nothing]
volume_driver = storage.Storage
volume_backend_name = nothing

[coordination]
backend_url = file://{data}/cinder

[database]
connection = {cinder}

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
        "glance": identity.url("glance"),
        "region": REGION,
        "messages": f"rabbit://imagecycle:{identity.passwords['rabbitmq']}"
        f"@{HOST}:{identity.ports['rabbitmq']}/",
        **{name: _database(name, socket) for name in DATABASES},
    }

    def account(section: str, user: str) -> str:
        password = identity.passwords[user]
        return _ACCOUNT.format(**places, section=section, user=user, password=password)

    def service(user: str, default: str, own: str) -> str:
        checked = f"www_authenticate_uri = {places['keystone']}\n"
        text = _DEFAULT + default + _COMMON + own
        return text.format(**places) + account("keystone_authtoken", user) + checked

    copied = () if layout.unprotected.exists() else NOT_INHERITED
    kept_by_nova = ",".join((*LEFT_OUT_BY_NOVA, *copied))
    kept_by_cinder = ",".join((*LEFT_OUT_BY_CINDER, *copied))
    nova_default = f"{_NOVA_DEFAULT}non_inheritable_image_properties = {kept_by_nova}\n"
    cinder_default = f"{_CINDER_DEFAULT}glance_core_properties = {kept_by_cinder}\n"
    nova = [account(section, "nova") for section in ("placement", "neutron", "service_user")]
    # Cinder lets go of an attached volume only when Nova says who it is.
    nova[-1] += "send_service_user_token = true\n"
    messages = {"host": HOST, "port": identity.ports["rabbitmq"]}
    texts = {
        "nova.conf": "\n".join([*nova, service("nova", nova_default, _NOVA + _NOVA_DATABASES)]),
        # Hypervisors have no database, and complain of one that they are told of.
        "nova-compute.conf": "\n".join([*nova, service("nova", _NOVA_DEFAULT, _NOVA)]),
        "neutron.conf": service("neutron", _NEUTRON_DEFAULT, _NEUTRON),
        "cinder.conf": service("cinder", cinder_default, _CINDER),
        "placement.conf": service("placement", "", _PLACEMENT),
        "rabbitmq.conf": _RABBITMQ.format(**messages, password=identity.passwords["rabbitmq"]),
        **{f"{host}.conf": _COMPUTE.format(**places, host=host) for host in HOSTS},
    }
    for name, text in texts.items():
        write_text(etc / name, text, mode=0o600)
    for folder in ("nova", "neutron", "cinder", *HOSTS):
        (layout.data / folder).mkdir(exist_ok=True)


def cell_database(name: str) -> str:
    """A cell's database for Nova's records, which takes the place from the configuration."""
    return f"{{scheme}}://root@localhost/{name}?{{query}}"


CELL_MESSAGES = "{scheme}://{username}:{password}@{hostname}:{port}/"


def _database(name: str, socket: Path) -> str:
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={quote(str(socket))}&charset=utf8mb3"
