"""The image tells nothing of its build, and carries nothing that each server should make itself."""

import re

from imagecycle.systems.linux import Linux
from imagecycle.verify.findings import Defects, Finding
from imagecycle.verify.pristine import Pristine


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
    assert (
        defects(
            map(Finding, pristine.found("/root/.*_history", "/home/*/.*_history", "/root/.lesshst"))
        )
        == []
    )


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


def test_no_installer_leftovers(pristine: Pristine, defects: Defects) -> None:
    """The unattended file and its password can be read on every server."""
    places = ("/var/log/installer/**", "/root/anaconda-ks.cfg", "/root/original-ks.cfg")
    assert defects(map(Finding, pristine.found(*places, "/preseed.cfg", "/root/preseed.cfg"))) == []


def test_no_proxy_or_build_mirror(pristine: Pristine, defects: Defects) -> None:
    """Package installation goes through the builder's proxy, which users cannot reach."""
    asked = re.compile(r"^[^#/\n]*Acquire::https?::Proxy", re.IGNORECASE | re.MULTILINE)
    settings = pristine.found("/etc/apt/**")
    found = (Finding(path) for path in settings if asked.search(pristine.text(path)))
    assert defects(found) == []


def test_no_network_card_names(pristine: Pristine, defects: Defects) -> None:
    """A server's card gets another name than the configuration expects, and no address."""
    assert defects(map(Finding, pristine.found("/etc/udev/rules.d/70-persistent-net.rules"))) == []
