"""Verification in a real OpenStack, whose hypervisors pretend: as far as a server that is ACTIVE.

Its network has addresses of this machine, so that what answers there is up to the test.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from families import FAMILY, artifact
from imagecycle.cloud import clients
from imagecycle.cloud.verification_server import PREFIX
from imagecycle.errors import DefectsFound
from imagecycle.lifecycle.cloud_verification import verify_in_cloud
from imagecycle.site import Site
from imagecycle.site_sections import CloudSettings, CloudVerification
from integration import servers
from integration.conftest import ComputeBox

pytestmark = pytest.mark.integration

RELEASE = "20261122"
NETWORK = "verification"
SUBNET = "127.77.0.0/24"


@pytest.fixture
def neutron(compute_box: ComputeBox) -> Iterator[Any]:
    """With a network whose addresses are this machine's, and an external one beside it."""
    cloud = compute_box.admin
    client = clients.neutron(cloud, str(cloud.endpoint("network")))
    network = client.create_network(name=NETWORK, mtu=1450)
    subnet = client.create_subnet(
        network_id=network.id,
        cidr=SUBNET,
        ip_version=4,
        is_dhcp_enabled=False,
        dns_nameservers=["10.0.2.3"],
    )
    outside = client.create_network(name="outside", is_router_external=True)
    client.create_subnet(network_id=outside.id, cidr="192.0.2.0/24", ip_version=4)
    router = client.create_router(
        name="verification", external_gateway_info={"network_id": outside.id}
    )
    client.add_interface_to_router(router, subnet_id=subnet.id)
    yield client
    client.remove_interface_from_router(router, subnet_id=subnet.id)
    client.delete_router(router)
    client.delete_network(network)
    client.delete_network(outside)


@pytest.fixture
def nothing_is_left(compute_box: ComputeBox, neutron: Any) -> Callable[[], None]:
    """What a run must not leave in the cloud."""

    def see() -> None:
        found = servers.request(compute_box.admin, "GET", "/servers?all_tenants=1")["servers"]
        keys = servers.request(compute_box.admin, "GET", "/os-keypairs")["keypairs"]
        assert [one["name"] for one in found] == []
        assert [key["keypair"]["name"] for key in keys] == []
        assert [g.name for g in neutron.security_groups() if g.name.startswith(PREFIX)] == []
        assert list(neutron.ips()) == []

    return see


def site_of(box: ComputeBox, **settings: Any) -> Site:
    verify = CloudVerification(**{"network": NETWORK, **settings})
    clouds = {name: CloudSettings(verify=verify) for name in ("devcloud", "faulty-nova")}
    return box.site.model_copy(update={"clouds": clouds, "boot_timeout": 30.0})


def verify(site: Site, cloud: str = "devcloud", **changes: Any) -> Path:
    family = dataclasses.replace(FAMILY, **changes)
    return verify_in_cloud(family, site, cloud=cloud, release=RELEASE, force=False, keep=False)


def test_a_release_that_is_not_let_in_is_a_defect_and_its_image_is_taken_back(
    compute_box: ComputeBox, nothing_is_left: Callable[[], None]
) -> None:
    """The server is ACTIVE, with a console; nothing listens for SSH at its address."""
    site = site_of(compute_box).model_copy(update={"boot_timeout": 5.0})
    made = artifact(site.artifacts, RELEASE)
    with pytest.raises(DefectsFound, match=r"has defects in devcloud: boot\.lets_the"):
        verify(site)
    entry = made.record("verify-cloud")["clouds"]["devcloud"]  # type: ignore[index]
    assert entry["verdict"] == "failed"
    assert entry["address"].startswith("127.77.0.")
    assert "SSH" in entry["reason"]
    console = (made.folder / "cloud-console-devcloud.log").read_text()
    assert "FAKE CONSOLE OUTPUT" in console
    assert "FAKE CONSOLE OUTPUT" in (made.folder / "verify-devcloud.html").read_text()
    nothing_is_left()
    assert compute_box.glance.images() == []
