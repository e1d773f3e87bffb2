"""The interface of the instance works as Neutron's DHCP and the config drive say."""

from testinfra.host import Host

from imagecycle.verify.session import Subject


def test_interface_has_an_address(host: Host, instance: Subject) -> None:
    """The server has no address on its network card."""
    card = host.check_output(
        f"grep -l {instance.instance_data.mac} /sys/class/net/*/address"
    ).split("/")[4]
    assert "inet " in host.check_output(f"ip -4 address show dev {card}")


def test_has_a_default_route(host: Host) -> None:
    """The server reaches nothing beyond its own network."""
    assert "default via" in host.check_output("ip -4 route")


def test_has_a_resolver(host: Host) -> None:
    """No name can be resolved: packages cannot be installed, nothing can be downloaded."""
    known = "cat /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null"
    assert "nameserver" in host.run(known).stdout
