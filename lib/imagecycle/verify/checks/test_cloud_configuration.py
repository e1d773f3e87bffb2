"""What contextualisation reads is the cloud's and the user's, not the builder's."""

from collections.abc import Iterator

from imagecycle.verify import cloud_settings
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

NEEDED = ("ConfigDrive", "OpenStack")
OF_USERS = (
    "users",
    "user",
    "groups",
    "password",
    "chpasswd",
    "ssh_authorized_keys",
    "ssh_import_id",
    "ssh_keys",
    "hostname",
    "fqdn",
    "runcmd",
    "bootcmd",
    "write_files",
    "phone_home",
    "power_state",
    "package_upgrade",
    "package_update",
    "packages",
    "mounts",
    "swap",
    "fs_setup",
    "disk_setup",
    "ca_certs",
    "ca-certs",
    "ntp",
    "puppet",
    "chef",
    "salt_minion",
    "ansible",
    "landscape",
    "rsyslog",
    "yum_repos",
    "apt_proxy",
    "apt_mirror",
    "apt_sources",
    "resolv_conf",
    "manage_resolv_conf",
    "timezone",
    "cloud_id",
)
"""Keys that a user's data has; in an image they are the builder's"""
WRONG: dict[str, tuple[object, ...]] = {
    "ssh_pwauth": (True, "yes", "true", 1),
    "disable_root": (False, "no", "false", 0),
    "ssh_deletekeys": (False, "no", "false", 0),
    "preserve_hostname": (True,),
    "manual_cache_clean": (True,),
    "allow_userdata": (False,),
    "disable_ec2_metadata": (True,),
    "resize_rootfs": (False, "false"),
}
"""Keys, and the values that spoil a server"""


def test_is_readable(pristine: Pristine, defects: Defects) -> None:
    """The first boot ignores a file of settings: whatever it should do is not done."""
    assert defects(_unreadable(pristine)) == []


def _unreadable(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.found(*cloud_settings.FILES):
        said = cloud_settings.read(pristine, path)
        if isinstance(said, str):
            yield Finding(path, said)


def test_looks_where_the_cloud_puts_it(pristine: Pristine, defects: Defects) -> None:
    """A server gets neither name nor key, or waits for minutes for a source that is not there."""
    assert defects(_elsewhere(pristine)) == []


def _elsewhere(pristine: Pristine) -> Iterator[Finding]:
    places = [
        (path, said["datasource_list"])
        for path, said in cloud_settings.all_of(pristine)
        if "datasource_list" in said
    ]
    for path, sources in places[-1:]:
        missing = [one for one in NEEDED if one not in (sources or [])]
        if missing:
            yield Finding(path, f"leaves out {' and '.join(missing)}")
    for path, said in cloud_settings.all_of(pristine):
        if "datasource" in said and path in pristine.foreign:
            yield Finding(path, "sets datasource")
    for path in pristine.filled("/etc/cloud/ds-identify.cfg"):
        if path in pristine.foreign:
            yield Finding(path, "decides where to look")
    for path in pristine.found("/etc/cloud/cloud-init.disabled"):
        yield Finding(path, "switches contextualisation off")


def test_brings_nothing_of_another_machine(pristine: Pristine, defects: Defects) -> None:
    """Every server is set up as the builder's machine, with its name, accounts or keys."""
    assert defects(_brought(pristine)) == []


def _brought(pristine: Pristine) -> Iterator[Finding]:
    for path in pristine.filled(
        "/var/lib/cloud/{seed,data,sem,scripts,handlers}/**", "/meta-data", "/user-data"
    ):
        yield Finding(path, "is data of a machine")
    for path, said in cloud_settings.all_of(pristine):
        if path not in pristine.foreign:
            continue
        for key in said:
            if key in OF_USERS and not (key == "users" and said[key] == ["default"]):
                yield Finding(path, f"sets {key}")
            if key in WRONG and any(said[key] is one or said[key] == one for one in WRONG[key]):
                yield Finding(path, f"sets {key} to {said[key]}")
