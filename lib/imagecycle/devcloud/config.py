"""The configuration files of the development cloud."""

from __future__ import annotations

import yaml

from imagecycle.artifacts import write_text
from imagecycle.devcloud.layout import Identity, Layout

REGION = "devcloud"
CLOUD = "devcloud"
DEMO = "devcloud-demo"
COMPUTE_ENTRIES = {
    "devcloud-alice": ("alice", "alpha"),
    "devcloud-bob": ("bob", "beta"),
    "devcloud-robot": ("robot", "service"),
}

_KEYSTONE = """\
[DEFAULT]
use_stderr = true

[database]
connection = sqlite:///{data}/{database}
sqlite_synchronous = false

[cache]
# In the one process; without it, the check of one token costs twenty queries.
backend = dogpile.cache.memory_pickle

[fernet_tokens]
key_repository = {data}/fernet

[fernet_receipts]
key_repository = {data}/fernet

[credential]
key_repository = {data}/credential

[identity]
# The passwords are random, so slow hashing would protect nothing; bcrypt takes 4 as its least.
password_hash_rounds = 4
"""

NOT_INHERITED = (
    *("imagecycle_family", "imagecycle_flavour", "imagecycle_release", "imagecycle_state"),
    *("imagecycle_image_id", "imagecycle_build_date", "imagecycle_input_digest"),
    *("imagecycle_disk_sha512", "imagecycle_verified", "imagecycle_checks", "imagecycle_version"),
    *("imagecycle_adopted_at", "imagecycle_superseded_at", "imagecycle_retired_at"),
    *("imagecycle_unused_since", "imagecycle_shared_with", "imagecycle_revoked_at"),
    *("imagecycle_revoked_reason", "imagecycle_successor", "image_build_date"),
    *("imagecycle_edition", "imagecycle_language", "imagecycle_license_channel"),
    *("image_description", "image_source", "patchlevel", "replace_frequency", "uuid_validity"),
    *("provided_until", "hotfix_hours", "imagecycle_security_profile", "imagecycle_security_score"),
    "imagecycle_changes",
)
"""What Nova and Cinder shall not copy; a test compares it with the schema, which is on a floor
above."""
LEFT_OUT_BY_NOVA = ("cache_in_nova", "bittorrent")
"""Not copied by Nova's own default of ``non_inheritable_image_properties``"""
LEFT_OUT_BY_CINDER = (
    *("checksum", "container_format", "disk_format", "image_name", "image_id"),
    *("min_disk", "min_ram", "name", "size"),
)
"""Not copied by Cinder's own default of ``glance_core_properties``"""
_PROTECTIONS = """\
# Only who publishes may say what is a release.
[imagecycle_.*]
create = admin,imagecycle
read = @
update = admin,imagecycle
delete = admin,imagecycle

[.*]
create = @
read = @
update = @
delete = @
"""

_GLANCE = """\
[DEFAULT]
{protection}use_stderr = true
enabled_backends = files:file,archive:file
enabled_import_methods = [glance-direct,web-download,copy-image]
# 128 by default, which a retirement in a large cloud exceeds
image_member_quota = -1

[database]
connection = sqlite:///{data}/{database}
sqlite_synchronous = false

[glance_store]
default_backend = files

[files]
filesystem_store_datadir = {data}/images
filesystem_thin_provisioning = true

[archive]
filesystem_store_datadir = {data}/archive
filesystem_thin_provisioning = true

# Glance fetches from loopback only what is named here
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = []

[os_glance_staging_store]
filesystem_store_datadir = {data}/staging

[os_glance_tasks_store]
filesystem_store_datadir = {data}/tasks

[oslo_concurrency]
lock_path = {run}

[paste_deploy]
flavor = keystone
config_file = {venv}/etc/glance/glance-api-paste.ini

[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = glance
password = {password}
"""


def write(layout: Layout, identity: Identity) -> None:
    """Write what the services read."""
    places = {"data": layout.data, "run": layout.run, "venv": layout.venv}
    protections = layout.etc / "property-protections.conf"
    write_text(protections, _PROTECTIONS, mode=0o600)
    protection = (
        ""
        if layout.unprotected.exists()
        else f"property_protection_file = {protections}\nproperty_protection_rule_format = roles\n"
    )
    for database in ("keystone.sqlite", "keystone.sqlite.new"):
        text = _KEYSTONE.format(**places, database=database)
        write_text(layout.etc / _name("keystone", database), text, mode=0o600)
    for database in ("glance.sqlite", "glance.sqlite.new"):
        text = _GLANCE.format(
            **places,
            protection=protection,
            database=database,
            keystone=identity.url("keystone"),
            password=identity.passwords["glance"],
        )
        write_text(layout.etc / _name("glance-api", database), text, mode=0o600)


def write_clouds_file(layout: Layout, identity: Identity, *, compute: bool) -> None:
    """Write the ``clouds.yaml`` with an entry for the administrator and for each user."""
    entries = {CLOUD: ("admin", "admin"), DEMO: ("demo", "demo")}
    if compute:
        entries |= COMPUTE_ENTRIES
    clouds = {
        name: {
            "auth": {
                "auth_url": identity.url("keystone"),
                "username": user,
                "password": identity.passwords[user],
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "identity_api_version": 3,
        }
        for name, (user, project) in entries.items()
    }
    text = "# Written by `imagecycle devcloud start`.\n" + yaml.safe_dump({"clouds": clouds})
    write_text(layout.clouds_file, text, mode=0o600)


def _name(service: str, database: str) -> str:
    return f"{service}.new.conf" if database.endswith(".new") else f"{service}.conf"
