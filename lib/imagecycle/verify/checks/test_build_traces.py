"""The image tells nothing of its build, and carries nothing that each server should make itself."""

from collections.abc import Iterator

from imagecycle.systems.files import FOLDER
from imagecycle.systems.linux import Linux
from imagecycle.verify.accounts import accounts, homes
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine

HISTORIES = (
    ".*{_history,histfile}",
    ".{lesshst,viminfo,zhistory,histfile,dbshell,wget-hsts,sudo_as_admin_successful,selected_editor}",
    ".{vim/.netrwhist,ipython/**,jupyter/**,mc/**,cache/**,recently-used**,local/share/mc/**}",
    ".local/{share,state}/{nvim,fish,recently-used**,nano}**",
    ".config/fish/fish_history",
)
"""Where programs keep what somebody has typed, below a home"""

REMAINS = {
    "/etc/ansible": "/usr/bin/ansible*",
    "/etc/cni": "/usr/{bin,lib,libexec}/{podman,containerd,cni/*}",
    "/etc/docker": "/usr/bin/dockerd",
    "/etc/parallels-tools": "",
    "/etc/vmware-tools": "/usr/bin/vmtoolsd",
    "/usr/lib/vmware-tools": "/usr/bin/vmtoolsd",
    "/usr/src/vboxguest": "",
    "/var/lib/VBoxGuestAdditions": "",
    "/var/lib/containerd": "/usr/bin/containerd",
    "/var/lib/containers": "/usr/bin/{podman,buildah,skopeo,crun}",
    "/var/lib/docker": "/usr/bin/dockerd",
    "/var/lib/flatpak": "/usr/bin/flatpak",
    "/var/lib/jenkins": "/usr/bin/jenkins",
    "/var/lib/libvirt": "/usr/sbin/{libvirtd,virtqemud}",
    "/var/lib/lxc": "/usr/bin/lxc-start",
    "/var/lib/lxd": "/usr/{bin,sbin}/lxd",
    "/var/lib/mysql": "/usr/sbin/{mysqld,mariadbd}",
    "/var/lib/postgresql": "/usr/lib/postgresql/**/bin/postgres",
    "/var/lib/puppet": "/usr/bin/puppet",
    "/var/lib/snapd": "/usr/{lib,libexec}/snapd/snapd",
    "/var/lib/waagent": "/usr/sbin/waagent",
    "/var/snap": "/usr/{lib,libexec}/snapd/snapd",
}
"""Folders that a program makes, and the program"""
TOP = {
    *("/", "/afs", "/bin", "/boot", "/cdrom", "/dev", "/efi", "/etc", "/home", "/lib", "/lib32"),
    *("/lib64", "/libx32", "/lost+found", "/media", "/mnt", "/opt", "/proc", "/root", "/run"),
    *("/sbin", "/selinux", "/snap", "/srv", "/sys", "/tmp", "/usr", "/var", "/.autorelabel"),
    *("/.snapshots", "/bin.usr-is-merged", "/lib.usr-is-merged", "/sbin.usr-is-merged"),
}
"""What the root folder of a system may hold; see the Filesystem Hierarchy Standard 3.0"""
STRANGERS = ("/home/", "/opt/", "/root/", "/srv/", "/mnt/", "/media/")


def test_no_logs(pristine: Pristine, defects: Defects) -> None:
    """Servers begin with log entries of a machine and a time that are not theirs."""
    assert defects(map(Finding, pristine.filled("/var/log/**"))) == []


def test_no_leases(pristine: Pristine, defects: Defects) -> None:
    """A server asks for the builder's network address."""
    places = "/var/lib/{dhcp,dhcpd,dhcpcd,dhclient,NetworkManager,systemd/network}/**lease**"
    assert defects(map(Finding, pristine.filled(places))) == []


def test_no_package_caches(pristine: Pristine, system: Linux, defects: Defects) -> None:
    """Every server carries, and every download of the image pays for, files that are outdated."""
    assert (
        defects(
            map(Finding, pristine.filled(*(f"{folder}/**" for folder in system.packages.caches)))
        )
        == []
    )


def test_no_histories(pristine: Pristine, defects: Defects) -> None:
    """Users read what the builder typed, passwords included."""
    places = (f"{home}/{name}" for home in homes(pristine) for name in HISTORIES)
    assert defects(map(Finding, pristine.filled(*places))) == []


def test_no_crash_data(pristine: Pristine, defects: Defects) -> None:
    """Memory of the builder's programs, passwords included, is on every server."""
    places = (
        "/var/crash/**",
        "/var/lib/systemd/coredump/**",
        "/var/spool/abrt/**",
        "/core",
        "/core.*",
    )
    assert defects(map(Finding, pristine.filled(*places))) == []


def test_no_mail(pristine: Pristine, defects: Defects) -> None:
    """Users read letters to the builder."""
    places = ("/var/mail/**", "/var/spool/mail/**", "/var/spool/{postfix,exim4,mqueue}/**/**")
    assert defects(map(Finding, pristine.filled(*places))) == []


def test_no_authorized_keys(pristine: Pristine, defects: Defects) -> None:
    """Whoever has the builder's key can log in to every server."""
    assert defects(map(Finding, pristine.filled("/root/.ssh/**", "/home/*/.ssh/**"))) == []


def test_no_temporary_files(pristine: Pristine, defects: Defects) -> None:
    """Leftovers of the build waste space and may tell of its surroundings."""
    assert defects(map(Finding, pristine.filled("/tmp/**", "/var/tmp/**"))) == []


def test_no_contextualisation_state(pristine: Pristine, defects: Defects) -> None:
    """Servers believe that they have been set up already, as somebody else."""
    assert (
        defects(
            map(Finding, pristine.found("/var/lib/cloud/instance", "/var/lib/cloud/instances/**"))
        )
        == []
    )


def test_no_empty_folders(pristine: Pristine, defects: Defects) -> None:
    """Users find the home, or the working folder, of somebody whom they do not know."""
    used = {path.rpartition("/")[0] for path in pristine.entries}
    known = used | pristine.owned | {one.home for one in accounts(pristine)}
    assert (
        defects(
            Finding(entry.path, "is an empty folder of nobody")
            for entry in pristine.entries.values()
            if entry.kind == FOLDER and entry.path.startswith(STRANGERS) and entry.path not in known
        )
        == []
    )


def test_no_installer_leftovers(pristine: Pristine, defects: Defects) -> None:
    """The unattended file and its password can be read on every server."""
    places = ("/var/log/installer/**", "/root/anaconda-ks.cfg", "/root/original-ks.cfg")
    assert defects(map(Finding, pristine.found(*places, "/preseed.cfg", "/root/preseed.cfg"))) == []


def test_no_network_card_names(pristine: Pristine, defects: Defects) -> None:
    """A server's card gets another name than the configuration expects, and no address."""
    assert defects(map(Finding, pristine.found("/etc/udev/rules.d/70-persistent-net.rules"))) == []


def test_no_files_where_something_is_mounted(pristine: Pristine, defects: Defects) -> None:
    """The image is larger than it should be, and nobody can see or remove what makes it so."""
    hidden = pristine.filled("/dev/**", "/proc/**", "/run/**", "/sys/**")
    assert defects(map(Finding, hidden)) == []


def test_nothing_is_left_of_what_was_removed(pristine: Pristine, defects: Defects) -> None:
    """Servers carry images, snaps or tools of a program that they do not have, or that belongs on
    another kind of machine."""
    assert defects(_left(pristine)) == []


def _left(pristine: Pristine) -> Iterator[Finding]:
    for folder, program in REMAINS.items():
        is_strange = folder in pristine.entries and folder not in pristine.owned
        if is_strange and not (program and pristine.found(program)):
            yield Finding(folder, "is left of what is not installed any more")
    for path in (path for path in pristine.entries if path.count("/") == 1):
        if not (path in TOP or path in pristine.owned or pristine.explained(path)):
            yield Finding(path, "is not of this system")
