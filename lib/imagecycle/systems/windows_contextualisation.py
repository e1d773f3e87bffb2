"""What contextualises an instance of Windows: cloudbase-init, and the answers of its first start.

Three files are made from the same facts of the catalog. ``cloudbase-init-unattend.conf`` is for
the run in Setup's pass *specialize*, before anybody can log in: the host's name, with the restart
that it needs. ``cloudbase-init.conf`` is for the service, which does the rest. ``Unattend.xml``
goes with sysprep, calls the first and keeps the first start without questions.

Names of options and plugins are those of cloudbase-init 1.1.9.
"""

from __future__ import annotations

import configparser
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from imagecycle.model import Family
from imagecycle.systems import windows_releases
from imagecycle.systems.windows_answers import ARCHITECTURES
from imagecycle.windows_facts import WindowsFacts

PROGRAM = r"C:\Program Files\Cloudbase Solutions\Cloudbase-Init"
CONFIGURATION = rf"{PROGRAM}\conf\cloudbase-init.conf"
UNATTEND_CONFIGURATION = rf"{PROGRAM}\conf\cloudbase-init-unattend.conf"
LOGS = rf"{PROGRAM}\log"
OWN_FOLDER = r"C:\ProgramData\imagecycle"
ANSWERS = rf"{OWN_FOLDER}\Unattend.xml"
LOCAL_SCRIPTS = rf"{OWN_FOLDER}\local-scripts"
"""What cloudbase-init runs: one script, which runs the numbered tasks below"""
TASKS = rf"{OWN_FOLDER}\tasks"
SETUP_COMPLETE = r"C:\Windows\Setup\Scripts\SetupComplete.cmd"
SERVICE = "cloudbase-init"
SERIAL_PORT = "COM1,115200,N,8"
TEMPLATE = Path(__file__).parent / "windows_generalised.unattend.j2"

_SERVICES = {
    "config-drive": "cloudbaseinit.metadata.services.configdrive.ConfigDriveService",
    "http": "cloudbaseinit.metadata.services.httpservice.HttpService",
}
_COMMON = "cloudbaseinit.plugins.common"
_WINDOWS = "cloudbaseinit.plugins.windows"
_DISKS_ONLINE = f"{_WINDOWS}.sanpolicy.SANPolicyPlugin"
"""By default servers leave offline what they take for shared, which virtio's disks are"""
_EARLY = (
    f"{_COMMON}.mtu.MTUPlugin",
    f"{_COMMON}.sethostname.SetHostNamePlugin",
    _DISKS_ONLINE,
)
"""Plugins of the run before anybody can log in; without the second, the service would restart an
instance that somebody may be using already. The third counts from the next start on."""


@dataclass(frozen=True)
class GuestText:
    """A text file of the guest."""

    path: str
    content: str


def files(family: Family, kms_host: str = "") -> tuple[GuestText, ...]:
    """All that contextualisation reads in an image of a family.

    :param kms_host: the site's, for families that name none.
    """
    assert family.windows is not None
    return (
        GuestText(CONFIGURATION, configuration(family.windows, family.admin_user, kms_host)),
        GuestText(UNATTEND_CONFIGURATION, early_configuration(family.windows)),
        GuestText(ANSWERS, answers(family)),
        GuestText(SETUP_COMPLETE, _START_SERVICE),
    )


def configuration(facts: WindowsFacts, user: str, kms_host: str = "") -> str:
    """``cloudbase-init.conf``, for the service."""
    context = facts.context
    kms = context.kms_host or kms_host
    return _text(
        facts,
        "cloudbase-init.log",
        {
            "plugins": ",".join(_plugins(facts)),
            "username": user,
            "groups": ",".join(context.groups),
            "inject_user_password": context.inject_password,
            "first_logon_behaviour": "no",
            "ntp_use_dhcp_config": context.ntp_from_dhcp,
            "real_time_clock_utc": False,  # Nova gives os_type=windows a clock in local time
            "local_scripts_path": LOCAL_SCRIPTS,
            "winrm_enable_basic_auth": False,
            "winrm_configure_http_listener": False,
            "winrm_configure_https_listener": context.winrm,
            **({"kms_host": kms} if kms else {}),
            # the key was set when the system was installed; cloudbase-init knows those of 2016 only
            "set_kms_product_key": False,
            "activate_windows": context.activate and facts.key in ("kms", "mak", "retail"),
            "log_licensing_info": True,
            "allow_reboot": True,
            "stop_service_on_exit": True,
        },
    )


def early_configuration(facts: WindowsFacts) -> str:
    """``cloudbase-init-unattend.conf``, for the run in Setup's pass *specialize*."""
    return _text(
        facts,
        "cloudbase-init-unattend.log",
        {
            "plugins": ",".join(_EARLY),
            "allow_reboot": False,  # Setup restarts when the program has ended
            "stop_service_on_exit": False,
        },
    )


def answers(family: Family) -> str:
    """``Unattend.xml``, for sysprep and the first start of an instance."""
    assert family.windows is not None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        facts=family.windows,
        release=windows_releases.release(family.version),
        architecture=ARCHITECTURES[family.arch],
        program=rf"{PROGRAM}\Python\Scripts\cloudbase-init.exe",
        configuration=UNATTEND_CONFIGURATION,
    )


def _plugins(facts: WindowsFacts) -> list[str]:
    context = facts.context
    wanted = {
        f"{_COMMON}.mtu.MTUPlugin": True,
        f"{_WINDOWS}.ntpclient.NTPClientPlugin": True,
        f"{_COMMON}.sethostname.SetHostNamePlugin": True,
        f"{_WINDOWS}.createuser.CreateUserPlugin": True,
        f"{_COMMON}.networkconfig.NetworkConfigPlugin": True,
        f"{_WINDOWS}.licensing.WindowsLicensingPlugin": True,
        f"{_COMMON}.sshpublickeys.SetUserSSHPublicKeysPlugin": True,
        _DISKS_ONLINE: True,
        f"{_WINDOWS}.extendvolumes.ExtendVolumesPlugin": context.extend_volumes,
        f"{_COMMON}.setuserpassword.SetUserPasswordPlugin": True,
        f"{_WINDOWS}.winrmlistener.ConfigWinRMListenerPlugin": context.winrm,
        f"{_WINDOWS}.winrmcertificateauth.ConfigWinRMCertificateAuthPlugin": context.winrm,
        f"{_WINDOWS}.rdp.RDPSettingsPlugin": facts.remote_desktop,
        f"{_WINDOWS}.rdp.RDPPostCertificateThumbprintPlugin": facts.remote_desktop,
        f"{_COMMON}.userdata.UserDataPlugin": context.user_data,
        f"{_COMMON}.localscripts.LocalScriptsPlugin": True,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _text(facts: WindowsFacts, log: str, options: Mapping[str, object]) -> str:
    context = facts.context
    written = configparser.ConfigParser(interpolation=None)
    written["DEFAULT"] = {
        "metadata_services": ",".join(_SERVICES[name] for name in context.services),
        "bsdtar_path": rf"{PROGRAM}\bin\bsdtar.exe",
        "mtools_path": rf"{PROGRAM}\bin",
        "log_dir": LOGS,
        "log_file": log,
        "default_log_levels": "comtypes=INFO,iso8601=WARN,requests=WARN",
        "logging_serial_port_settings": SERIAL_PORT,
        "san_policy": "OnlineAll",
        "mtu_use_dhcp_config": str(context.mtu_from_dhcp).lower(),
        "check_latest_version": "false",
        **{
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in options.items()
        },
    }
    written["config_drive"] = {"types": "iso,vfat", "locations": "cdrom,hdd,partition"}
    text = io.StringIO()
    written.write(text)
    return text.getvalue().strip() + "\n"


_START_SERVICE = f"""\
@echo off
rem Setup is over: from now on the service may restart the machine.
sc.exe config {SERVICE} start= auto
sc.exe start {SERVICE}
exit /b 0
"""
"""Started by Windows when Setup has ended. A service that runs earlier and restarts the machine
makes Windows stop with "The computer restarted unexpectedly"."""
