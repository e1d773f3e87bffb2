"""Nothing of the builder's runs on a server: at boot, at login, or at its time."""

import re
from collections.abc import Iterator

from imagecycle.verify.accounts import homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

JOBS = (
    "/etc/{crontab,anacrontab}",
    "/etc/cron**",
    "/etc/incron.d/**",
    "/var/spool/{cron,at,incron,anacron}/**",
    "/var/cron/**",
)
UNITS = (
    "/etc/systemd/{system,user,system-generators,user-generators,system-shutdown,system-sleep}/**",
    "/{usr/,usr/local/,}lib/systemd/{system,user,system-generators,user-generators}/**",
    "/usr/local/share/systemd/**",
)
LINGERING = "/var/lib/systemd/linger/*"
SCRIPTS = (
    "/etc/{rc.local,inittab,ld.so.preload}",
    "/etc/{init.d,rc.d,profile.d,update-motd.d,kernel,network/if-**,ifplugd}/**",
    "/etc/dhcp/dhclient-*-hooks.d/*",
    "/etc/{NetworkManager/dispatcher.d,networkd-dispatcher,ppp/ip-up.d,acpi,pm}/**",
    "/etc/xdg/autostart/*",
    "/etc/{grub.d,initramfs-tools,dracut.conf.d,modules-load.d,modprobe.d,udev/rules.d}/**",
    "/usr/lib/{udev/rules.d,modprobe.d,modules-load.d,dracut/modules.d}/**",
    "/var/lib/cloud/{scripts,handlers}/**",
    "/etc/{ld.so.conf.d,sysctl.d,tmpfiles.d,sysusers.d,binfmt.d,polkit-1,dbus-1}/**",
)
OF_PEOPLE = (
    ".config/{systemd,autostart,environment.d}/**",
    ".{bash_login,bash_profile,bash_logout,zshrc,zprofile,xsessionrc,xprofile,ssh/rc,pam_environment}",
)


def test_no_jobs_are_left(pristine: Pristine, defects: Defects) -> None:
    """Every server does at fixed times what the builder once wanted, all of them at once."""
    assert defects(_foreign(pristine, *JOBS)) == []


def test_no_units_are_left(pristine: Pristine, defects: Defects) -> None:
    """A service or timer of the builder runs on every server, or changes how another one does."""
    kept = (Finding(path, "keeps services of an account on") for path in pristine.found(LINGERING))
    assert defects([*_foreign(pristine, *UNITS), *kept]) == []


def test_no_scripts_are_left(pristine: Pristine, defects: Defects) -> None:
    """Something of the builder's runs at every boot, login or change of the network."""
    people = (f"{home}/{pattern}" for home in homes(pristine) for pattern in OF_PEOPLE)
    assert defects(_foreign(pristine, *SCRIPTS, *people)) == []


def _foreign(pristine: Pristine, *places: str) -> Iterator[Finding]:
    for path in pristine.filled(*places):
        if path in pristine.foreign and not pristine.explained(path):
            yield Finding(path, "comes from no package")


def test_package_manager_runs_nothing_else(pristine: Pristine, defects: Defects) -> None:
    """Every installation of a package also runs a program of the builder."""
    hook = re.compile(
        r"(?i)^[^#/]*(Pre|Post)-(Invoke|Install-Pkgs|Invoke-Success)\b|^(pre|post)-invoke"
    )
    settings = (*pristine.system.packages.settings, "/etc/dpkg/dpkg.cfg**")
    assert (
        defects(
            Finding(path, f"says {line}")
            for path, line in pristine.lines(*settings)
            if path in pristine.foreign and hook.search(line)
        )
        == []
    )
