"""The image tells nothing of its build, and carries nothing that each server should make itself."""

from imagecycle.systems.system import System
from imagecycle.verify.pristine import Pristine


def test_no_logs(pristine: Pristine) -> None:
    """Servers begin with log entries of a machine and a time that are not theirs."""
    assert pristine.files("/var/log") == []


def test_no_leases(pristine: Pristine) -> None:
    """A server asks for the builder's network address."""
    places = ("/var/lib/dhcp", "/var/lib/NetworkManager", "/var/lib/dhclient", "/var/lib/dhcpcd")
    leases = [name for name in pristine.files(*places) if "lease" in name]
    assert leases + pristine.found("/var/lib/systemd/network/*.lease") == []


def test_no_package_caches(pristine: Pristine, system: System) -> None:
    """Every server carries, and every download of the image pays for, files that are outdated."""
    assert pristine.files(*system.packages.caches) == []


def test_no_histories(pristine: Pristine) -> None:
    """Users read what the builder typed, passwords included."""
    assert pristine.found("/root/.*_history", "/home/*/.*_history", "/root/.lesshst") == []


def test_no_authorized_keys(pristine: Pristine) -> None:
    """Whoever has the builder's key can log in to every server."""
    assert pristine.files("/root/.ssh", "/home/*/.ssh") == []


def test_no_temporary_files(pristine: Pristine) -> None:
    """Leftovers of the build waste space and may tell of its surroundings."""
    assert pristine.files("/tmp", "/var/tmp") == []


def test_no_contextualisation_state(pristine: Pristine) -> None:
    """Servers believe that they have been set up already, as somebody else."""
    assert pristine.found("/var/lib/cloud/instance", "/var/lib/cloud/instances/*") == []


def test_no_installer_leftovers(pristine: Pristine) -> None:
    """The unattended file and its password can be read on every server."""
    places = ("/var/log/installer", "/root/anaconda-ks.cfg", "/root/original-ks.cfg")
    assert pristine.found(*places, "/preseed.cfg", "/root/preseed.cfg") == []


def test_no_proxy_or_build_mirror(pristine: Pristine) -> None:
    """Package installation goes through the builder's proxy, which users cannot reach."""
    asked = pristine.run("grep -rlsiE '^[^#]*Acquire::https?::Proxy' etc/apt/apt.conf.d etc/apt")
    assert asked.splitlines() == []


def test_no_network_card_names(pristine: Pristine) -> None:
    """A server's card gets another name than the configuration expects, and no address."""
    assert pristine.found("/etc/udev/rules.d/70-persistent-net.rules") == []
